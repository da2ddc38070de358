from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from mien.evaluation.measures.identification import RankCurve
from mien.evaluation.reports.figures.canvas import Line, canvas, draw, filled_from, percent_scale, shade


def ranks(curves: Sequence[tuple[Line, RankCurve]]) -> Figure:
    """Cumulative match characteristic: how often the mate is among the k people that are most alike."""
    figure, axes = canvas("rank", "found up to this rank")
    most = max(float(cmc.ranks[-1]) for _, cmc in curves)
    axes.set_xscale("log")
    axes.set_xlim(0.95, max(most, 2))
    axes.xaxis.set_major_locator(FixedLocator([1, 2, 5, 10, 20, 50]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda rank, _: f"{rank:g}"))
    axes.set_ylim(filled_from(min(float(cmc.low.min()) for _, cmc in curves)))
    percent_scale(axes, "y")
    for line, cmc in curves:
        ranked = cmc.ranks.astype(np.float64)
        shade(axes, line, (ranked, ranked), (cmc.low, cmc.high))
        draw(axes, line, ranked, cmc.value)
    return figure
