"""Alignment against skimage-free references: a hand-written Umeyama, OpenCV's own aligner, and known pictures."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.faces import TEMPLATES, align, similarity_transforms

POINTS = TEMPLATES["arcface-112"][1]


def umeyama(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Umeyama (1991) by singular values, written independently of the complex-number form."""
    source_mean, target_mean = source.mean(0), target.mean(0)
    a, b = source - source_mean, target - target_mean
    u, d, vt = np.linalg.svd(b.T @ a)
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = u @ np.diag(sign) @ vt * (d * sign).sum() / (a**2).sum()
    return np.asarray(np.c_[rotation, target_mean - rotation @ source_mean])


@given(seed=st.integers(0, 10_000), noise=st.floats(0, 8))
def test_equals_umeyama(seed: int, noise: float) -> None:
    rng = np.random.default_rng(seed)
    angle, scale = rng.uniform(-np.pi, np.pi), rng.uniform(0.2, 9)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    landmarks = POINTS @ turn.T + rng.uniform(-50, 900, 2) + rng.normal(0, noise, (5, 2)) * scale
    np.testing.assert_allclose(similarity_transforms(landmarks[None], POINTS)[0], umeyama(landmarks, POINTS), atol=1e-8)


def test_landmarks_come_to_lie_on_the_template() -> None:
    landmarks = POINTS * 2.5 + [30, 40]
    matrix = similarity_transforms(landmarks[None], POINTS)[0]
    np.testing.assert_allclose(landmarks @ matrix[:, :2].T + matrix[:, 2], POINTS, atol=1e-9)


def test_coinciding_landmarks_give_a_black_crop_and_no_error() -> None:
    crop = align(np.full((50, 50, 3), 200, np.uint8), np.full((1, 5, 2), 20.0), "arcface-112")
    assert crop.shape == (1, 112, 112, 3)


def test_no_faces() -> None:
    assert align(np.zeros((50, 50, 3), np.uint8), np.zeros((0, 5, 2))).shape == (0, 112, 112, 3)


def test_far_outside_the_photo_is_black() -> None:
    assert not align(np.full((50, 50, 3), 200, np.uint8), (POINTS + 5000)[None]).any()
    assert not align(np.full((50, 50, 3), 200, np.uint8), (POINTS * 9 + 5000)[None]).any()


@pytest.mark.parametrize("scale", [0.5, 0.9, 1.0, 1.7])
def test_equals_opencv_warp(scale: float) -> None:
    rng = np.random.default_rng(1)
    pixels = cv2.GaussianBlur(rng.integers(0, 256, (300, 300, 3), np.uint8), (0, 0), 2).astype(np.uint8)
    landmarks = POINTS * scale + [20, 30]
    expected = cv2.warpAffine(pixels, umeyama(landmarks, POINTS), (112, 112), flags=cv2.INTER_LINEAR)
    assert np.abs(align(pixels, landmarks[None])[0].astype(int) - expected).max() <= 1


@pytest.mark.parametrize("scale", [2.0, 3.3, 7.9])
def test_large_faces_are_shrunk_without_aliasing_and_without_shift(scale: float) -> None:
    size = int(112 * scale) + 90
    x = np.mgrid[:size, :size][1].astype(np.float64)
    # A ramp tells the position of every pixel; stripes one pixel wide must average out to grey.
    ramp = np.repeat((255 * x / size)[..., None], 3, 2).astype(np.uint8)
    stripes = np.repeat(((x % 2) * 255)[..., None], 3, 2).astype(np.uint8)
    landmarks = POINTS * scale + [40, 40]
    matrix = umeyama(POINTS, landmarks)
    middle = np.array([56, 56]) @ matrix[:, :2].T + matrix[:, 2]
    assert align(ramp, landmarks[None])[0, 56, 56, 0] == pytest.approx(255 * middle[0] / size, abs=1.5)
    assert np.abs(align(stripes, landmarks[None])[0, 8:-8, 8:-8].astype(float) - 127.5).max() < 45 / int(scale) + 25
