from dataclasses import asdict, fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.synthesis import Nuisances, Population
from mien.synthesis.layout import CANVAS


def test_none_draws_nothing() -> None:
    drawn = Nuisances.none().draw(np.random.default_rng(0))
    plain = asdict(drawn)
    assert plain["pose"] == {"yaw": 0, "pitch": 0, "roll": 0, "zoom": 1, "shift": (0, 0)}
    assert (drawn.light, drawn.exposure, drawn.blur, drawn.noise, drawn.shrink, drawn.jpeg_quality) == (
        0,
        0,
        0,
        0,
        1,
        95,
    )
    assert not drawn.sunglasses
    assert not drawn.mask


@given(st.integers(0, 2**32))
def test_drawn_values_stay_within_the_limits(seed: int) -> None:
    hard = Nuisances.hard()
    drawn = hard.draw(np.random.default_rng(seed))
    assert abs(drawn.pose.yaw) <= hard.yaw
    assert abs(drawn.pose.pitch) <= hard.pitch
    assert max(map(abs, drawn.pose.shift)) <= hard.shift
    assert 0 <= drawn.light <= hard.light
    assert abs(drawn.exposure) <= hard.exposure
    assert hard.jpeg_quality <= drawn.jpeg_quality <= 95
    assert 1 <= drawn.shrink <= hard.shrink
    assert np.hypot(*drawn.light_from) == pytest.approx(1)


@pytest.mark.parametrize("name", [f.name for f in fields(Nuisances)])
def test_limits_are_checked(name: str) -> None:
    for value in (-1, 1000):
        with pytest.raises(ValueError, match=name):
            Nuisances(**{name: value})


def test_light_falls_from_where_it_comes() -> None:
    drawn = Nuisances(light=1).draw(np.random.default_rng(0))
    lit = replace(drawn, light=0.8, light_from=(-1.0, 0.0)).shading()[..., 0]
    middle = CANVAS // 2
    assert lit[90, middle - 40] > 1 > lit[90, middle + 40]
    assert lit.mean() == pytest.approx(1, abs=0.05)
    dark = replace(drawn, light=0.0).shading()
    assert np.allclose(dark, 1)


def _with(**changes: float) -> NDArray[np.float64]:
    plain = asdict(Nuisances.none())
    return Population().person(1).photo(0, nuisances=Nuisances(**{**plain, **changes})).pixels.astype(float)


def test_each_nuisance_changes_the_photo() -> None:
    plain = _with()
    for changes in (
        {"yaw": 20},
        {"light": 1},
        {"exposure": 2},
        {"tint": 0.3},
        {"blur": 4},
        {"noise": 20},
        {"shrink": 6},
    ):
        assert np.abs(_with(**changes) - plain).mean() > 0.5, changes


def test_sunglasses_hide_the_eyes_and_a_mask_the_mouth() -> None:
    plain = _with()
    truth = np.array(Population().person(1).photo(0, nuisances=Nuisances.none()).truth["landmarks"]).astype(int)
    glasses, mask = _with(sunglasses=1), _with(mask=1)
    for eye in truth[:2]:
        patch = (slice(eye[1] - 4, eye[1] + 5), slice(eye[0] - 4, eye[0] + 5))
        assert glasses[patch].mean() < 75
        assert np.abs(mask[patch] - plain[patch]).mean() < 12
    for corner in truth[3:]:
        patch = (slice(corner[1] - 4, corner[1] + 5), slice(corner[0] - 4, corner[0] + 5))
        assert mask[patch].std(axis=(0, 1)).mean() < 15
        assert np.abs(glasses[patch] - plain[patch]).mean() < 12
