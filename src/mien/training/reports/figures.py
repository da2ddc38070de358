"""A run drawn: its losses, how well it verifies, and where the embeddings lie."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator
from numpy.typing import NDArray

from mien.evaluation.reports.figures.canvas import canvas, percent_scale
from mien.evaluation.reports.page import MATED, NON_MATED, SERIES, SOFT
from mien.training.reports.run_tables import Column, Curve, RunTables
from mien.training.trainer.head_watch import OTHER, OWN

_SMOOTHED = 50
"""Of how many stretches a noisy curve is made."""


def loss_figure(tables: RunTables) -> Figure:
    """The losses over the steps: each logged batch's, faint, and their moving mean."""
    figure, axes = _over_steps(tables, "loss")
    step = tables.steps["step"]
    for colour, (name, values) in zip(SERIES * 4, tables.losses.items(), strict=False):
        axes.plot(step, values, color=colour, linewidth=0.6, alpha=0.3)
        axes.plot(step, moving_mean(values), color=colour, linewidth=1.7, label=name)
    if np.nanmin(np.stack(list(tables.losses.values()))) > 0:
        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        for formatted in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
            formatted(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.tick_params(axis="y", which="minor", colors=SOFT, labelsize=10.5, length=3, width=0.8)
    _legend(axes, len(tables.losses))
    return figure


def rate_figure(tables: RunTables) -> Figure:
    """The learning rate over the steps."""
    figure, axes = _over_steps(tables, "learning rate", height=2.6)
    axes.plot(tables.steps["step"], tables.steps["rate"], color=MATED, linewidth=1.7)
    axes.set_ylim(bottom=0)
    return figure


def verification_figure(tables: RunTables, fmr: str, best: int) -> Figure:
    """How well people who weren't learnt from are verified, validation by validation; the best is ringed."""
    figure, axes = _over_steps(tables, "")
    seen = tables.validations
    axes.fill_between(seen["step"], seen["tmr_low"], seen["tmr_high"], color=MATED, alpha=0.16, linewidth=0)
    _draw(axes, seen["step"], seen["tmr"], MATED, f"TMR at FMR {fmr}")
    _draw(axes, seen["step"], seen["auc"], SERIES[2], "AUC")
    at = np.flatnonzero(seen["step"] == best)
    if len(at):
        score = seen["tmr"][at] if not np.isnan(seen["tmr"][at[0]]) else seen["auc"][at]
        axes.plot(seen["step"][at], score, "o", color=MATED, markersize=11, fillstyle="none")
    _finish_shares(axes)
    return figure


def naming_figure(tables: RunTables) -> Figure:
    """Naming the people learnt from beside verifying strangers: the first goes on rising where the second doesn't."""
    figure, axes = _over_steps(tables, "")
    seen = tables.validations
    accuracy = tables.accuracy_until(seen["step"])
    known = ~np.isnan(accuracy)
    _draw(axes, seen["step"][known], accuracy[known], SERIES[1], "people learnt from, named right")
    _draw(axes, seen["step"], seen["auc"], SERIES[2], "strangers verified, AUC")
    _finish_shares(axes)
    return figure


def distances_figure(tables: RunTables) -> Figure:
    """Cosines of mated and of non-mated pairs of strangers: medians, and what four of five lie between."""
    figure, axes = _over_steps(tables, "cosine")
    seen = tables.validations
    for kind, colour, words in (("mated", MATED, "one person"), ("non_mated", NON_MATED, "two people")):
        low, middle, high = (seen[f"{kind}_cosine_{percent}"] for percent in (10, 50, 90))
        axes.fill_between(seen["step"], low, high, color=colour, alpha=0.16, linewidth=0)
        _draw(axes, seen["step"], middle, colour, words)
    _legend(axes, 2)
    return figure


def angles_figure(tables: RunTables) -> Figure:
    """Angles to the own class vector and to the nearest other: dotted until the first validation, then the last."""
    figure, axes = canvas("angle to the class vector, degrees", "share of crops", height=3.4)
    edges = np.linspace(0, 180, len(tables.angles(OWN)[0][1]) + 1)
    top = 0.0
    for kind, colour in ((OWN, MATED), (OTHER, NON_MATED)):
        (_, first), (_, last) = tables.angles(kind)[0], tables.angles(kind)[-1]
        axes.stairs(first / first.sum(), edges, color=colour, linewidth=1.2, linestyle=":")
        axes.stairs(last / last.sum(), edges, fill=True, color=colour, alpha=0.32)
        axes.stairs(last / last.sum(), edges, color=colour, linewidth=1.4, label=kind)
        top = max(top, (first / first.sum()).max(), (last / last.sum()).max())
    axes.set(xlim=(0, 120), ylim=(0, 1.1 * top), xticks=range(0, 121, 30))
    percent_scale(axes, "y")
    _legend(axes, 2)
    return figure


def target_logit_figure(curves: Sequence[Curve]) -> Figure:
    """What each stage's loss takes for the logit of the own class, over the angle; dashed, the logit without margin."""
    figure, axes = canvas("angle to the own class vector, degrees", "logit of the own class", height=3.4)
    for colour, curve in zip(SERIES * 4, curves, strict=False):
        axes.plot(curve.degrees, curve.plain, color=colour, linewidth=1.2, dashes=(4, 2))
        axes.plot(curve.degrees, curve.logit, color=colour, linewidth=1.7, label=curve.stage)
    axes.set(xlim=(0, 180), xticks=range(0, 181, 30))
    _legend(axes, len(curves))
    return figure


def scatter_figure(embeddings: NDArray[np.float32], labels: NDArray[np.int64]) -> Figure:
    """Embeddings of two or three numbers as points, coloured by person.

    Args:
        embeddings: (N, 2) or (N, 3) raw.
        labels: (N,) whose each is.
    """
    figure = Figure(figsize=(5.2, 5.2), layout="constrained")
    solid = embeddings.shape[1] == 3
    axes = figure.add_subplot(projection="3d" if solid else None)
    for place, label in enumerate(np.unique(labels)):
        axes.scatter(
            *embeddings[labels == label].T,
            sizes=[9],
            color=SERIES[place % len(SERIES)],
            marker="o^sDvP"[place // len(SERIES) % 6],
            linewidths=0,
            alpha=0.75,
        )
    axes.grid(color=SOFT, alpha=0.22, linewidth=0.6)
    axes.tick_params(colors=SOFT, labelsize=10.5)
    if not solid:
        axes.set_aspect("equal")
        axes.spines[["right", "top"]].set_visible(False)
    return figure


def moving_mean(values: Column) -> Column:
    """The mean around each value, over a fiftieth of them on each side; NaN where there is none."""
    reach = max(1, len(values) // _SMOOTHED)
    around = np.ones(2 * reach + 1)
    known = ~np.isnan(values)
    total = np.convolve(np.where(known, values, 0), around, "full")[reach : reach + len(values)]
    count = np.convolve(known.astype(float), around, "full")[reach : reach + len(values)]
    return np.where(known, total / np.maximum(count, 1), np.nan)


def _over_steps(tables: RunTables, up: str, height: float = 3.4) -> tuple[Figure, Axes]:
    figure, axes = canvas("step", up, height)
    axes.set_xlim(0, max(end for _, end in tables.stages))
    for _, end in tables.stages[:-1]:
        axes.axvline(end, color=SOFT, linewidth=1, dashes=(2, 2))
    return figure, axes


def _draw(axes: Axes, step: Column, values: Column, colour: str, words: str) -> None:
    """What each validation came to."""
    axes.plot(step, values, ".-", color=colour, linewidth=1.7, label=words)


def _finish_shares(axes: Axes) -> None:
    axes.set_ylim(top=1.01)
    percent_scale(axes, "y")
    _legend(axes, 2)


def _legend(axes: Axes, entries: int) -> None:
    if entries > 1:
        axes.legend(frameon=False, fontsize=10)
