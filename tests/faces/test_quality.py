"""Quality on pictures and poses that are known because the test made them."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from data import photos
from mien.faces import TEMPLATES, Detector, measure_quality
from mien.faces.quality import magnification, pose

HEAD = np.array([[-0.5, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, 0.571, 0.48], [-0.414, 1.154, 0.1], [0.414, 1.154, 0.1]])
FRONT = TEMPLATES["arcface-112"][1]


def seen(yaw: float, pitch: float, roll: float, size: float = 40.0) -> NDArray[np.float64]:
    """The head turned about the vertical, then nodded, then tilted in the picture: (1, 5, 2)."""
    a, b, c = np.radians([yaw, pitch, roll])
    turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    nod = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    tilt = np.array([[np.cos(c), -np.sin(c)], [np.sin(c), np.cos(c)]])
    return np.asarray((tilt @ (nod @ turn @ HEAD.T)[:2] * size).T[None] + [300, 200])


def textured() -> NDArray[np.uint8]:
    """Large soft shapes with fine detail on them, as in a face: (1, 112, 112, 3)."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((112, 112))
    shapes, detail = (cv2.GaussianBlur(noise, (0, 0), sigma) for sigma in (16.0, 1.0))
    grey = 120 + 30 * shapes / shapes.std() + 20 * detail / detail.std()
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[None, :, :, None], 3, axis=3)


@given(yaw=st.floats(-80, 80), roll=st.floats(-170, 170), size=st.floats(1, 500))
def test_yaw_and_roll_of_a_turned_head_come_back(yaw: float, roll: float, size: float) -> None:
    measured = pose(seen(yaw, 0, roll, size))
    np.testing.assert_allclose(np.ravel(measured), [yaw, 0, roll], atol=1e-6)


@given(pitch=st.floats(-60, 60), roll=st.floats(-170, 170))
def test_pitch_of_a_nodding_head_comes_back(pitch: float, roll: float) -> None:
    np.testing.assert_allclose(np.ravel(pose(seen(0, pitch, roll))), [0, pitch, roll], atol=1e-6)


def test_the_template_looks_straight_ahead() -> None:
    assert np.abs(np.ravel(pose(FRONT[None]))).max() < 3


def test_landmarks_that_coincide_have_no_angle() -> None:
    assert not np.ravel(pose(np.full((1, 5, 2), 7.0))).any()


def test_eye_distance_is_in_pixels_of_the_photo() -> None:
    assert measure_quality(textured(), seen(0, 0, 30, 24)).eye_distance[0] == pytest.approx(24)


def test_blur_lowers_sharpness_and_nothing_else_much() -> None:
    crop = textured()
    qualities = [
        measure_quality(np.asarray(cv2.GaussianBlur(crop[0], (0, 0), sigma), np.uint8)[None], FRONT[None])
        for sigma in (0.5, 1, 2, 4)
    ]
    sharpness = [float(quality.sharpness[0]) for quality in qualities]
    assert sharpness == sorted(sharpness, reverse=True)
    assert sharpness[0] > 10 * sharpness[-1] > 0
    assert np.ptp([quality.brightness[0] for quality in qualities]) < 0.01


def test_only_a_strong_blur_makes_a_face_blurred() -> None:
    crop = textured()
    strong = np.asarray(cv2.GaussianBlur(crop[0], (0, 0), 5), np.uint8)[None]
    assert not measure_quality(crop, FRONT[None]).blurred[0]
    assert measure_quality(strong, FRONT[None]).blurred[0]


def test_contrast_does_not_change_sharpness() -> None:
    full = measure_quality(textured(), FRONT[None])
    half = measure_quality((textured() // 2 + 60).astype(np.uint8), FRONT[None])
    assert half.sharpness[0] == pytest.approx(full.sharpness[0], rel=0.05)
    assert half.contrast[0] == pytest.approx(full.contrast[0] / 2, rel=0.05)


def test_brightness_and_contrast_of_known_greys() -> None:
    crop = np.zeros((1, 112, 112, 3), np.uint8)
    crop[:, :56] = 255
    quality = measure_quality(crop, FRONT[None])
    assert quality.brightness[0] == pytest.approx(0.5)
    assert quality.contrast[0] == pytest.approx(0.5)


def test_one_colour_has_no_detail() -> None:
    quality = measure_quality(np.full((1, 112, 112, 3), 90, np.uint8), FRONT[None])
    assert quality.sharpness[0] == quality.contrast[0] == 0


def test_no_faces() -> None:
    quality = measure_quality(np.zeros((0, 112, 112, 3), np.uint8), np.zeros((0, 5, 2)))
    assert len(quality) == 0
    assert quality.sharpness.shape == quality.yaw.shape == (0,)


@pytest.mark.parametrize(
    ("crops", "landmarks"),
    [
        (np.zeros((1, 112, 112, 3)), np.zeros((1, 5, 2))),
        (np.zeros((2, 112, 112, 3), np.uint8), np.zeros((1, 5, 2))),
        (np.zeros((1, 112, 112), np.uint8), np.zeros((1, 5, 2))),
    ],
)
def test_shapes_that_do_not_fit_are_a_mistake(crops: NDArray[np.uint8], landmarks: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="not of the same faces"):
        measure_quality(crops, landmarks)


@pytest.mark.photos
def test_profiles_are_turned_aside_and_frontal_photos_are_not() -> None:
    detector = Detector.open()
    turned = {}
    for view in ("frontal", "profile"):
        paths = [photos("cfp") / f"{person:03d}" / view / "01.jpg" for person in range(1, 9)]
        landmarks = np.stack([detector.detect(path).most_central().landmarks[0] for path in paths])
        turned[view] = float(np.median(np.abs(pose(landmarks)[0])))
    assert turned["frontal"] < 15
    assert turned["profile"] > 40


def test_a_small_face_is_blurred_however_sharp_its_crop_is() -> None:
    points = TEMPLATES["arcface-112"][1]
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    landmarks = np.stack([points, points / 2.9, points @ turn.T / 3.1 + 40, 0 * points])
    np.testing.assert_allclose(magnification(landmarks), [1, 2.9, 3.1, 0])
    noise = np.random.default_rng(0).integers(0, 256, (4, 112, 112, 3)).astype(np.uint8)
    assert measure_quality(noise, landmarks).blurred.tolist() == [False, False, True, False]
