"""Each change against another implementation of the same."""

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageEnhance
from scipy import ndimage

from mien.faces import TEMPLATES
from mien.synthesis import Population
from mien.training.data.augmentation import (
    Affine,
    Blur,
    Colour,
    Crop,
    CutOut,
    Flip,
    Grey,
    Jpeg,
    LowResolution,
    Mask,
    Shift,
    Sunglasses,
)

Bytes = NDArray[np.uint8]
LANDMARKS = TEMPLATES["arcface-112"][1].astype(np.float32)


@pytest.fixture(scope="module")
def picture() -> Bytes:
    """A face, roughly in the template's place: of 160 pixels, the middle 112."""
    return np.ascontiguousarray(Population(0).person(0).photo(0, size=160).pixels[24:136, 24:136])


def draws(*numbers: float) -> NDArray[np.float32]:
    return np.array(numbers, np.float32)


def difference(one: Bytes, other: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(np.abs(one.astype(np.float64) - other), np.float64)


def differs(one: Bytes, other: Bytes) -> NDArray[np.bool_]:
    """Which pixels are not the same, (S, S)."""
    return np.asarray((one != other).max(axis=2))


def blob(at: NDArray[np.float32], side: int = 112) -> Bytes:
    """A picture with one soft bright spot."""
    y, x = np.mgrid[:side, :side]
    spot = 255 * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 18)
    return np.repeat(spot.astype(np.uint8)[..., None], 3, axis=2)


def centre(picture: Bytes) -> NDArray[np.float64]:
    """Where a picture's one spot lies, x and y."""
    y, x = ndimage.center_of_mass(picture[..., 0].astype(np.float64))
    return np.array([x, y])


@pytest.mark.parametrize("landmark", range(5))
@pytest.mark.parametrize(
    ("change", "numbers"),
    [
        (Flip(), draws()),
        (Shift(pixels=6), draws(0.1, 0.8)),
        (Affine(degrees=20, scale=(0.8, 1.2), pixels=5), draws(0.9, 0.2, 0.7, 0.3)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_landmarks_go_where_the_picture_goes(change: Any, numbers: NDArray[np.float32], landmark: int) -> None:
    changed, moved = change.change(blob(LANDMARKS[landmark]), LANDMARKS, numbers)
    number = (1, 0, 2, 4, 3)[landmark] if isinstance(change, Flip) else landmark
    assert moved.dtype == np.float32
    assert not np.allclose(moved, LANDMARKS, atol=1)
    assert np.allclose(centre(changed), moved[number], atol=0.15)


def test_two_mirrors_show_the_same(picture: Bytes) -> None:
    once, mirrored = Flip().change(picture.copy(), LANDMARKS, draws())
    assert np.array_equal(once, picture[:, ::-1])
    twice, landmarks = Flip().change(once, mirrored, draws())
    assert np.array_equal(twice, picture)
    assert np.allclose(landmarks, LANDMARKS, atol=1e-5)


def test_a_shift_takes_every_distance_alike_and_repeats_the_edge(picture: Bytes) -> None:
    ways = []
    for number in np.arange(0.01, 1, 0.02):
        changed, moved = Shift(pixels=2).change(picture.copy(), LANDMARKS, draws(number, 0.5))
        way = round(float(moved[0, 0] - LANDMARKS[0, 0]))
        assert np.array_equal(changed, ndimage.shift(picture, (0, way, 0), order=0, mode="nearest"))
        ways.append(way)
    assert {way: ways.count(way) for way in set(ways)} == dict.fromkeys([-2, -1, 0, 1, 2], 10)


def test_an_affine_change_against_scipy(picture: Bytes) -> None:
    changed, _ = Affine(degrees=30, scale=(0.8, 1.2), pixels=4).change(picture, LANDMARKS, draws(0.2, 0.9, 0.1, 0.6))
    angle, scale, way = np.deg2rad(-18), 1.16, np.array([0.8, -3.2])  # rows, columns
    inverse = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / scale
    middle = np.full(2, 55.5)
    expected = np.stack(
        [
            ndimage.affine_transform(
                picture[..., channel].astype(np.float64), inverse, middle - inverse @ (middle + way), order=1,
                mode="nearest",
            )
            for channel in range(3)
        ],
        axis=2,
    )  # fmt: skip
    assert difference(changed, expected).mean() < 1
    assert difference(changed, expected).max() < 12  # OpenCV interpolates at 32nds of a pixel
    assert difference(picture, expected).mean() > 5


def test_a_crop_keeps_what_it_keeps_in_place(picture: Bytes) -> None:
    shares = []
    for number in np.linspace(0, 0.999, 12):
        bright = np.maximum(picture, 1)
        changed, landmarks = Crop(area=(0.3, 0.7)).change(bright.copy(), LANDMARKS, draws(number, 0.4, 0.9, 0.1))
        kept = np.asarray(changed.max(axis=2) > 0)
        assert np.array_equal(changed[kept], bright[kept])
        assert np.array_equal(kept, np.outer(kept.any(axis=1), kept.any(axis=0)))
        assert np.array_equal(landmarks, LANDMARKS)
        shares.append(kept.mean())
    assert shares[0] == pytest.approx(0.3, abs=0.01)
    assert shares[-1] == pytest.approx(0.7, abs=0.01)
    assert shares == sorted(shares)


def test_a_cut_out_is_a_rectangle_of_one_colour(picture: Bytes) -> None:
    numbers = draws(0.5, 0.999, 0.999, 0.0, 0.25, 0.5, 0.75)
    changed, _ = CutOut(area=(0.1, 0.2), aspect=(0.5, 2)).change(picture.copy(), LANDMARKS, numbers)
    covered = differs(changed, picture)
    assert covered.mean() == pytest.approx(0.15, abs=0.01)
    assert covered[0].any()
    assert covered[:, -1].any()
    rows, columns = covered.any(axis=1).sum(), covered.any(axis=0).sum()
    assert columns / rows == pytest.approx(2, abs=0.05)
    assert (changed[covered] == [64, 128, 192]).all()


@pytest.mark.parametrize(
    "numbers", [(0.0, 0.5, 0.5), (0.5, 0.1, 0.5), (0.5, 0.5, 0.0), (0.2, 0.9, 0.3), (0.7, 0.3, 0.8)]
)
def test_colour_against_pillow(picture: Bytes, numbers: tuple[float, float, float]) -> None:
    dull = (picture * 0.5 + 60).astype(np.uint8)  # nothing to clip
    changed, _ = Colour(brightness=0.4, contrast=0.3, saturation=0.6).change(dull, LANDMARKS, draws(*numbers))
    brightness, contrast, saturation = 1 + (2 * np.array(numbers) - 1) * [0.4, 0.3, 0.6]
    expected = ImageEnhance.Color(Image.fromarray(dull)).enhance(saturation)
    expected = ImageEnhance.Brightness(expected).enhance(brightness)
    expected = ImageEnhance.Contrast(expected).enhance(contrast)
    assert difference(changed, np.asarray(expected)).max() <= 3
    assert difference(changed, dull).max() > 3


def test_grey_against_pillow(picture: Bytes) -> None:
    changed, _ = Grey().change(picture, LANDMARKS, draws())
    assert (changed == changed[..., :1]).all()
    assert difference(changed[..., 0], np.asarray(Image.fromarray(picture).convert("L"))).max() <= 1


@pytest.mark.parametrize(("number", "sigma"), [(0.0, 0.5), (0.5, 1.75), (1.0, 3.0)])
def test_blur_against_scipy(picture: Bytes, number: float, sigma: float) -> None:
    changed, _ = Blur(sigma=(0.5, 3)).change(picture, LANDMARKS, draws(number))
    expected = ndimage.gaussian_filter(picture.astype(np.float64), (sigma, sigma, 0), mode="mirror")
    assert difference(changed, expected).max() < 2.5


@pytest.mark.parametrize(("number", "side"), [(0.0, 16), (0.3, 28), (1.0, 56)])
def test_low_resolution_against_pillow(picture: Bytes, number: float, side: int) -> None:
    changed, _ = LowResolution(side=(16, 56)).change(picture, LANDMARKS, draws(number, 0.2))
    small = Image.fromarray(picture).resize((side, side), Image.Resampling.BOX)
    expected = np.asarray(small.resize((112, 112), Image.Resampling.BILINEAR))
    assert difference(changed, expected).max() <= 2
    cubic, _ = LowResolution(side=(16, 56)).change(picture, LANDMARKS, draws(number, 0.8))
    assert 2 < difference(cubic, changed).max() < 60


@pytest.mark.parametrize(("number", "quality"), [(0.0, 20), (0.5, 60), (0.9999, 99)])
def test_jpeg_against_pillow(picture: Bytes, number: float, quality: int) -> None:
    changed, _ = Jpeg(quality=(20, 99)).change(picture, LANDMARKS, draws(number))
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality, subsampling=2)
    assert difference(changed, np.asarray(Image.open(file))).mean() < 0.3
    other = io.BytesIO()
    Image.fromarray(picture).save(other, "JPEG", quality=quality - 15, subsampling=2)
    assert difference(changed, np.asarray(Image.open(other))).mean() > 0.4


def test_sunglasses_lie_on_the_eyes(picture: Bytes) -> None:
    light = np.full_like(picture, 200)
    changed, landmarks = Sunglasses().change(light.copy(), LANDMARKS, np.full(8, 0.5, np.float32))
    covered = differs(changed, light)
    for eye in LANDMARKS[:2].round().astype(int):
        patch = (slice(eye[1] - 5, eye[1] + 6), slice(eye[0] - 5, eye[0] + 6))
        assert covered[patch].all()
        assert changed[patch].mean() < 90
    assert not covered[LANDMARKS[2, 1].round().astype(int) + 4 :].any()
    assert np.array_equal(landmarks, LANDMARKS)


def test_a_mask_lies_on_mouth_and_chin(picture: Bytes) -> None:
    changed, landmarks = Mask().change(picture.copy(), LANDMARKS, np.full(7, 0.5, np.float32))
    covered = differs(changed, picture)
    for corner in LANDMARKS[3:].round().astype(int):
        assert covered[corner[1] - 5 : corner[1] + 6, corner[0] - 5 : corner[0] + 6].mean() > 0.97
    assert covered[104:, 50:60].mean() > 0.97
    assert not covered[: int(LANDMARKS[:2, 1].max()) + 4].any()
    assert np.array_equal(landmarks, LANDMARKS)


def test_a_mask_is_as_bright_as_the_face_it_lies_on(picture: Bytes) -> None:
    numbers = draws(0.5, 0.5, 0.5, 0.2, 0.5, 0.9, 0.5)  # white
    mouth = (slice(88, 96), slice(48, 64))
    bright, _ = Mask().change(picture.copy(), LANDMARKS, numbers)
    dark, _ = Mask().change(picture // 3, LANDMARKS, numbers)
    assert dark[mouth].mean() < 0.7 * bright[mouth].mean()


@pytest.mark.parametrize("change", [Sunglasses(), Mask()], ids=["sunglasses", "mask"])
def test_what_is_worn_moves_with_the_face(change: Any, picture: Bytes) -> None:
    light = np.full((112, 112, 3), 220, np.uint8)
    numbers = np.full(change.draws, 0.3, np.float32)
    small = (LANDMARKS - 56) * np.float32(0.5) + 56
    there, _ = change.change(light.copy(), small, numbers)
    moved, _ = change.change(light.copy(), small + np.array([7, -9], np.float32), numbers)
    covered, also = differs(there, light), differs(moved, light)
    assert 200 < covered.sum() < 4000
    assert (covered != np.roll(also, (9, -7), (0, 1))).sum() < 12


@pytest.mark.parametrize("change", [Sunglasses(), Mask()], ids=["sunglasses", "mask"])
@pytest.mark.parametrize("landmarks", [np.zeros((5, 2)), LANDMARKS + 1e7, LANDMARKS * 0.01, LANDMARKS * [0, 1]])
def test_landmarks_that_make_no_face_do_no_harm(change: Any, landmarks: NDArray[Any], picture: Bytes) -> None:
    changed, _ = change.change(picture.copy(), landmarks.astype(np.float32), np.full(change.draws, 0.3, np.float32))
    assert changed.shape == picture.shape
    assert differs(changed, picture).mean() < 0.5
