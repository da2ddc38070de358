"""The value object: what it is opened from, what it keeps, and when it decodes."""

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import mien.photos
from bad_files import encode, picture
from mien.errors import PhotoError
from mien.photos import NAMELESS, Photo, PhotoFile, name_of
from mien.photos.colour import ICC_IGNORED

IMAGE = picture()
RGB = np.asarray(IMAGE)


@pytest.fixture(scope="module")
def large() -> bytes:
    """A JPEG of more than 4 million pixels that lies on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encode(picture(240, 180).resize((2400, 1800)), "JPEG", exif=exif, quality=90)


def test_front_door() -> None:
    assert mien.photos.__all__ == [
        "NAMELESS", "Photo", "PhotoFile", "PhotoSource", "find_people", "find_photos", "name_of", "save_picture",
        "saved_here",
    ]  # fmt: skip


def test_path_string_bytes_and_photo_are_the_same_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encode(IMAGE, "PNG"))
    photo = Photo.open(path)
    assert photo.source == str(path)
    assert Photo.open(photo) is photo
    for other in (Photo.open(str(path)), Photo.open(path.read_bytes())):
        assert np.array_equal(other.pixels, photo.pixels)
        assert other.sha256 == photo.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert Photo.open(path.read_bytes()).source == "<bytes>"


def test_a_file_that_was_read_is_the_same_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encode(IMAGE, "JPEG"))
    read, opened = PhotoFile.read(path), Photo.open(path)
    path.unlink()
    photo = Photo.open(read)
    assert (photo.source, photo.sha256, read.sha256) == (str(path), opened.sha256, opened.sha256)
    assert np.array_equal(photo.pixels, opened.pixels)
    assert repr(read) == f"PhotoFile(path={str(path)!r})"


def test_its_name_is_known_before_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encode(IMAGE, "PNG"))
    files: list[Any] = [path, str(path), PhotoFile.read(path), Photo.open(path)]
    nameless: list[Any] = [path.read_bytes(), RGB, IMAGE, Photo.open(IMAGE)]
    assert [name_of(source) for source in files] == [str(path)] * 4
    assert {name_of(source) for source in nameless} == set(NAMELESS)
    for source in [*files, *nameless]:
        assert Photo.open(source).source == name_of(source)


def test_arrays() -> None:
    grey, rgba = RGB[..., 0], np.dstack([RGB, np.full(RGB.shape[:2], 255, np.uint8)])
    assert np.array_equal(Photo.open(RGB).pixels, RGB)
    assert np.array_equal(Photo.open(rgba).pixels, RGB)
    assert np.array_equal(Photo.open(grey).pixels, np.dstack([grey] * 3))
    assert np.array_equal(Photo.open(RGB[::-2, ::3]).pixels, RGB[::-2, ::3])
    rgba[..., 3] = 0
    assert np.all(Photo.open(rgba).pixels == 255)
    photo = Photo.open(RGB)
    assert (photo.source, photo.format, photo.width, photo.height) == ("<array>", "array", 120, 90)
    assert photo.sha256 == hashlib.sha256(RGB.tobytes()).hexdigest()


def test_an_array_is_copied() -> None:
    array = RGB.copy()
    photo = Photo.open(array)
    array[:] = 0
    assert np.array_equal(photo.pixels, RGB)


@pytest.mark.parametrize("dtype", [np.float32, np.uint16, np.int64, bool])
def test_arrays_of_other_types_are_a_mistake(dtype: type) -> None:
    with pytest.raises(TypeError, match="uint8"):
        Photo.open(RGB.astype(dtype))


@pytest.mark.parametrize("shape", [(), (5,), (5, 5, 1), (5, 5, 2), (2, 5, 5, 3), (0, 5, 3), (5, 0), (0, 0, 4)])
def test_arrays_of_other_shapes_are_a_mistake(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="pixels must"):
        Photo.open(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("source", [None, 5, [[1]], io.BytesIO(b"")])
def test_other_sources_are_a_mistake(source: Any) -> None:
    with pytest.raises(TypeError, match="a photo is opened from"):
        Photo.open(source)


def test_a_path_of_bytes_from_a_path_like(tmp_path: Path) -> None:
    class Odd:
        def __fspath__(self) -> bytes:
            return bytes(path)

    path = tmp_path / "a.png"
    path.write_bytes(encode(IMAGE, "PNG"))
    assert Photo.open(Odd()).source == str(path)  # type: ignore[arg-type]


def test_pillow_images() -> None:
    assert np.array_equal(Photo.open(IMAGE).pixels, RGB)
    assert (Photo.open(IMAGE).source, Photo.open(IMAGE).format) == ("<image>", "image")
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(io.BytesIO(encode(IMAGE, "PNG", exif=exif))) as image:
        photo = Photo.open(image)
    assert photo.format == "PNG"
    assert np.array_equal(photo.pixels, np.rot90(RGB, -1))
    assert photo.sha256 == hashlib.sha256(photo.pixels.tobytes()).hexdigest()


def test_pillow_images_that_turn_out_bad() -> None:
    file = encode(IMAGE, "JPEG")
    with Image.open(io.BytesIO(file[:1500])) as image, pytest.raises(PhotoError) as caught:
        Photo.open(image)
    assert caught.value.code == "photo.truncated"
    closed = IMAGE.copy()
    closed.close()
    with pytest.raises(PhotoError):
        Photo.open(closed)


@pytest.mark.parametrize("source", [RGB, IMAGE, Photo.open(RGB)])
def test_the_limit_holds_for_every_source(source: Any) -> None:
    with pytest.raises(PhotoError) as caught:
        Photo.open(source, max_pixels=1000)
    assert caught.value.code == "photo.too-large"


def test_the_notes_of_a_large_jpeg_are_known_from_its_preview() -> None:
    photo = Photo.open(encode(IMAGE.resize((2400, 1800)), "JPEG", icc_profile=b"junk" * 50))
    photo.preview(640)
    assert photo.notes == (ICC_IGNORED,)
    photo.preview(1700)  # which takes its pixels
    assert photo.notes == (ICC_IGNORED,)


def test_one_pixel() -> None:
    assert Photo.open(np.zeros((1, 1, 3), np.uint8)).preview(1).shape == (1, 1, 3)
    assert Photo.open(encode(Image.new("RGB", (1, 1), "red"), "PNG")).pixels.tolist() == [[[255, 0, 0]]]


def test_nothing_can_be_changed(large: bytes) -> None:
    for source in (RGB, RGB[..., 0], IMAGE, encode(IMAGE, "JPEG"), encode(IMAGE, "PNG"), large):
        photo = Photo.open(source)
        for pixels in (photo.pixels, photo.preview(50)):
            assert not pixels.flags.writeable
            assert pixels.flags.c_contiguous
        for name in ("pixels", "width", "source", "format", "sha256", "notes", "anything"):
            with pytest.raises(AttributeError):
                setattr(photo, name, None)


def test_repr_is_short_and_shows_no_pixels() -> None:
    assert repr(Photo.open(RGB)) == "Photo('<array>', array, 120 × 90)"


def test_preview_of_a_small_picture() -> None:
    photo = Photo.open(RGB)
    assert photo.preview(120) is photo.pixels
    assert photo.preview(1000) is photo.pixels
    assert photo.preview(40).shape == (30, 40, 3)
    assert abs(photo.preview(40).mean() - RGB.mean()) < 1


@pytest.mark.parametrize("max_side", [0, -1])
def test_preview_of_no_size_is_a_mistake(max_side: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Photo.open(RGB).preview(max_side)


def test_a_large_jpeg_is_decoded_when_its_pixels_are_used(large: bytes) -> None:
    photo = Photo.open(large)
    assert (photo.width, photo.height) == (1800, 2400)
    assert photo._decoded is None
    small = photo.preview(640)
    assert photo._decoded is None
    assert small.shape == (640, 480, 3)
    assert photo.sha256 == hashlib.sha256(large).hexdigest()
    assert photo.pixels.shape == (2400, 1800, 3)
    assert photo.pixels is photo.pixels
    # The fraction is the picture made smaller, and does not depend on what was decoded before.
    assert np.array_equal(photo.preview(640), small)
    whole = Image.fromarray(photo.pixels).resize((480, 640), Image.Resampling.BOX)
    assert np.abs(np.asarray(whole).astype(int) - small).mean() < 1


@pytest.mark.parametrize("max_side", [1, 299, 300, 301, 1199, 1200, 1201, 2399, 2400, 5000])
def test_previews_of_a_large_jpeg_have_the_size_asked_for(large: bytes, max_side: int) -> None:
    assert max(Photo.open(large).preview(max_side).shape[:2]) == min(max_side, 2400)


def test_a_large_jpeg_can_turn_out_to_be_truncated(large: bytes) -> None:
    cut = large[: len(large) // 2]
    photo = Photo.open(cut)
    for max_side in (640, 5000, 640):
        with pytest.raises(PhotoError) as caught:
            photo.preview(max_side)
        assert caught.value.code == "photo.truncated"
    with pytest.raises(PhotoError, match="ends before it is complete"):
        _ = photo.pixels
    photo = Photo.open(cut, allow_truncated=True)
    assert photo.preview(640).shape == (640, 480, 3)
    assert photo.pixels.shape == (2400, 1800, 3)
    assert photo.notes == ("truncated: the missing part is grey",)
    assert photo.sha256 == hashlib.sha256(cut).hexdigest()


def test_the_bytes_of_a_small_file_are_not_kept() -> None:
    assert Photo.open(encode(IMAGE, "JPEG"))._encoded is None
