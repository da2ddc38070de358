from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mien.evaluation.reports.figures.canvas import (
    canvas,
    filled_from,
    lines,
    one_in,
    percent,
    probit_scale,
    rare_scale,
    shade,
    shade_unsupported,
    stairs,
    thinned,
)

SPACING = 1 / 180


def unit_axes() -> Axes:
    axes = Figure().subplots()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    return axes


def rising(steps: list[float]) -> NDArray[np.float64]:
    curve = np.concatenate([[0], np.cumsum(steps)])
    return np.asarray(curve / max(curve[-1], 1e-9))


@given(st.integers(2, 800), st.integers(0, 2**32 - 1), st.sampled_from([0.02, 1.0, 50.0]))
def test_what_is_left_out_does_not_show(points: int, seed: int, evenness: float) -> None:
    rng = np.random.default_rng(seed)
    x, y = rising(rng.gamma(evenness, size=points).tolist()), rising(rng.gamma(evenness, size=points).tolist())
    axes = unit_axes()
    kept_x, kept_y = thinned(axes, x, y)
    assert (kept_x[0], kept_y[0], kept_x[-1], kept_y[-1]) == (x[0], y[0], x[-1], y[-1])
    assert set(zip(kept_x.tolist(), kept_y.tolist(), strict=True)) <= set(zip(x.tolist(), y.tolist(), strict=True))
    apart = np.abs(x[:, None] - kept_x) + np.abs(y[:, None] - kept_y)
    assert apart.min(axis=1).max() <= SPACING + 1e-9
    assert len(kept_x) <= 2 * 2 / SPACING + 2


def test_jumps_begin_and_end_where_they_are() -> None:
    x = np.array([0, 0.001, 0.002, 0.002, 0.9])
    y = np.array([0, 0.0, 0.0, 0.7, 0.7])
    kept_x, kept_y = thinned(unit_axes(), x, y)
    assert list(zip(kept_x, kept_y, strict=True))[-3:] == [(0.002, 0.0), (0.002, 0.7), (0.9, 0.7)]


def test_a_rate_of_zero_is_drawn_out_of_sight() -> None:
    axes = Figure().subplots()
    rare_scale(axes, "x", 1e-4)
    axes.set_ylim(0, 1)
    x, _ = thinned(axes, np.array([0.0, 1e-3, 1.0]), np.array([0.0, 0.5, 1.0]))
    assert 0 < x[0] < 1e-4


def test_stairs_keep_the_last_value() -> None:
    x, y = stairs(np.array([0.0, 0.1, 0.4]), np.array([0.5, 0.6, 0.9]))
    assert list(zip(x, y, strict=True)) == [(0.0, 0.5), (0.1, 0.5), (0.1, 0.6), (0.4, 0.6), (0.4, 0.9)]
    assert len(stairs(np.zeros(0), np.zeros(0))[0]) == 0


@pytest.mark.parametrize(
    ("rate", "words"), [(1.0, "100 %"), (0.1, "10 %"), (1e-4, "0.01 %"), (1e-8, "0.000001 %"), (0.9975, "99.75 %")]
)
def test_percent(rate: float, words: str) -> None:
    assert percent(rate) == words


@pytest.mark.parametrize("scale", [rare_scale, lambda axes, axis, least: probit_scale(axes, axis, least, 0.6)])
def test_ticks_lie_within_the_axis(scale: object) -> None:
    for least in (0.1, 3e-4, 1e-8):
        _, axes = canvas("across", "up")
        scale(axes, "x", least)  # type: ignore[operator]
        low, high = axes.get_xlim()
        ticks = axes.get_xticks()
        assert 0 < low <= least < high
        assert len(ticks)
        assert ((ticks >= low) & (ticks <= high)).all()


@pytest.mark.parametrize("least", [1e-8, 3e-6, 2e-4])
def test_the_words_of_a_probit_axis_do_not_touch(least: float) -> None:
    figure, axes = canvas("across", "up")
    probit_scale(axes, "x", least, 0.6)
    figure.draw_without_rendering()
    words = [label.get_window_extent() for label in axes.get_xticklabels()]
    assert len(words) >= 4
    assert all(one.x1 < other.x0 for one, other in pairwise(sorted(words, key=lambda extent: extent.x0)))


def test_bands_are_closed_by_right_angles() -> None:
    axes = unit_axes()
    (line,) = lines(["made-up"])
    shade(axes, line, (np.array([0.0, 0.5]), np.array([0.2, 1.0])), (np.array([0.6, 1.0]), np.array([0.0, 0.3])))
    corners = [(0.0, 0.0), (0.0, 0.6), (0.5, 1.0), (1.0, 1.0), (1.0, 0.3), (0.2, 0.0), (0.0, 0.0)]
    assert [tuple(corner) for corner in axes.patches[0].get_xy()] == corners  # type: ignore[attr-defined]


def test_a_probit_axis_makes_normal_deviates_even() -> None:
    _, axes = canvas("across", "up")
    probit_scale(axes, "x", 1e-4, 0.6)
    places = axes.transData.transform([(rate, 0.5) for rate in (0.00134990, 0.0227501, 0.158655, 0.5)])[:, 0]
    np.testing.assert_allclose(np.diff(places), np.diff(places)[0], rtol=1e-4)


def test_lines_differ_in_colour_or_dash_and_the_first_ones_in_both() -> None:
    many = lines([str(at) for at in range(24)])
    assert len({(line.colour, line.dash) for line in many}) == 24
    assert len({line.colour for line in many[:6]}) == 6
    assert len({line.dash for line in many[:4]}) == 4
    assert len({line.css for line in many}) == 24


def test_the_axis_of_shares_holds_what_matters() -> None:
    assert filled_from(0.991)[0] == 0.99
    assert filled_from(0.97)[0] == 0.95
    assert filled_from(0.1)[0] == 0
    assert filled_from(-3)[0] == 0
    assert all(filled_from(lowest)[1] > 1 for lowest in (0, 0.5, 1))


def test_the_unsupported_part_ends_at_thirty_errors() -> None:
    _, axes = canvas("across", "up")
    rare_scale(axes, "x", 1e-4)
    shade_unsupported(axes, [3000, 60000])
    assert axes.patches[-1].get_extents().transformed(axes.transData.inverted()).x1 == pytest.approx(0.01)
    assert one_in(3000, 0) == 1 / 3000
    assert one_in(0) == one_in(2) == 0.1
