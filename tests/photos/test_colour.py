import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image

from bad_files import encode, picture
from mien.photos import Photo
from mien.photos.colour import to_rgb

IMAGE = picture(40, 30)
WHITE = "its transparent parts were laid over white"


def rgb(image: Image.Image) -> NDArray[np.uint8]:
    converted, _ = to_rgb(image)
    assert converted.mode == "RGB"
    return np.asarray(converted)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"])
def test_opaque_modes_are_what_pillow_makes_of_them(mode: str) -> None:
    image = Image.merge("LAB", IMAGE.split()) if mode == "LAB" else IMAGE.convert(mode)
    assert np.array_equal(rgb(image), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("mode", ["LA", "RGBA", "La", "RGBa", "PA"])
def test_alpha_goes_over_white(mode: str) -> None:
    image = Image.new("RGBA", (256, 1))
    image.putdata([(50, 50, 50, alpha) for alpha in range(256)])
    image = image.convert({"La": "LA", "PA": "LA", "RGBa": "RGBA"}.get(mode, mode))
    if mode == "PA":
        image.putpalette([level for level in range(256) for _ in "rgb"])
    else:
        image = image.convert(mode)
    assert image.mode == mode
    alpha = np.arange(256)
    expected = np.rint((50 * alpha + 255 * (255 - alpha)) / 255)
    # A premultiplied pixel keeps its colour to one step of its alpha only.
    assert np.abs(rgb(image)[0, :, 1] - expected).max() <= (2 if mode in ("La", "RGBa") else 1)
    assert to_rgb(image)[1] == (WHITE,)


def test_opaque_alpha_is_not_noted() -> None:
    image, notes = to_rgb(IMAGE.convert("RGBA"))
    assert np.array_equal(np.asarray(image), np.asarray(IMAGE))
    assert notes == ()


def test_a_transparent_colour() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putdata([0, 1])
    assert Photo.open(encode(image, "PNG", transparency=1)).pixels.tolist() == [[[10, 20, 30], [255, 255, 255]]]
    assert Photo.open(encode(image, "GIF", transparency=0)).pixels.tolist() == [[[255, 255, 255], [40, 50, 60]]]
    colour = Image.new("RGB", (2, 1), (1, 2, 3))
    colour.putpixel((0, 0), (4, 5, 6))
    assert Photo.open(encode(colour, "PNG", transparency=(4, 5, 6))).pixels.tolist() == [[[255] * 3, [1, 2, 3]]]


def test_palette_with_partly_transparent_entries() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([0, 0, 0, 200, 200, 200])
    image.putdata([0, 1])
    assert Photo.open(encode(image, "PNG", transparency=bytes([51, 255]))).pixels.tolist() == [[[204] * 3, [200] * 3]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_16_bit_grey_is_scaled_by_257_not_clipped(kind: str) -> None:
    values = np.array([[0, 128, 129, 257, 32768, 65406, 65407, 65535]], np.uint16)
    photo = Photo.open(encode(Image.fromarray(values), kind))
    assert photo.pixels[0, :, 0].tolist() == np.rint(values[0] / 257).astype(int).tolist()
    assert photo.pixels[0, :, 0].max() == 255


def test_dark_16_bit_grey_stays_dark() -> None:
    dark = np.full((2, 2), 200, np.uint16)
    for kind in ("PNG", "TIFF", "PPM"):
        assert Photo.open(encode(Image.fromarray(dark), kind)).pixels.max() == 1


def test_big_endian_16_bit() -> None:
    image = Image.frombytes("I;16B", (2, 1), b"\xff\xff\x01\x01")
    assert rgb(image)[0, :, 0].tolist() == [255, 1]


def test_16_bit_colour_from_png() -> None:
    import cv2

    values = np.zeros((1, 2, 3), np.uint16)
    values[0, 1] = (65535, 32768, 257)  # BGR
    _, file = cv2.imencode(".png", values)
    assert Photo.open(file.tobytes()).pixels.tolist() == [[[0, 0, 0], [1, 128, 255]]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 7, 255], [0, 7, 255]),
        ([0, 257, 65535], [0, 1, 255]),
        ([-100, 0, 100], [0, 128, 255]),
        ([0, 500_000, 1_000_000], [0, 128, 255]),
        ([-(2**31), 0, 2**31 - 1], [0, 128, 255]),
    ],
)
def test_32_bit_integers(values: list[int], expected: list[int]) -> None:
    image = Image.fromarray(np.array([values], np.int32))
    assert rgb(image)[0, :, 0].tolist() == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.25, 0.25, 0.5], [64, 64, 128]),  # within 0…1: not stretched
        ([-1.0, 0.0, 3.0], [0, 64, 255]),
        ([0.0, 127.5, 255.0], [0, 128, 255]),
        ([np.nan, 0.5, 1.0], [0, 128, 255]),
        ([-np.inf, 0.0, 1.0], [0, 0, 255]),
        ([10.0, 20.0, np.inf], [0, 255, 255]),
        ([np.nan, np.nan, np.nan], [0, 0, 0]),
        ([7.0, 7.0, 7.0], [0, 0, 0]),
        ([-3.4e38, 0.0, 3.4e38], [0, 128, 255]),
    ],
)
def test_floats(values: list[float], expected: list[int]) -> None:
    image = Image.fromarray(np.array([values], np.float32))
    assert rgb(image)[0, :, 0].tolist() == expected
    assert Photo.open(encode(image, "TIFF")).pixels[0, :, 0].tolist() == expected


@given(hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=5), elements=st.floats(width=32)))
def test_floats_keep_their_order(values: NDArray[np.float32]) -> None:
    grey = rgb(Image.fromarray(values))[..., 0].ravel()
    finite = np.isfinite(values.ravel())
    order = np.argsort(values.ravel()[finite])
    assert np.all(np.diff(grey[finite][order].astype(int)) >= 0)


def test_adobes_inverted_cmyk() -> None:
    cmyk = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # no cyan, all magenta and yellow: red
    file = encode(cmyk, "JPEG", quality=100)
    assert b"Adobe" in file
    assert np.abs(Photo.open(file).pixels.astype(int) - (255, 0, 0)).max() <= 2


def test_lossless_grey_is_three_equal_channels() -> None:
    grey = np.asarray(IMAGE.convert("L"))
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "PNG")
    pixels = Photo.open(buffer.getvalue()).pixels
    assert all(np.array_equal(pixels[..., channel], grey) for channel in range(3))
