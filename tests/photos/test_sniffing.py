import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bad_files import encode, picture
from mien.photos.sniffing import HEAD_BYTES, HTML, TEXT, Content, Kind, sniff


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "BMP", "TIFF", "GIF", "PPM"])
def test_what_pillow_writes_is_known_by_pillows_name(kind: str) -> None:
    content = sniff(encode(picture(), kind)[:HEAD_BYTES])
    assert content is not None
    assert (content.format, content.kind) == (kind, Kind.PICTURE)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"II+\0\x08\0\0\0", Kind.PICTURE),  # BigTIFF
        (b"P5\n# made by hand\n3 2\n", Kind.PICTURE),
        (b"Pf 3 2\n-1.0\n", Kind.PICTURE),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf", Kind.PICTURE),
        (b"\0\0\0\x20ftypmif1\0\0\0\0mif1avifmiafMA1B", Kind.PICTURE),
        (b"\xff\x0a\xfa\x1f", Kind.OTHER_PICTURE),
        (b"\0\0\0\x0cjP  \r\n\x87\n", Kind.OTHER_PICTURE),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", Kind.VIDEO),
        (b"RIFF\0\0\0\0AVI LIST", Kind.VIDEO),
        (b"PK\x03\x04", Kind.OTHER),
    ],
)
def test_kinds(head: bytes, kind: Kind) -> None:
    content = sniff(head)
    assert content is not None
    assert content.kind is kind


def test_avif_is_told_from_heic_by_all_of_its_brands() -> None:
    assert _format(b"\0\0\0\x20ftypmif1\0\0\0\0mif1avifmiafMA1B") == "AVIF"
    assert _format(b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf") == "HEIF"


def test_sound_is_no_picture() -> None:
    assert sniff(b"RIFF\0\0\0\0WAVEfmt ") is None


@pytest.mark.parametrize("text", ["BMW is a car.", "P5 is a Persona game", "II* of course not", "PK"])
def test_text_that_starts_like_a_picture_is_text(text: str) -> None:
    assert sniff(text.encode()) == TEXT


def test_text_cut_in_the_middle_of_a_character_is_text() -> None:
    assert sniff(("ü" * HEAD_BYTES).encode()[: HEAD_BYTES - 1]) == TEXT


def test_web_page_behind_a_byte_order_mark() -> None:
    assert sniff("\ufeff \n<!doctype HTML><title>404".encode()) == HTML


def test_nothing_known() -> None:
    assert sniff(b"") is None
    assert sniff(b"\xff") is None
    assert sniff(bytes(100)) is None
    assert sniff(b"\0" + np.random.default_rng(0).bytes(100)) is None


@given(st.binary(max_size=80))
def test_never_fails(head: bytes) -> None:
    assert isinstance(sniff(head), Content | None)


def _format(head: bytes) -> str:
    content = sniff(head)
    return content.format if content else ""
