"""What is this file, going by its first bytes? Names and extensions are never asked: they lie.

Only looks: nothing is decoded here, so nothing here can be attacked with a clever picture.
"""

import codecs
import re
from dataclasses import dataclass
from enum import Enum

HEAD_BYTES = 1024
"""How many of a file's first bytes `sniff` wants; fewer are fine for a shorter file."""


class Kind(Enum):
    """What mien can do with some content."""

    PICTURE = "picture"
    """A picture in a format that mien reads."""
    OTHER_PICTURE = "other picture"
    """A picture, but in a format that mien does not read."""
    VIDEO = "video"
    OTHER = "other"
    """Not a picture at all."""


@dataclass(frozen=True, slots=True)
class Content:
    """What some bytes are.

    Attributes:
        format: Short name, such as ``"JPEG"``; Pillow's name for those that it reads.
        kind: What mien can do with it.
        description: With its article, to be used after "is": ``"a web page (HTML)"``.
    """

    format: str
    kind: Kind
    description: str


def _picture(name: str, article: str = "a") -> Content:
    return Content(name, Kind.PICTURE, f"{article} {name} picture")


def _other_picture(name: str, article: str = "a") -> Content:
    return Content(name, Kind.OTHER_PICTURE, f"{article} {name} picture")


def _video(name: str) -> Content:
    return Content(name, Kind.VIDEO, f"a video ({name})")


def _other(name: str, description: str) -> Content:
    return Content(name, Kind.OTHER, description)


JPEG, PNG, WEBP, AVIF = _picture("JPEG"), _picture("PNG"), _picture("WEBP"), _picture("AVIF", "an")
BMP, TIFF, GIF, PPM = _picture("BMP"), _picture("TIFF"), _picture("GIF"), _picture("PPM")
HEIF = _picture("HEIF")
TEXT, HTML = _other("text", "a text file"), _other("HTML", "a web page (HTML)")

# The first match wins.
_STARTS: tuple[tuple[bytes, Content], ...] = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"II+\0\x08\0\0\0", TIFF),
    (b"MM\0+\0\x08\0\0", TIFF),
    (b"\xff\x0a", _other_picture("JPEG XL")),
    (b"\0\0\0\x0cJXL \r\n\x87\n", _other_picture("JPEG XL")),
    (b"\0\0\0\x0cjP  \r\n\x87\n", _other_picture("JPEG 2000")),
    (b"\xff\x4f\xff\x51", _other_picture("JPEG 2000")),
    (b"8BPS", _other_picture("Photoshop")),
    (b"\0\0\x01\0", _other_picture("ICO", "an")),
    (b"qoif", _other_picture("QOI")),
    (b"DDS ", _other_picture("DDS")),
    (b"v/1\x01", _other_picture("OpenEXR", "an")),
    (b"#?RADIANCE", _other_picture("Radiance HDR")),
    (b"%!PS", _other_picture("PostScript")),
    (b"FUJIFILMCCD-RAW", _other_picture("Fujifilm raw")),
    (b"IIU\0", _other_picture("Panasonic raw")),
    (b"IIRO", _other_picture("Olympus raw", "an")),
    (b"\x1aE\xdf\xa3", _video("Matroska or WebM")),
    (b"FLV\x01", _video("FLV")),
    (b"\0\0\x01\xba", _video("MPEG")),
    (b"\0\0\x01\xb3", _video("MPEG")),
    (b"0&\xb2u\x8ef\xcf\x11", _video("Windows Media")),
    (b"OggS", _video("Ogg")),
    (b"%PDF", _other("PDF", "a PDF document")),
    (b"PK\x03\x04", _other("ZIP", "a ZIP archive or office document")),
    (b"\x1f\x8b", _other("gzip", "a gzip archive")),
    (b"7z\xbc\xaf\x27\x1c", _other("7z", "a 7z archive")),
    (b"Rar!", _other("RAR", "a RAR archive")),
    (b"SQLite format 3\0", _other("SQLite", "an SQLite database")),
    (b"\x7fELF", _other("ELF", "a program")),
)

_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_BMP_HEADER_SIZES = {12, 16, 40, 52, 56, 64, 108, 124}
_PNM = re.compile(rb"P[1-6f]\s+([0-9#]|\Z)")
"""PBM, PGM, PPM (plain or raw) and PFM: ``P5``, white space, then the width or a comment."""
_TEXT_CONTROLS = frozenset(b"\t\n\f\r\x1b")
_utf8_decoder = codecs.getincrementaldecoder("utf-8")


def sniff(head: bytes) -> Content | None:
    """Say what a file is.

    Args:
        head: The file's first bytes; `HEAD_BYTES` of them are enough.

    Returns:
        What it is, or None if nothing known starts like this.
    """
    for start, content in _STARTS:
        if head.startswith(start):
            return content
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    if head[:4] == b"RIFF":
        return {b"WEBP": WEBP, b"AVI ": _video("AVI")}.get(head[8:12])
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES:
        return BMP
    if _PNM.match(head):
        return PPM
    return _text(head)


def _iso_media(head: bytes) -> Content:
    """ISO base media files (ISO/IEC 14496-12): the brands in the first box say which one."""
    size = int.from_bytes(head[:4], "big")
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(size, len(head)), 4))]
    # The general brand "mif1" stands first in some AVIF files, so that those are looked for in all brands.
    if _AVIF_BRANDS.intersection(brands):
        return AVIF
    if _HEIF_BRANDS.intersection(brands):
        return HEIF
    if brands[0] == b"crx ":
        return _other_picture("Canon raw")
    return _video("MP4 or QuickTime")


def _text(head: bytes) -> Content | None:
    if not head or any(byte < 32 and byte not in _TEXT_CONTROLS for byte in head):
        return None
    try:
        text = _utf8_decoder().decode(head)  # a character cut off by the end of the head is no error
    except UnicodeDecodeError:
        return None
    start = text.lstrip("\ufeff \t\r\n").lower()
    if start.startswith(("<!doctype html", "<html", "<head", "<body")):
        return HTML
    if start.startswith("<") and "<svg" in start:
        return _other_picture("SVG", "an")
    return TEXT
