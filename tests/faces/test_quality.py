"""Quality on pictures and poses that are known because the test made them."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from data import photos
from mien.faces import TEMPLATES, Detector, align, measure_quality
from mien.faces.quality import BLURRED, are_blurred, magnification, pose, sharpness_and_noise

HEAD = np.array([[-0.5, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, 0.571, 0.48], [-0.414, 1.154, 0.1], [0.414, 1.154, 0.1]])
FRONT = TEMPLATES["arcface-112"][1]


def seen(yaw: float, pitch: float, roll: float, size: float = 40.0) -> NDArray[np.float64]:
    """The head turned about the vertical, then nodded, then tilted in the picture: (1, 5, 2)."""
    a, b, c = np.radians([yaw, pitch, roll])
    turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    nod = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    tilt = np.array([[np.cos(c), -np.sin(c)], [np.sin(c), np.cos(c)]])
    return np.asarray((tilt @ (nod @ turn @ HEAD.T)[:2] * size).T[None] + [300, 200])


def noise(crops: NDArray[np.uint8]) -> NDArray[np.float64]:
    return sharpness_and_noise(crops)[1]


def textured() -> NDArray[np.uint8]:
    """Large soft shapes with fine detail on some of them, as in a face: (1, 112, 112, 3)."""
    rng = np.random.default_rng(0)
    chance = rng.standard_normal((112, 112))
    shapes, detail = (cv2.GaussianBlur(chance, (0, 0), sigma) for sigma in (16.0, 1.0))
    grey = 120 + 30 * shapes / shapes.std() + np.where(shapes > 0, 30 * detail / detail.std(), 0)
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
    assert quality.sharpness[0] == quality.noise[0] == quality.contrast[0] == 0


def test_no_faces() -> None:
    quality = measure_quality(np.zeros((0, 112, 112, 3), np.uint8), np.zeros((0, 5, 2)))
    assert len(quality) == 0
    assert quality.sharpness.shape == quality.noise.shape == quality.yaw.shape == (0,)


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
    crops = np.repeat(textured(), 4, axis=0)
    assert measure_quality(crops, landmarks).blurred.tolist() == [False, False, True, False]


def grainy(picture: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    """With the same noise in each channel: (1, H, W, 3)."""
    grain = np.random.default_rng(0).normal(0, sigma, picture.shape[:2])[..., None]
    return np.clip(np.rint(picture + grain), 0, 255).astype(np.uint8)[None]


def seen_with(eyes: float) -> NDArray[np.float64]:
    return FRONT[None] * eyes / float(np.linalg.norm(FRONT[0] - FRONT[1]))


@pytest.mark.parametrize("sigma", [4, 10, 20])
def test_noise_is_measured_where_there_is_nothing_else(sigma: float) -> None:
    """Averaged over two by two pixels it is half as strong, and by chance there are places with two thirds of that."""
    grey = np.full((112, 112, 3), 128, np.uint8)
    assert noise(grainy(grey, sigma))[0] == pytest.approx(sigma / 3, rel=0.1)
    assert noise(grey[None])[0] == 0


def test_edges_are_no_noise_and_shapes_hide_none() -> None:
    stripes = np.repeat(np.where(np.indices((112, 112))[1] // 8 % 2, 60, 190).astype(np.uint8)[..., None], 3, axis=2)
    plain = noise(grainy(np.full((112, 112, 3), 128, np.uint8), 12))[0]
    for picture in (stripes, cv2.GaussianBlur(textured()[0], (0, 0), 4).astype(np.uint8)):
        assert noise(picture[None])[0] < 0.5
        assert noise(grainy(picture, 12))[0] == pytest.approx(plain, rel=0.1)


@pytest.mark.parametrize(("eyes", "harmful"), [(32, 16), (20, 8), (12.5, 6)])
def test_noise_matters_the_more_the_smaller_a_face_is(eyes: float, harmful: float) -> None:
    """Such a face looks sharp."""
    side = round(112 * eyes / float(np.linalg.norm(FRONT[0] - FRONT[1])))
    small = cv2.resize(textured()[0], (side, side), interpolation=cv2.INTER_AREA).astype(np.uint8)
    blurred = {}
    for sigma in (0, harmful / 6, harmful):
        crop = cv2.resize(grainy(small, sigma)[0], (112, 112), interpolation=cv2.INTER_LINEAR)[None].astype(np.uint8)
        assert sharpness_and_noise(crop)[0][0] > BLURRED
        blurred[sigma] = bool(measure_quality(crop, seen_with(eyes)).blurred[0])
    assert blurred == {0: False, harmful / 6: False, harmful: True}


@given(st.floats(0, 10), st.floats(0, 3))
def test_a_face_with_less_noise_or_less_enlarged_is_no_more_refused(noise: float, enlarged: float) -> None:
    def refused(noise: float, enlarged: float) -> bool:
        return bool(are_blurred(np.array([0.1]), np.array([noise]), np.array([enlarged]))[0])

    assert refused(noise, enlarged) >= max(refused(noise / 2, enlarged), refused(noise, enlarged / 2))


def test_what_was_not_measured_refuses_no_face() -> None:
    """Of tables and photos from before it was."""
    unknown = np.array([np.nan])
    assert not are_blurred(unknown, unknown, np.ones(1))[0]
    assert are_blurred(np.array([0.001]), unknown, np.ones(1))[0]
    assert are_blurred(unknown, np.array([9.0]), np.ones(1))[0]
    assert not are_blurred(unknown, np.array([9.0]), np.zeros(1))[0]


@pytest.mark.photos
def test_noise_on_small_real_faces_is_noticed_and_the_faces_alone_are_not() -> None:
    detector, rng = Detector.open(), np.random.default_rng(0)
    refused = {0: 0, 12: 0}
    people = sorted(photos("lfw").iterdir())[:400:10]
    for person in people:
        found = detector.detect(min(person.glob("*.jpg"))).most_central()
        assert found.photo is not None
        scale = 16 / float(np.linalg.norm(found.landmarks[0, 0] - found.landmarks[0, 1]))
        small = cv2.resize(found.photo.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        for sigma in refused:
            picture = np.clip(small + rng.normal(0, sigma, small.shape), 0, 255).astype(np.uint8)
            landmarks = found.landmarks * scale
            refused[sigma] += int(
                are_blurred(np.ones(1), noise(align(picture, landmarks)), magnification(landmarks))[0]
            )
    assert refused[0] <= 1
    assert refused[12] >= len(people) - 1
