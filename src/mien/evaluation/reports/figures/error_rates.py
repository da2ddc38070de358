from matplotlib.figure import Figure

from mien.evaluation.measures.verification import VerificationMeasures
from mien.evaluation.reports.figures.canvas import Line, canvas, draw, one_in, rare_scale, shade, stairs
from mien.evaluation.reports.figures.similarities import shown_edges
from mien.evaluation.reports.page import MATED, NON_MATED, SOFT


def error_rates(measures: VerificationMeasures, threshold: float | None) -> Figure:
    """Both error rates against the threshold, with their intervals."""
    figure, axes = canvas("threshold", "error rate", height=3.1)
    curve = measures.curve
    edges = shown_edges(measures, 1)
    axes.set_xlim(edges[0], edges[-1])
    rare_scale(axes, "y", one_in(measures.mated, measures.non_mated))
    for number, line, rate, low, high in (
        (measures.non_mated, Line("false match rate", NON_MATED, ()), curve.fmr, curve.fmr_low, curve.fmr_high),
        (measures.mated, Line("false non-match rate", MATED, (5, 1.6)), curve.fnmr, curve.fnmr_low, curve.fnmr_high),
    ):
        if not number:
            continue
        (thresholds, lows), (_, highs) = stairs(curve.thresholds, low), stairs(curve.thresholds, high)
        shade(axes, line, (thresholds, thresholds), (lows, highs))
        draw(axes, line, *stairs(curve.thresholds, rate))
    if threshold is not None:
        axes.axvline(threshold, color=SOFT, linewidth=1.3, dashes=(4, 2))
    return figure
