import numpy as np
import pytest

from mien.synthesis.hair import Hair
from mien.synthesis.layout import CANVAS

SKIN = np.array([200, 150, 125], np.float32)


def _some(fullness: float, skin: np.ndarray[tuple[int], np.dtype[np.float32]] = SKIN) -> list[Hair]:
    return [Hair.draw(skin, fullness, np.random.default_rng(i)) for i in range(200)]


def test_full_hair_is_longer() -> None:
    assert np.mean([h.length for h in _some(2)]) > np.mean([h.length for h in _some(-2)]) + 0.2


def test_dark_skin_goes_with_dark_hair() -> None:
    dark, fair = (np.mean([h.colour.mean() for h in _some(0, SKIN * k)]) for k in (np.float32(0.5), np.float32(1)))
    assert dark < fair - 15


@pytest.mark.parametrize("seed", range(8))
def test_hair_covers_the_crown_and_leaves_the_face_free(seed: int) -> None:
    hair = Hair.draw(SKIN, 0.0, np.random.default_rng(seed))
    colour, before, behind, outline = hair.layers
    assert colour.shape == (CANVAS, CANVAS, 3)
    for layer in (before, behind):
        assert layer.shape == (CANVAS, CANVAS)
        assert 0 <= layer.min() <= layer.max() <= 1
    assert (before <= behind + 1e-6).all()
    assert (behind <= outline + 1e-6).all()
    assert before[24:32, 90:102].mean() > 0.6
    assert before[78:150, 70:122].max() == 0
    assert behind[:6].max() == behind[:, :6].max() == 0


@pytest.mark.parametrize("seed", range(8))
def test_trimming_only_takes_what_stands_out_of_the_hair(seed: int) -> None:
    hair = Hair.draw(SKIN, 0.0, np.random.default_rng(seed))
    trimmed = hair.trim(np.ones((CANVAS, CANVAS), np.float32))
    assert trimmed[:6].max() < 0.01
    assert (trimmed[90:] == 1).all()
    assert trimmed[60:90, 70:122].min() > 0.99
