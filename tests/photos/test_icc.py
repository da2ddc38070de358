"""Colour profiles, made by hand (ICC.1:2001-04) so that what a conversion must give can be computed."""

import struct
from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from bad_files import encode, picture
from mien.photos import Photo
from mien.photos.colour import ICC_IGNORED

IMAGE = picture(40, 30)
D50 = (0.9642, 1.0, 0.8249)


def _rgb_to_xyz(primaries: tuple[tuple[float, float], ...]) -> NDArray[np.float64]:
    """Linear RGB of a D65 white to XYZ of D50, by Bradford's adaptation; columns are red, green, blue."""
    columns = np.array([(x / y, 1.0, (1 - x - y) / y) for x, y in primaries]).T
    x, y = 0.3127, 0.3290
    white = np.array((x / y, 1.0, (1 - x - y) / y))
    to_xyz = columns * np.linalg.solve(columns, white)
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    adapt = np.linalg.inv(bradford) @ np.diag((bradford @ D50) / (bradford @ white)) @ bradford
    return np.asarray(adapt @ to_xyz)


SRGB = _rgb_to_xyz(((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)))
DISPLAY_P3 = _rgb_to_xyz(((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)))


def rgb_profile(to_xyz: NDArray[np.float64], gamma: float) -> bytes:
    """A matrix and gamma profile; the columns are the D50-adapted XYZ of red, green and blue."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    tags = {b"desc": _description("wide"), b"cprt": b"text" + bytes(4) + b"none\0", b"wtpt": _xyz(D50)}
    for letter, column in zip("rgb", to_xyz.T, strict=True):
        tags[f"{letter}XYZ".encode()] = _xyz(column)
        tags[f"{letter}TRC".encode()] = curve
    return _profile(b"RGB ", tags)


def grey_profile(gamma: float) -> bytes:
    """A grey profile with a gamma curve."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    return _profile(
        b"GRAY",
        {b"desc": _description("grey"), b"cprt": b"text" + bytes(4) + b"none\0", b"wtpt": _xyz(D50), b"kTRC": curve},
    )


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    at = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", at + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = struct.pack(">I4sI4s4s4s", at + len(body), bytes(4), 0x02400000, b"mntr", space, b"XYZ ")
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    header += struct.pack(">3i", *(round(v * 65536) for v in D50))
    return header + bytes(128 - len(header)) + table + body


def _xyz(values: Iterable[float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(v * 65536) for v in values))


def _description(text: str) -> bytes:
    ascii_ = text.encode() + b"\0"
    return b"desc" + bytes(4) + struct.pack(">I", len(ascii_)) + ascii_ + bytes(4 + 4 + 2 + 1 + 67)


def test_wide_gamut_is_converted_to_srgb() -> None:
    gamma = 2.19921875
    profile = rgb_profile(DISPLAY_P3, gamma)
    colours = np.array([[[200, 60, 60], [90, 160, 70], [128, 128, 128], [255, 255, 255], [60, 60, 190]]], np.uint8)
    expected = _to_srgb(DISPLAY_P3, (colours / 255) ** gamma)
    assert np.abs(expected - colours).max() > 10  # else the test would say nothing
    for kind in ("PNG", "TIFF"):
        pixels = Photo.open(encode(Image.fromarray(colours), kind, icc_profile=profile)).pixels
        assert np.abs(pixels.astype(int) - expected).max() <= 1


def test_a_profile_keeps_alpha() -> None:
    profile = rgb_profile(DISPLAY_P3, 2.2)
    image = Image.new("RGBA", (2, 1), (200, 60, 60, 0))
    image.putpixel((1, 0), (200, 60, 60, 255))
    photo = Photo.open(encode(image, "PNG", icc_profile=profile))
    assert photo.pixels[0, 0].tolist() == [255, 255, 255]
    assert photo.pixels[0, 1, 0] > 210  # redder than red in sRGB
    assert photo.notes == ("its transparent parts were laid over white",)


def test_linear_grey_is_converted_to_srgb() -> None:
    grey = np.array([[0, 20, 55, 128, 200, 255]], np.uint8)
    pixels = Photo.open(encode(Image.fromarray(grey), "PNG", icc_profile=grey_profile(1.0))).pixels
    assert np.abs(pixels[..., 0].astype(int) - np.rint(255 * _encode_srgb(grey / 255))).max() <= 1


def test_srgb_is_left_alone() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = Photo.open(encode(IMAGE, "PNG", icc_profile=profile))
    assert np.array_equal(photo.pixels, np.asarray(IMAGE))
    assert photo.notes == ()


@pytest.mark.parametrize("profile", [b"not a profile", bytes(200), grey_profile(2.2)[:150], grey_profile(2.2)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_useless_profile_is_ignored_with_a_note(profile: bytes, kind: str) -> None:
    plain, tagged = encode(IMAGE, kind), encode(IMAGE, kind, icc_profile=profile)
    photo = Photo.open(tagged)
    assert np.array_equal(photo.pixels, Photo.open(plain).pixels)
    assert photo.notes == (ICC_IGNORED,)


def _to_srgb(to_xyz: NDArray[np.float64], linear: NDArray[np.float64]) -> NDArray[np.float64]:
    from_xyz = np.linalg.inv(SRGB)
    return np.rint(255 * _encode_srgb(np.clip(linear @ (from_xyz @ to_xyz).T, 0, 1)))


def _encode_srgb(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """IEC 61966-2-1."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)
