"""From a picture's bytes to upright RGB pixels. Every call to Pillow that hostile bytes can upset is made here.

Pillow's global switches (`LOAD_TRUNCATED_IMAGES`, `MAX_IMAGE_PIXELS`) are never touched: they would change
what other code and other threads get. The plugin that fits the content is called directly, which leaves out
Pillow's own guess at the format and its own limit.
"""

import io
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from mien.errors import MissingExtraError, PhotoError
from mien.photos.colour import to_rgb
from mien.photos.reading import printable, require_picture
from mien.photos.sniffing import AVIF, HEAD_BYTES, HEIF, JPEG, PNG, TIFF, WEBP, Content, Kind

_PLUGINS: dict[str, type[ImageFile.ImageFile]] = {
    # The first picture of a phone's MPO file is a JPEG, and all that is wanted of it.
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "PPM": PpmImagePlugin.PpmImageFile,
}

# Everything that Pillow and the libraries below it were seen to raise over damaged or hostile bytes, or could by their
# source. Not `Exception`: a mistake of ours (NameError, ImportError, StopIteration) must not be blamed on a picture.
_BROKEN = (
    OSError,  # "image file is truncated", "broken data stream", UnidentifiedImageError
    SyntaxError,  # Pillow's own word for a header that makes no sense
    EOFError,  # WebP and GIF: no frame where one should be
    struct.error,  # fields cut off
    zlib.error,  # PNG: damaged compressed chunks
    ValueError,  # sizes, tags and text out of range; UnicodeDecodeError
    ArithmeticError,  # OverflowError and ZeroDivisionError from absurd sizes and fractions
    LookupError,  # KeyError and IndexError: unknown modes, missing tags
    TypeError,  # tags of another type than expected
    AttributeError,  # the same
    AssertionError,  # Pillow's checks of itself
    RuntimeError,  # AVIF and HEIF; RecursionError, NotImplementedError
    BufferError,  # frames that changed size
    SystemError,  # a C part that failed without saying why: "tile cannot extend outside image"
    Warning,  # only where another thread resets the filter set in `_quiet_pillow` under an "error" filter
)

# Above `max_pixels`, this many pixels a byte are taken for malice: a plain white JPEG has fewer than 100, PNG's
# compression ends at 8,000 for black and white, and the known bombs are far beyond.
_BOMB_PIXELS_A_BYTE = 1000

_SEND_AGAIN = "Copy it again from where it came from; the copy was probably interrupted."
_ALL_OR_NOTHING = (WEBP, AVIF, HEIF)  # formats of which no part can be decoded on its own
_END_OF_JPEG = b"\xff\xd9"
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_warnings_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture that is not decoded yet.

    Attributes:
        data: The whole file.
        name: What to call it in messages, printable.
        content: What it is.
        max_pixels: The most pixels it may have.
        allow_truncated: Whether to take what there is of a file that ends too early.
    """

    data: bytes = field(repr=False)
    name: str
    content: Content
    max_pixels: int
    allow_truncated: bool


@dataclass(frozen=True, slots=True)
class Decoded:
    """Upright, read-only RGB pixels (H, W, 3) uint8, and what was done that the user should know."""

    pixels: NDArray[np.uint8] = field(repr=False)
    notes: tuple[str, ...]


def identify(data: bytes, name: str, max_pixels: int, allow_truncated: bool) -> Encoded:
    """Say what some bytes are.

    Raises:
        PhotoError: If they are no picture, see `mien.photos.reading.require_picture`.
    """
    return Encoded(data, name, require_picture(data[:HEAD_BYTES], name), max_pixels, allow_truncated)


def open_header(encoded: Encoded) -> ImageFile.ImageFile:
    """Read a picture's header, and refuse what is too large before a single pixel is decoded.

    Raises:
        PhotoError: ``photo.damaged``, ``photo.truncated``, ``photo.too-large``, ``photo.bomb``, ``photo.unsupported``.
        MissingExtraError: For a HEIC file without the extra ``heif``.
    """
    plugin = _plugin(encoded)
    stream = io.BytesIO(encoded.data)
    with _refusing(encoded, header=stream), _quiet_pillow():
        image = plugin(stream)
    refuse_too_large(*image.size, encoded.max_pixels, encoded.name, len(encoded.data))
    return image


def upright_size(image: ImageFile.ImageFile) -> tuple[int, int]:
    """Width and height of a JPEG as it will be shown, from its header alone."""
    width, height = image.size
    orientation, _ = _orientation(image)
    return (height, width) if orientation >= 5 else (width, height)


def decode(encoded: Encoded, image: ImageFile.ImageFile | None = None) -> Decoded:
    """Decode a picture in full.

    Args:
        encoded: The picture.
        image: Its header, where `open_header` was called already.

    Raises:
        PhotoError: As `open_header`; a picture that ends too early or is damaged is often known only here.
    """
    return _decode(encoded, image or open_header(encoded))


def decode_smaller(encoded: Encoded, max_side: int) -> Decoded:
    """Decode a JPEG at the smallest fraction (1/1, 1/2, 1/4, 1/8) that is not smaller than asked, then shrink it."""
    decoded = _decode(encoded, open_header(encoded), max_side)
    return replace(decoded, pixels=shrink(decoded.pixels, max_side))


def convert(image: Image.Image, name: str, max_pixels: int) -> Decoded:
    """Upright RGB pixels of a Pillow image; one that is not loaded yet is loaded.

    Raises:
        PhotoError: As `open_header`.
    """
    encoded = Encoded(b"", name, Content(image.format or "", Kind.PICTURE, "a Pillow image"), max_pixels, False)
    refuse_too_large(*image.size, max_pixels, name, None)
    with _refusing(encoded), _quiet_pillow():
        image.load()
    return _finish(encoded, image, ())


def shrink(pixels: NDArray[np.uint8], max_side: int) -> NDArray[np.uint8]:
    """Pixels (H, W, 3) with the longer side at most `max_side`, averaged by area; the same array if it is already."""
    height, width = pixels.shape[:2]
    if max(width, height) <= max_side:
        return pixels
    scale = max_side / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return _read_only(np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8))


def refuse_too_large(width: int, height: int, max_pixels: int, name: str, file_bytes: int | None) -> None:
    """Refuse more than `max_pixels`: as a decompression bomb where the file is absurdly small for them.

    Raises:
        PhotoError: ``photo.too-large`` or ``photo.bomb``.
    """
    pixels = width * height
    if pixels <= max_pixels:
        return
    if file_bytes is not None and pixels > _BOMB_PIXELS_A_BYTE * file_bytes:
        raise PhotoError(
            f"{name} claims {width:,} × {height:,} pixels in {file_bytes:,} bytes: a decompression bomb.",
            hint="Don't open it. If you trust it and want it all the same, allow more with max_pixels.",
            code="photo.bomb",
        )
    raise PhotoError(
        f"{name} has {width:,} × {height:,} pixels, more than the limit of {max_pixels:,}.",
        hint="Save it smaller, or allow more with max_pixels.",
        code="photo.too-large",
    )


def _decode(encoded: Encoded, image: ImageFile.ImageFile, max_side: int | None = None) -> Decoded:
    _draft(image, max_side)
    try:
        with _refusing(encoded, image=image), _quiet_loading(encoded):
            image.load()
    except PhotoError as error:
        if error.code != "photo.truncated" or not encoded.allow_truncated:
            raise
        try:
            image, note = _rescue(encoded, image, max_side)
        except PhotoError:  # nothing could be saved, and that it is truncated says more than why not
            raise error from None
        return _finish(encoded, image, (note,))
    return _finish(encoded, image, ())


def _draft(image: ImageFile.ImageFile, max_side: int | None) -> None:
    if max_side is not None:
        scale = min(1.0, max_side / max(image.size))
        image.draft(None, (max(1, int(image.width * scale)), max(1, int(image.height * scale))))


def _rescue(encoded: Encoded, image: ImageFile.ImageFile, max_side: int | None) -> tuple[ImageFile.ImageFile, str]:
    """What there is of a picture that ends too early."""
    with _refusing(encoded), _quiet_pillow():
        if encoded.content is JPEG:
            # With an end marker the decoder fills up what is missing, as it does for a browser.
            image = _PLUGINS["JPEG"](io.BytesIO(encoded.data + _END_OF_JPEG))
            _draft(image, max_side)
            image.load()
            return image, "truncated: the missing part is grey"
        # Pillow has decoded into the picture's memory up to the end of the file: without tiles that counts as loaded.
        if image.tile:
            image.tile = []
            if encoded.content is TIFF:
                image.load_end()  # turns it upright
        image.load()
        return image, "truncated: the missing part is blank"


def _finish(encoded: Encoded, image: Image.Image, notes: tuple[str, ...]) -> Decoded:
    """From a loaded picture to upright RGB."""
    with _refusing(encoded):
        animated = bool(getattr(image, "is_animated", False))
        orientation, orientation_notes = _orientation(image)
        rgb, colour_notes = to_rgb(image)
        if orientation in _UPRIGHT:
            rgb = rgb.transpose(_UPRIGHT[orientation])
        pixels = np.asarray(rgb)
    if animated:
        notes = (*notes, "several pictures in one file: only the first is used")
    return Decoded(_read_only(pixels), (*notes, *orientation_notes, *colour_notes))


def _read_only(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    pixels.setflags(write=False)
    return pixels


def _orientation(image: Image.Image) -> tuple[int, tuple[str, ...]]:
    """The EXIF orientation, 1 to 8, and a note if it can't be read. For some formats it is known only after loading."""
    try:
        with _quiet_pillow():
            value = image.getexif().get(_ORIENTATION, 1)
    except _BROKEN:
        return 1, ("its EXIF data can't be read: it may lie on its side",)
    return (value if isinstance(value, int) and value in _UPRIGHT else 1), ()


def _plugin(encoded: Encoded) -> type[ImageFile.ImageFile]:
    if encoded.content is not HEIF:
        return _PLUGINS[encoded.content.format]
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise MissingExtraError("heif", f"reading {encoded.name}, a HEIC picture,") from None
    plugin: type[ImageFile.ImageFile] = HeifImageFile
    return plugin


@contextmanager
def _refusing(
    encoded: Encoded, *, header: io.BytesIO | None = None, image: ImageFile.ImageFile | None = None
) -> Iterator[None]:
    """Turn whatever Pillow raises into a `PhotoError`.

    Args:
        encoded: What is decoded.
        header: What the header is being read from, while it is.
        image: What is being loaded, while it is.
    """
    name, what = encoded.name, encoded.content.description
    try:
        yield
    except Image.DecompressionBombError as error:  # some plugins hold to Pillow's own limit before our turn
        raise PhotoError(
            f"{name} is {what} with more pixels than Pillow decodes.",
            hint="Don't open it unless you trust it; save it smaller if you do.",
            code="photo.bomb" if encoded.max_pixels > _BOMB_PIXELS_A_BYTE * len(encoded.data) else "photo.too-large",
        ) from error
    except MemoryError as error:
        raise PhotoError(
            f"There is not enough memory to decode {name}.", hint="Save it smaller.", code="photo.too-large"
        ) from error
    except _BROKEN as error:
        if _ends_early(encoded, error, header, image):
            partly = image is not None and encoded.content not in _ALL_OR_NOTHING and not encoded.allow_truncated
            raise PhotoError(
                f"{name} is {what} that ends before it is complete.",
                hint=_SEND_AGAIN
                + (" In Python, Photo.open(…, allow_truncated=True) takes what is there." if partly else ""),
                code="photo.truncated",
            ) from error
        raise PhotoError(
            f"{name} is {what} that is damaged and can't be decoded ({_reason(error)}).",
            hint="Copy it again from where it came from, or open it in an image viewer and save it anew.",
            code="photo.damaged",
        ) from error


def _ends_early(
    encoded: Encoded, error: BaseException, header: io.BytesIO | None, image: ImageFile.ImageFile | None
) -> bool:
    """Whether a picture that can't be decoded is one of which the end is missing."""
    words = str(error).lower()
    if "truncat" in words or "not enough image data" in words:
        return True
    data, size = encoded.data, len(encoded.data)
    if encoded.content is WEBP:
        return int.from_bytes(data[4:8], "little") + 8 > size
    if encoded.content in (AVIF, HEIF):
        return _end_of_boxes(data) > size
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return _end_of_strips(image) > size
    # A header is read piece by piece, so that it was cut off where its reading came to the end of the file. Pixels
    # are read in blocks that always get there: for them Pillow's words have to do.
    return header is not None and header.tell() >= size


def _end_of_boxes(data: bytes) -> int:
    """Where the boxes of an ISO base media file (ISO/IEC 14496-12, section 4.2) say that it ends."""
    at = 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if length == 1:
            length = int.from_bytes(data[at + 8 : at + 16], "big")
        if length < 8:  # 0: to the end of the file; else damaged
            return len(data)
        at += length
    return at


def _end_of_strips(image: TiffImagePlugin.TiffImageFile) -> int:
    """Where a TIFF says that the last of its strips or tiles ends."""
    tags = image.tag_v2
    offsets, lengths = (tags.get(273) or tags.get(324), tags.get(279) or tags.get(325))
    if not isinstance(offsets, tuple) or not isinstance(lengths, tuple):
        return 0
    return max((int(at) + int(length) for at, length in zip(offsets, lengths, strict=False)), default=0)


def _reason(error: BaseException) -> str:
    words = str(error).splitlines()[0] if str(error) else type(error).__name__
    if words == "not identified by this driver":  # Pillow's words for a size of zero or no pixels described
        words = "its header makes no sense"
    return printable(words[:120])


@contextmanager
def _quiet_pillow() -> Iterator[None]:
    """No warning of Pillow's gets out: what matters in them is in `Photo.notes`.

    Python's list of warning filters belongs to the whole process, so that one thread at a time changes it, briefly,
    and for Pillow's modules only.
    """
    with _warnings_lock, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(PIL|pillow_heif)\b")
        yield


def _quiet_loading(encoded: Encoded) -> AbstractContextManager[None]:
    """The formats that can warn while their pixels are decoded; the others need not wait for one another."""
    may_warn = encoded.content is TIFF or (encoded.content is PNG and b"acTL" in encoded.data)
    return _quiet_pillow() if may_warn else nullcontext()
