"""What every figure of a report has in common: size, colours, scales in percent, and no more points than show."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray
from scipy import stats

from mien.evaluation.measures.error_rates import FEWEST_ERRORS
from mien.evaluation.reports.page import SERIES, SOFT, ink

DASHES: tuple[tuple[float, ...], ...] = ((), (5, 1.6), (1.4, 1.4), (6, 1.6, 1.4, 1.6))
_AROUND = ((-0.03, -0.03), (1.03, 1.03))  # what lies outside is drawn there, out of sight: a rate of 0, say
_LETTER = 0.022  # of an axis: what a letter of a tick's label takes
_SPACING = 1 / 180  # of the axes: closer points than these don't show; a monotone curve keeps at most 360


@dataclass(frozen=True)
class Line:
    """How one encoder is drawn, in every figure and in the legend.

    Args:
        name: What it is called.
        colour: As matplotlib takes it; the page replaces it by one that fits its background.
        dash: Lengths of dash and gap in line widths; () for a solid line.
    """

    name: str
    colour: str
    dash: tuple[float, ...]

    @property
    def css(self) -> str:
        """The same for a line of the page's legend."""
        return (
            f"stroke: {ink(self.colour)}; stroke-dasharray: {' '.join(f'{2 * part:g}' for part in self.dash) or 'none'}"
        )


def lines(names: Sequence[str]) -> list[Line]:
    """A line for each encoder. Colours and dashes both differ, so that they can be told apart in grey as well."""
    return [
        Line(name, SERIES[at % len(SERIES)], DASHES[(at + at // len(SERIES)) % len(DASHES)])
        for at, name in enumerate(names)
    ]


def canvas(across: str, up: str, height: float = 4.0) -> tuple[Figure, Axes]:
    """An empty figure, wide enough for half a page or a phone.

    Args:
        across: Name of the horizontal axis.
        up: Name of the vertical axis.
        height: In inches; the width is 5.2.
    """
    figure = Figure(figsize=(5.2, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["right", "top"]].set_visible(False)
    axes.spines[["left", "bottom"]].set(color=SOFT, linewidth=0.8)
    axes.tick_params(colors=SOFT, labelsize=10.5, length=3, width=0.8)
    axes.grid(color=SOFT, alpha=0.22, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel(across, fontsize=11)
    axes.set_ylabel(up, fontsize=11)
    return figure, axes


def draw(axes: Axes, line: Line, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    """A curve as `line` says; set scales and limits first, for they say how close two points are."""
    x, y = thinned(axes, x, y)
    (drawn,) = axes.plot(x, y, color=line.colour, linewidth=1.7, solid_joinstyle="round")
    if line.dash:
        drawn.set_dashes(line.dash)


def shade(axes: Axes, line: Line, x: Sequence[NDArray[np.float64]], y: Sequence[NDArray[np.float64]]) -> None:
    """The band between two curves (x[0], y[0]) and (x[1], y[1]), closed by right angles at both ends."""
    (one_x, one_y), (other_x, other_y) = (thinned(axes, *curve) for curve in zip(x, y, strict=True))
    around_x = [one_x[:1], one_x, other_x[-1:], other_x[::-1]]
    around_y = [other_y[:1], one_y, one_y[-1:], other_y[::-1]]
    axes.fill(np.concatenate(around_x), np.concatenate(around_y), color=line.colour, alpha=0.16, linewidth=0)


def stairs(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A curve that keeps y until the next x: what can be reached between two thresholds."""
    return np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]


def thinned(
    axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The points of a curve without those that lie on top of the last one kept; its ends and its jumps stay."""
    if len(x) < 3:
        return x, y
    (low_x, low_y), (high_x, high_y) = axes.transData.inverted().transform(axes.transAxes.transform(_AROUND))
    x, y = np.clip(x, low_x, high_x), np.clip(y, low_y, high_y)
    places = axes.transAxes.inverted().transform(axes.transData.transform(np.column_stack([x, y])))
    kept = [0]
    for at in range(1, len(places) - 1):
        moved = np.abs(places[at] - places[kept[-1]]).sum()
        ahead = np.abs(places[at + 1] - places[at]).sum()
        if moved >= _SPACING or (moved > 0 and ahead >= _SPACING):
            kept.append(at)
    kept.append(len(places) - 1)
    return x[kept], y[kept]


def one_in(*comparisons: int) -> float:
    """The smallest rate that the largest of these numbers of comparisons can show; a tenth at most."""
    return min(0.1, 1 / max(1, *comparisons))


def rare_scale(axes: Axes, axis: str, least: float, most: float = 1.0) -> None:
    """A logarithmic axis of rates in percent, in whole decades from below `least` to `most`."""
    decades = np.arange(int(np.floor(np.log10(least))), 1)
    getattr(axes, f"set_{axis}scale")("log")
    getattr(axes, f"set_{axis}lim")(10.0 ** decades[0], most)
    every = 2 if len(decades) > 7 else 1
    _ticks(axes, axis, (10.0 ** decades[::-1][::every]).tolist())


def probit_scale(axes: Axes, axis: str, least: float, most: float) -> None:
    """An axis of rates in percent on which a normal distribution's are evenly spaced."""
    getattr(axes, f"set_{axis}scale")(
        "function", functions=(lambda rate: stats.norm.ppf(np.clip(rate, 1e-12, 1 - 1e-12)), stats.norm.cdf)
    )
    getattr(axes, f"set_{axis}lim")(least, most)
    marks = [0.5, 0.2, 0.05, 0.01, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8]
    letter = _LETTER * (stats.norm.ppf(most) - stats.norm.ppf(least))
    kept: list[float] = []
    for mark in marks:
        room = letter * max(len(percent(mark)), 5)
        if least <= mark <= most and (not kept or stats.norm.ppf(kept[-1]) - stats.norm.ppf(mark) >= room):
            kept.append(mark)
    _ticks(axes, axis, kept)


def percent_scale(axes: Axes, axis: str) -> None:
    """Ticks of a linear axis in percent."""
    getattr(axes, f"{axis}axis").set_major_formatter(FuncFormatter(lambda rate, _: percent(rate)))


def percent(rate: float) -> str:
    """A rate at a tick: "10 %", "0.001 %"."""
    return f"{100 * rate:.10f}".rstrip("0").rstrip(".") + " %"


def shade_unsupported(axes: Axes, comparisons: Sequence[int]) -> None:
    """Mark the rates on the horizontal axis that stand on less than 30 errors (Doddington et al. 2000)."""
    low, high = axes.get_xlim()
    least = max(FEWEST_ERRORS / max(number, 1) for number in comparisons)
    axes.axvspan(low, min(max(least, low), high), color=SOFT, alpha=0.13, linewidth=0)


def filled_from(lowest: float) -> tuple[float, float]:
    """Limits of an axis of shares up to 100 % whose lowest that matters is `lowest`, so that a curve fills it."""
    start = next((start for start in (0.99, 0.98, 0.95, 0.9, 0.8, 0.5) if start <= lowest), 0.0)
    return start, 1 + 0.02 * (1 - start)


def _ticks(axes: Axes, axis: str, places: Sequence[float]) -> None:
    scale = getattr(axes, f"{axis}axis")
    scale.set_major_locator(FixedLocator(places))
    scale.set_minor_locator(NullLocator())
    scale.set_major_formatter(FuncFormatter(lambda rate, _: percent(rate)))
