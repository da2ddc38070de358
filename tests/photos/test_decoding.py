"""Formats, orientation, truncated files, large JPEGs, threads."""

import io
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from bad_files import encode, picture
from mien.errors import MissingExtraError, PhotoError
from mien.photos import Photo
from mien.photos.decoding import shrink

IMAGE = picture()
RGB = np.asarray(IMAGE)
SEVERAL = "several pictures in one file: only the first is used"


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "tiff_deflate", "big_tiff": True}),
        ("PPM", {}),
        ("WEBP", {"lossless": True, "exact": True}),
    ],
)
def test_lossless_formats_to_the_bit(kind: str, options: dict[str, Any]) -> None:
    photo = Photo.open(encode(IMAGE, kind, **options))
    assert photo.format == kind
    assert (photo.width, photo.height) == (120, 90)
    assert np.array_equal(photo.pixels, RGB)
    assert photo.notes == ()


@pytest.mark.parametrize(("kind", "tolerance"), [("JPEG", 15), ("WEBP", 15), ("AVIF", 15), ("GIF", 25), ("MPO", 15)])
def test_lossy_formats_nearly(kind: str, tolerance: float) -> None:
    options: dict[str, Any] = {} if kind == "GIF" else {"quality": 95}
    photo = Photo.open(encode(IMAGE, kind, **options))
    assert photo.format == {"MPO": "JPEG"}.get(kind, kind)
    assert np.abs(photo.pixels.astype(int) - RGB).mean() < tolerance


def test_jpeg_is_what_pillow_makes_of_it() -> None:
    for options in ({}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}):
        file = encode(IMAGE, "JPEG", **options)
        assert np.array_equal(Photo.open(file).pixels, np.asarray(Image.open(io.BytesIO(file))))


def test_heic() -> None:
    photo = Photo.open(_heic())
    assert (photo.format, photo.width, photo.height) == ("HEIF", 120, 90)
    assert np.abs(photo.pixels.astype(int) - RGB).mean() < 15


def test_heic_without_the_extra_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    file = _heic()
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    with pytest.raises(MissingExtraError, match=r"mien\[heif\]"):
        Photo.open(file)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_first_of_several_pictures_is_used(kind: str) -> None:
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    file = encode(IMAGE, kind, save_all=True, append_images=[ImageOps.invert(IMAGE)] * 2, **options)
    photo = Photo.open(file)
    assert photo.notes == (SEVERAL,)
    assert np.abs(photo.pixels.astype(int) - RGB).mean() < 25


def test_the_first_picture_of_a_phones_mpo_is_used() -> None:
    file = encode(IMAGE, "MPO", save_all=True, append_images=[ImageOps.invert(IMAGE)])
    assert np.array_equal(Photo.open(file).pixels, np.asarray(Image.open(io.BytesIO(file))))


ORIENTED = {1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1]} | {
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}
"""What shows a picture upright that was stored with an orientation (Exif 3.0, 4.6.5.1)."""


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "LZW", "AVIF", "HEIF"])
def test_orientation(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    if kind == "HEIF":
        stored, file = Photo.open(_heic()).pixels, _heic(exif=exif.tobytes())
    else:
        options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
        options |= {"compression": "tiff_lzw"} if kind == "LZW" else {}
        kind = "TIFF" if kind == "LZW" else kind
        stored, file = Photo.open(encode(IMAGE, kind, **options)).pixels, encode(IMAGE, kind, exif=exif, **options)
    photo = Photo.open(file)
    expected = ORIENTED[orientation](stored)
    assert (photo.height, photo.width) == expected.shape[:2]
    assert np.array_equal(photo.pixels, expected)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_is_none_is_ignored(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(Photo.open(encode(IMAGE, "PNG", exif=exif)).pixels, RGB)


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0nonsense", b"Exif\0\0II*\0\xff\xff\xff\xff"])
def test_broken_exif_is_no_reason_to_refuse(exif: bytes) -> None:
    photo = Photo.open(encode(IMAGE, "JPEG", exif=exif))
    assert (photo.width, photo.height) == (120, 90)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "PPM"])
def test_what_there_is_of_a_truncated_picture(kind: str) -> None:
    options: dict[str, Any] = {"interlace": 0} if kind == "GIF" else {}
    file = encode(IMAGE, kind, **options)
    whole = Photo.open(file).pixels
    photo = Photo.open(file[: len(file) * 2 // 3], allow_truncated=True)
    assert photo.notes[0].startswith("truncated: the missing part is ")
    assert photo.pixels.shape == whole.shape
    there = slice(50, None) if kind == "BMP" else slice(40)  # BMP starts with the lowest row
    assert np.abs(photo.pixels[there].astype(int) - whole[there]).mean() < 1
    assert not np.array_equal(photo.pixels, whole)


def test_a_truncated_tiff_lies_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = encode(IMAGE, "TIFF", exif=exif)
    photo = Photo.open(file[: len(file) * 2 // 3], allow_truncated=True)
    assert photo.pixels.shape == (120, 90, 3)
    assert np.array_equal(photo.pixels[:, 60:], np.rot90(RGB, -1)[:, 60:])


@pytest.mark.parametrize("kind", ["WEBP", "AVIF"])
def test_formats_of_which_no_part_can_be_decoded(kind: str) -> None:
    file = encode(IMAGE, kind)
    with pytest.raises(PhotoError) as caught:
        Photo.open(file[: len(file) * 2 // 3], allow_truncated=True)
    assert caught.value.code == "photo.truncated"
    assert "allow_truncated" not in caught.value.hint


def test_a_whole_picture_may_be_opened_with_allow_truncated() -> None:
    for kind in ("JPEG", "PNG", "GIF", "WEBP"):
        assert Photo.open(encode(IMAGE, kind), allow_truncated=True).notes == ()


def test_the_limit_is_on_pixels_and_inclusive() -> None:
    file = encode(IMAGE, "JPEG")
    assert Photo.open(file, max_pixels=120 * 90).width == 120
    with pytest.raises(PhotoError, match="10,799") as caught:
        Photo.open(file, max_pixels=120 * 90 - 1)
    assert caught.value.code == "photo.too-large"


def test_a_bomb_is_known_without_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    file = encode(Image.new("L", (9000, 9000)), "PNG")
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", lambda _: pytest.fail("decoded"))
    with pytest.raises(PhotoError) as caught:
        Photo.open(file, max_pixels=10_000_000)
    assert caught.value.code == "photo.bomb"


def test_pillows_own_limit_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    for kind in ("JPEG", "PNG", "BMP", "PPM", "AVIF"):
        assert Photo.open(encode(IMAGE, kind)).pixels.shape == (90, 120, 3)


def test_where_pillow_holds_to_its_own_limit_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise Image.DecompressionBombError("too many")

    monkeypatch.setattr("PIL.TiffImagePlugin.TiffImageFile.load", refuse)
    for max_pixels, code in ((20_000, "photo.too-large"), (100_000_000, "photo.bomb")):
        with pytest.raises(PhotoError) as caught:
            Photo.open(encode(IMAGE, "TIFF"), max_pixels=max_pixels)
        assert caught.value.code == code


def test_many_threads_get_the_same_pixels_and_leave_no_filter_behind() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    files = [encode(IMAGE, kind, exif=exif) for kind in ("JPEG", "PNG", "WEBP", "TIFF")]
    files += [encode(IMAGE.quantize(8), "GIF"), encode(IMAGE, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x09\0\x12")]
    expected = [Photo.open(file).pixels for file in files]
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        for got, want in zip(pool.map(Photo.open, files * 30), expected * 30, strict=True):
            assert np.array_equal(got.pixels, want)
    assert warnings.filters == before


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 400))
def test_shrinking(width: int, height: int, max_side: int) -> None:
    pixels = np.full((height, width, 3), 77, np.uint8)
    small = shrink(pixels, max_side)
    assert max(small.shape[:2]) == min(max_side, max(width, height))
    assert min(small.shape[:2]) >= 1
    assert np.all(small == 77)
    assert abs(small.shape[1] * height - small.shape[0] * width) <= max(width, height) or min(small.shape[:2]) == 1


def test_shrinking_averages() -> None:
    checkers: NDArray[np.uint8] = np.indices((64, 64)).sum(0, dtype=np.uint8) % 2 * 200
    small = shrink(np.repeat(checkers[..., None], 3, axis=2), 16)
    assert np.all(small == 100)


def _heic(**options: object) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(IMAGE).save(buffer, quality=90, **options)
    return buffer.getvalue()
