from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mien.evaluation.measures.identification import IdentificationMeasures
from mien.evaluation.reports.figures.canvas import (
    Line,
    canvas,
    draw,
    one_in,
    rare_scale,
    shade,
    shade_unsupported,
    stairs,
)


def open_set(curves: Sequence[tuple[Line, IdentificationMeasures]]) -> Figure:
    """FNIR against FPIR, both logarithmic, as in NIST FRTE 1:N."""
    figure, axes = canvas("false positive identification rate", "false negative identification rate")
    rare_scale(axes, "x", one_in(*(measures.stranger_probes for _, measures in curves)))
    rare_scale(axes, "y", min(0.1, *(_least(measures.curve.fnir_low) for _, measures in curves)))
    shade_unsupported(axes, [measures.stranger_probes for _, measures in curves])
    for line, measures in curves:
        curve = measures.curve
        shade(axes, line, (curve.fpir_low, curve.fpir_high), (curve.fnir_low, curve.fnir_high))
    for line, measures in curves:
        draw(axes, line, *stairs(measures.curve.fpir, measures.curve.fnir))
    return figure


def _least(rates: NDArray[np.float64]) -> float:
    """The least one above 0."""
    return float(rates.min(initial=1, where=rates > 0))
