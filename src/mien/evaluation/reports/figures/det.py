from collections.abc import Sequence

from matplotlib.figure import Figure

from mien.evaluation.measures.verification import VerificationMeasures
from mien.evaluation.reports.figures.canvas import (
    Line,
    canvas,
    draw,
    one_in,
    probit_scale,
    shade,
    shade_unsupported,
    stairs,
)
from mien.evaluation.reports.page import SOFT

_MOST = 0.6


def det(curves: Sequence[tuple[Line, VerificationMeasures]]) -> Figure:
    """Detection error trade-off (Martin et al. 1997): FNMR against FMR, both on normal deviates."""
    figure, axes = canvas("false match rate", "false non-match rate")
    probit_scale(axes, "x", 0.7 * one_in(*(measures.non_mated for _, measures in curves)), _MOST)
    probit_scale(axes, "y", 0.7 * one_in(*(measures.mated for _, measures in curves)), _MOST)
    shade_unsupported(axes, [measures.non_mated for _, measures in curves])
    equal = [max(axes.get_xlim()[0], axes.get_ylim()[0]), _MOST]
    axes.plot(equal, equal, color=SOFT, linewidth=0.8, dashes=(1, 2))
    for line, measures in curves:
        curve = measures.curve
        shade(axes, line, (curve.fmr_low, curve.fmr_high), (curve.fnmr_low, curve.fnmr_high))
    for line, measures in curves:
        draw(axes, line, *stairs(measures.curve.fmr, measures.curve.fnmr))
    return figure
