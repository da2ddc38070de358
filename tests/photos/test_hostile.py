"""Whatever is done to a picture file, the answer is a photo or a `PhotoError`, quietly.

pytest turns warnings into errors here, so that one of Pillow's that got out would fail these tests.
"""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageFile

from bad_files import encode, picture, png
from mien.errors import PhotoError
from mien.photos import Photo

IMAGE = picture(64, 48)
EXIF = Image.Exif()
EXIF[0x0112], EXIF[0x010F] = 6, "a maker of cameras with a long name"
GREY16 = Image.fromarray(np.asarray(IMAGE.convert("L")).astype(np.uint16) * 257)
TURNED = IMAGE.rotate(90)


def heif() -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(IMAGE).save(buffer)
    return buffer.getvalue()


FORMATS: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: encode(IMAGE, "JPEG", exif=EXIF),
    "progressive JPEG": lambda: encode(IMAGE, "JPEG", progressive=True),
    "CMYK JPEG": lambda: encode(IMAGE.convert("CMYK"), "JPEG"),
    "MPO": lambda: encode(IMAGE, "MPO", save_all=True, append_images=[TURNED]),
    "PNG": lambda: encode(IMAGE, "PNG", exif=EXIF),
    "palette PNG": lambda: encode(IMAGE.quantize(16), "PNG", transparency=3),
    "16-bit PNG": lambda: encode(GREY16, "PNG"),
    "animated PNG": lambda: encode(IMAGE, "PNG", save_all=True, append_images=[TURNED]),
    "WebP": lambda: encode(IMAGE, "WEBP", exif=EXIF),
    "lossless WebP": lambda: encode(IMAGE, "WEBP", lossless=True),
    "AVIF": lambda: encode(IMAGE, "AVIF", exif=EXIF),
    "HEIF": heif,
    "BMP": lambda: encode(IMAGE, "BMP"),
    "palette BMP": lambda: encode(IMAGE.quantize(16), "BMP"),
    "TIFF": lambda: encode(IMAGE, "TIFF", exif=EXIF),
    "LZW TIFF": lambda: encode(IMAGE, "TIFF", compression="tiff_lzw"),
    "JPEG TIFF": lambda: encode(IMAGE, "TIFF", compression="jpeg"),
    "float TIFF": lambda: encode(IMAGE.convert("F"), "TIFF"),
    "GIF": lambda: encode(IMAGE, "GIF"),
    "animated GIF": lambda: encode(IMAGE, "GIF", save_all=True, append_images=[TURNED]),
    "PPM": lambda: encode(IMAGE, "PPM"),
    "16-bit PGM": lambda: encode(GREY16, "PPM"),
    "plain PPM": lambda: b"P3\n# plain\n4 1 255\n 1 2 3  4 5 6  7 8 9  10 11 12\n",
}


@pytest.mark.parametrize("kind", FORMATS)
def test_spoilt_pictures(kind: str) -> None:
    whole = FORMATS[kind]()
    assert Photo.open(whole).pixels.shape[2] == 3
    rng = np.random.default_rng(20261)
    for _ in range(120):
        _open_or_refuse(_spoil(whole, rng), allow_truncated=bool(rng.integers(2)))


@pytest.mark.parametrize("kind", FORMATS)
def test_every_truncation(kind: str) -> None:
    whole = FORMATS[kind]()
    for end in {*range(min(len(whole), 40)), *range(40, len(whole), 1 + len(whole) // 60), len(whole) - 1}:
        _open_or_refuse(whole[:end], allow_truncated=False)
        _open_or_refuse(whole[:end], allow_truncated=True)


@pytest.mark.parametrize("kind", sorted({"JPEG", "PNG", "BMP", "TIFF", "GIF", "PPM", "WebP", "AVIF", "HEIF"}))
def test_a_file_cut_in_half_is_called_truncated(kind: str) -> None:
    whole = FORMATS[kind]()
    with pytest.raises(PhotoError) as caught:
        Photo.open(whole[: len(whole) // 2])
    assert caught.value.code == "photo.truncated"


def test_pillows_switches_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS
    Photo.open(FORMATS["JPEG"]()[:1500], allow_truncated=True)
    after = ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS
    assert after == before
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # someone else's limit is not ours
    assert Photo.open(FORMATS["JPEG"]()).format == "JPEG"


@pytest.mark.parametrize("error", [RecursionError, ZeroDivisionError, KeyError, AssertionError, SystemError, EOFError])
def test_whatever_pillow_raises(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def fail(*_: object) -> None:
        raise error("surprise")

    monkeypatch.setattr("PIL.JpegImagePlugin.JpegImageFile.load", fail)
    with pytest.raises(PhotoError, match="surprise") as caught:
        Photo.open(FORMATS["JPEG"]())
    assert caught.value.code == "photo.damaged"


def test_no_memory_to_decode(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("PIL.JpegImagePlugin.JpegImageFile.load", fail)
    with pytest.raises(PhotoError) as caught:
        Photo.open(FORMATS["JPEG"]())
    assert caught.value.code == "photo.too-large"


def test_a_mistake_of_ours_is_not_blamed_on_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise NameError("typo")

    monkeypatch.setattr("PIL.JpegImagePlugin.JpegImageFile.load", fail)
    with pytest.raises(NameError):
        Photo.open(FORMATS["JPEG"]())


def test_pictures_that_pillow_warns_about() -> None:
    broken_exif = b"Exif\0\0II*\0\x08\0\0\0\x09\0" + b"\x12\x01\x03\0\x09\0\0\0\xff\xff\xff\x7f"
    assert Photo.open(encode(IMAGE, "JPEG", exif=broken_exif)).width == 64
    no_animation = [(b"acTL", bytes(8)), *_chunks(encode(IMAGE.convert("L"), "PNG"), b"IDAT"), (b"acTL", bytes(8))]
    assert Photo.open(png(64, 48, *no_animation)).width == 64
    transparent = encode(IMAGE.quantize(16), "PNG", transparency=bytes(range(16)))
    assert Photo.open(transparent).notes == ("its transparent parts were laid over white",)


def _chunks(file: bytes, name: bytes) -> list[tuple[bytes, bytes]]:
    at, found = 8, []
    while at < len(file):
        length = int.from_bytes(file[at : at + 4], "big")
        if file[at + 4 : at + 8] == name:
            found.append((name, file[at + 8 : at + 8 + length]))
        at += length + 12
    return found


def _spoil(whole: bytes, rng: np.random.Generator) -> bytes:
    """Cut some files off, and change a few bytes of most, every other time within the header."""
    file = bytearray(whole if rng.random() < 0.7 else whole[: rng.integers(1, len(whole))])
    if rng.random() < 0.9:
        within = min(len(file), 200) if rng.random() < 0.5 else len(file)
        for at in rng.integers(within, size=rng.integers(1, 8)):
            file[at] ^= 1 << int(rng.integers(8)) if rng.random() < 0.5 else int(rng.integers(256))
    return bytes(file)


def _open_or_refuse(file: bytes, allow_truncated: bool) -> None:
    try:
        photo = Photo.open(file, max_pixels=1_000_000, allow_truncated=allow_truncated)
    except PhotoError:
        return
    assert photo.pixels.shape == (photo.height, photo.width, 3)
    assert photo.pixels.dtype == np.uint8
