"""The table drawn: a row a loss, the best on top; a dot for the mean, whiskers for its interval, a tick a seed."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mien.evaluation import Estimate
from mien.evaluation.reports.figures.canvas import canvas, percent_scale
from mien.evaluation.reports.page import MATED, SOFT
from mien.training.comparing.run_measures import MEASURES
from mien.training.comparing.standings import Standing

_ROW, _FRAME = 0.27, 0.75
"""Inches: of a loss, and of what is around them."""


def measure_figure(standings: Sequence[Standing], measure: str) -> Figure:
    """A measure of every loss that has it, in the order of the table.

    Args:
        standings: The best first.
        measure: One of `MEASURES`.
    """
    figure, axes = _rows(standings, MEASURES[measure])
    for row, standing in enumerate(standings):
        mean = standing.measures.get(measure)
        if not isinstance(mean, Estimate):
            continue
        axes.plot([mean.low, mean.high], [row, row], color=MATED, linewidth=1.4, solid_capstyle="butt")
        for end in (mean.low, mean.high):
            axes.plot([end, end], [row - 0.16, row + 0.16], color=MATED, linewidth=1.4)
        seeds = [one.measures[measure] for one in standing.by_seed.values()]
        values = [one.value for one in seeds if isinstance(one, Estimate)]
        if len(values) > 1:
            axes.plot(values, [row] * len(values), "|", color=SOFT, markersize=7, markeredgewidth=1.2)
        axes.plot([mean.value], [row], "o", color=MATED, markersize=6)
    percent_scale(axes, "x")
    return figure


def time_figure(standings: Sequence[Standing]) -> Figure:
    """Seconds of training of every loss, in the order of the table, each seed's beside their mean."""
    figure, axes = _rows(standings, "seconds of training")
    for row, standing in enumerate(standings):
        if standing.by_seed:
            axes.barh(row, standing.seconds, height=0.55, color=MATED, alpha=0.32, linewidth=0)
            times = [run.seconds for run in standing.by_seed.values()]
            axes.plot(times, [row] * len(times), "|", color=MATED, markersize=8, markeredgewidth=1.2)
    axes.set_xlim(left=0)
    return figure


def _rows(standings: Sequence[Standing], across: str) -> tuple[Figure, Axes]:
    figure, axes = canvas(across, "", height=_FRAME + _ROW * len(standings))
    axes.set_yticks(range(len(standings)), [standing.title for standing in standings])
    axes.set_ylim(len(standings) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0, labelcolor="black", labelsize=10.5)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    for row, standing in enumerate(standings):
        if not standing.by_seed:
            axes.text(
                0.01, row, "came to nothing", color=SOFT, fontsize=10, va="center", transform=axes.get_yaxis_transform()
            )
    return figure, axes
