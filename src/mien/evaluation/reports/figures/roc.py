from collections.abc import Sequence

from matplotlib.figure import Figure

from mien.evaluation.measures.error_rates import FEWEST_ERRORS
from mien.evaluation.measures.verification import VerificationMeasures
from mien.evaluation.reports.figures.canvas import (
    Line,
    canvas,
    draw,
    filled_from,
    one_in,
    percent_scale,
    rare_scale,
    shade,
    shade_unsupported,
    stairs,
)


def roc(curves: Sequence[tuple[Line, VerificationMeasures]]) -> Figure:
    """The share of mated comparisons that match, against the share of non-mated ones that do, on a logarithmic axis."""
    figure, axes = canvas("false match rate", "true match rate")
    rare_scale(axes, "x", one_in(*(measures.non_mated for _, measures in curves)))
    axes.set_ylim(filled_from(min(_lowest(measures) for _, measures in curves)))
    percent_scale(axes, "y")
    shade_unsupported(axes, [measures.non_mated for _, measures in curves])
    for line, measures in curves:
        curve = measures.curve
        shade(axes, line, (curve.fmr_low, curve.fmr_high), (1 - curve.fnmr_low, 1 - curve.fnmr_high))
    for line, measures in curves:
        draw(axes, line, *stairs(measures.curve.fmr, 1 - measures.curve.fnmr))
    return figure


def _lowest(measures: VerificationMeasures) -> float:
    """The true match rate where the supported rates begin, at the lower end of its interval."""
    supported = measures.curve.fmr * measures.non_mated <= FEWEST_ERRORS
    return float(1 - measures.curve.fnmr_high[supported].min()) if supported.any() else 0.0
