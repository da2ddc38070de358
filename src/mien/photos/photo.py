"""A picture that mien trusts: RGB, upright, and where it came from."""

import hashlib
import os
import threading
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien.photos.decoding import (
    Decoded,
    Encoded,
    convert,
    decode,
    decode_smaller,
    identify,
    open_header,
    refuse_too_large,
    shrink,
    upright_size,
)
from mien.photos.reading import MOST_PIXELS, PhotoFile, printable, read_file
from mien.photos.sniffing import JPEG

PhotoSource: TypeAlias = "str | os.PathLike[str] | bytes | NDArray[np.uint8] | Image.Image | PhotoFile | Photo"
"""What `Photo.open` takes: a path, a picture file's bytes, pixels, a Pillow image, a file already read, a photo."""

NAMELESS: Final = ("<bytes>", "<array>", "<image>")
"""What photos are called that are no file."""

_LARGE_JPEG_PIXELS: Final = 4_000_000


class Photo:
    """A picture, upright and in RGB, whatever it was before. Made by `Photo.open`; can't be changed; thread-safe."""

    __slots__ = ("_decoded", "_encoded", "_format", "_lock", "_notes", "_sha256", "_size", "_source")

    def __init__(
        self,
        source: str,
        kind: str,
        size: tuple[int, int],
        *,
        decoded: Decoded | None = None,
        encoded: Encoded | None = None,
        sha256: str = "",
    ) -> None:
        """Not for callers: use `Photo.open`."""
        self._source = source
        self._format = kind
        self._size = size
        self._encoded = encoded  # only of a large JPEG
        self._decoded = decoded
        self._notes = decoded.notes if decoded else ()
        self._sha256 = sha256
        self._lock = threading.Lock()

    @classmethod
    def open(cls, source: PhotoSource, *, max_pixels: int = MOST_PIXELS, allow_truncated: bool = False) -> "Photo":
        """Open a picture, and refuse in words what can't be trusted.

        The file is read once and decoded at once, so that what is wrong with it is said here; only a JPEG of more than
        4 million pixels is decoded when its `pixels` are first used, which is when it can turn out to be truncated.

        Args:
            source: A path; the bytes of a picture file; pixels (H, W), (H, W, 3) RGB or (H, W, 4) RGBA uint8, of which
                a copy is taken; a Pillow image; a `PhotoFile`; or a `Photo`, which is returned as it is.
            max_pixels: The most pixels a picture may have. Known from its header, before it is decoded.
            allow_truncated: Take what there is of a file that ends too early; `notes` says so.

        Raises:
            PhotoError: With the `code` ``photo.missing``, ``.folder``, ``.device``, ``.link-loop``, ``.permission``,
                ``.bad-name``, ``.url``, ``.unreadable``, ``.empty``, ``.not-a-picture``, ``.video``, ``.unsupported``,
                ``.truncated``, ``.damaged``, ``.too-large`` or ``.bomb``.
            MissingExtraError: For a HEIC file without the extra ``heif``.
            TypeError: If `source` is of another type, or an array not of uint8.
            ValueError: If an array has another shape, or no pixels.
        """
        name = name_of(source)
        match source:
            case Photo():
                refuse_too_large(source.width, source.height, max_pixels, printable(source.source), None)
                return source
            case bytes():
                return cls._from_bytes(source, name, max_pixels, allow_truncated)
            case PhotoFile():
                return cls._from_bytes(source.data, name, max_pixels, allow_truncated)
            case str() | os.PathLike():
                return cls._from_bytes(read_file(name, max_pixels), name, max_pixels, allow_truncated)
            case np.ndarray():
                return cls._from_array(source, name, max_pixels)
            case Image.Image():
                decoded = convert(source, name, max_pixels)
                return cls(name, source.format or "image", _size(decoded.pixels), decoded=decoded)
        raise TypeError(
            f"a photo is opened from a path, bytes, a NumPy array or a Pillow image, not from {type(source).__name__}"
        )

    @classmethod
    def _from_bytes(cls, data: bytes, source: str, max_pixels: int, allow_truncated: bool) -> "Photo":
        encoded = identify(data, printable(source), max_pixels, allow_truncated)
        kind = encoded.content.format
        image = open_header(encoded)
        if encoded.content is JPEG and image.width * image.height > _LARGE_JPEG_PIXELS:
            return cls(source, kind, upright_size(image), encoded=encoded)
        decoded = decode(encoded, image)
        # Hashed now (a fiftieth of the decoding) rather than when asked for, so that the bytes need not be kept.
        sha256 = hashlib.sha256(data).hexdigest()
        return cls(source, kind, _size(decoded.pixels), decoded=decoded, sha256=sha256)

    @classmethod
    def _from_array(cls, array: NDArray[np.uint8], name: str, max_pixels: int) -> "Photo":
        if array.dtype != np.uint8:
            raise TypeError(f"an array of pixels must be of uint8 (0 to 255), not of {array.dtype}: scale and cast it")
        if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
            raise ValueError(f"an array of pixels must be (H, W), (H, W, 3) or (H, W, 4), not {array.shape}")
        if array.size == 0:
            raise ValueError(f"an array of pixels must have some: this one is {array.shape}")
        refuse_too_large(array.shape[1], array.shape[0], max_pixels, name, None)
        if array.ndim == 3 and array.shape[2] == 3:
            pixels = array.copy(order="C")
            pixels.setflags(write=False)
            decoded = Decoded(pixels, ())
        else:
            decoded = convert(Image.fromarray(array), name, max_pixels)
        return cls(name, "array", _size(decoded.pixels), decoded=decoded)

    @property
    def width(self) -> int:
        """In pixels, upright."""
        return self._size[0]

    @property
    def height(self) -> int:
        """In pixels, upright."""
        return self._size[1]

    @property
    def source(self) -> str:
        """The path as given, or ``"<bytes>"``, ``"<array>"``, ``"<image>"``."""
        return self._source

    @property
    def format(self) -> str:
        """What the file is, by its content.

        ``"JPEG"`` (also a phone's MPO, of which the first picture is used), ``"PNG"``, ``"WEBP"``, ``"AVIF"``,
        ``"BMP"``, ``"TIFF"``, ``"GIF"``, ``"PPM"`` (PBM, PGM, PPM and PFM), ``"HEIF"``; ``"array"``; or what a Pillow
        image says of itself, ``"image"`` where it says nothing.
        """
        return self._format

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB, upright, in full resolution; read-only.

        Raises:
            PhotoError: ``photo.truncated`` or ``photo.damaged``, for a large JPEG.
        """
        return self._decode().pixels

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to the picture that the user should know; of a large JPEG once it was used."""
        return self._notes

    @property
    def sha256(self) -> str:
        """Of the file's bytes, or of `pixels` where there was no file; 64 hexadecimal digits."""
        if not self._sha256:
            self._sha256 = hashlib.sha256(self._encoded.data if self._encoded else self.pixels.data).hexdigest()
        return self._sha256

    def preview(self, max_side: int) -> NDArray[np.uint8]:
        """The picture made smaller, for finding things in it.

        A large JPEG is decoded at 1/2, 1/4 or 1/8 where that is enough, in a fraction of the time and memory, and the
        same way at each call, whether its `pixels` are decoded or not; its file's bytes are kept for that.

        Args:
            max_side: The longer side of the result in pixels, at least 1; a smaller picture is not enlarged.

        Returns:
            (h, w, 3) uint8 RGB, upright, read-only.

        Raises:
            PhotoError: As `pixels`.
        """
        if max_side < 1:
            raise ValueError(f"max_side must be at least 1, not {max_side}")
        if self._encoded and max(self._size) >= 2 * max_side:
            smaller = decode_smaller(self._encoded, max_side)
            self._notes = smaller.notes
            return smaller.pixels
        return shrink(self.pixels, max_side)

    def _decode(self) -> Decoded:
        if self._decoded is None:
            with self._lock:
                if self._decoded is None and self._encoded is not None:
                    self._decoded = decode(self._encoded)
                    self._notes = self._decoded.notes
        assert self._decoded is not None
        return self._decoded

    def __repr__(self) -> str:
        return f"Photo({printable(self._source)!r}, {self._format}, {self.width} × {self.height})"


def name_of(source: PhotoSource) -> str:
    """The `Photo.source` of what `Photo.open` takes, without opening it."""
    match source:
        case Photo():
            return source.source
        case str() | os.PathLike():
            return os.fsdecode(source)
        case bytes():
            return "<bytes>"
        case np.ndarray():
            return "<array>"
        case _:
            return "<image>"


def _size(pixels: NDArray[np.uint8]) -> tuple[int, int]:
    return pixels.shape[1], pixels.shape[0]
