"""What is refused before anything is decoded, and in which words."""

import errno
import os
import re
import threading
from pathlib import Path

import pytest

from bad_files import encode, make_bad_files, picture
from mien.errors import PhotoError
from mien.photos import Photo
from mien.photos.reading import printable


def test_each_kind_of_bad_file_has_its_code_and_says_what_to_do(tmp_path: Path) -> None:
    bad = make_bad_files(tmp_path)
    assert len(bad) >= 30
    got = {}
    for kind, (path, _) in bad.items():
        with pytest.raises(PhotoError) as caught:
            Photo.open(path)
        got[kind] = caught.value.code
        assert caught.value.message.endswith(".")
        assert caught.value.hint.endswith(".")
        assert printable(str(path))[:70] in caught.value.message
    assert got == {kind: code for kind, (_, code) in bad.items()}


def test_bad_bytes_are_refused_like_bad_files(tmp_path: Path) -> None:
    for kind, (path, code) in make_bad_files(tmp_path).items():
        if os.path.isfile(path):  # noqa: PTH113 (Path.is_file fails on impossible paths)
            with pytest.raises(PhotoError, match=r"^<bytes> ") as caught:
                Photo.open(path.read_bytes())
            assert caught.value.code == code, kind


@pytest.mark.parametrize("url", ["https://example.org/a.jpg", "file:///a.jpg", "S3://bucket/a.jpg", "data:image/png;b"])
def test_urls_are_not_fetched(url: str) -> None:
    assert _refusal(url).code == "photo.url"


@pytest.mark.parametrize("path", ["", "a\0.jpg", "lone surrogate \ud800.jpg", "x" * 100_000])
def test_impossible_paths(path: str) -> None:
    assert _refusal(path).code == "photo.bad-name"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.EACCES, "photo.permission"),
        (errno.EPERM, "photo.permission"),
        (errno.EIO, "photo.unreadable"),
        (errno.ESTALE, "photo.unreadable"),
        (errno.ENXIO, "photo.device"),
    ],
)
def test_what_the_system_refuses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int, code: str) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    path = _photo(tmp_path / "a.jpg")
    monkeypatch.setattr(os, "open", refuse)
    assert _refusal(path).code == code


def test_a_file_too_large_for_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(*_: object, **__: object) -> int:
        raise MemoryError

    path = _photo(tmp_path / "a.jpg")
    monkeypatch.setattr(os, "fdopen", fail)
    assert _refusal(path).code == "photo.too-large"


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = _photo(tmp_path / "a.jpg")
    os.truncate(path, 1 << 40)  # sparse: a terabyte that takes no space
    assert _refusal(path).code == "photo.too-large"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_path_that_becomes_a_pipe_does_not_hang(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path, pipe = _photo(tmp_path / "a.jpg"), tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    status = path.stat()
    monkeypatch.setattr(Path, "stat", lambda *_, **__: status)
    errors: list[PhotoError] = []
    thread = threading.Thread(target=lambda: errors.append(_refusal(pipe)), daemon=True)
    thread.start()
    thread.join(10)
    assert [error.code for error in errors] == ["photo.device"]


@pytest.mark.parametrize(
    "name", ["with space.jpg", "Größe 写真 📷.jpg", "new\nline.jpg", "no extension", "-", "%20#?.jpg", "'\".jpg"]
)
def test_any_name_can_be_opened(tmp_path: Path, name: str) -> None:
    path = _photo(tmp_path / name)
    assert Photo.open(path).format == "JPEG"
    assert Photo.open(str(path)).source == str(path)


def test_a_name_that_is_no_unicode(tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(str(tmp_path)) + b"/\xff\xfe.jpg")
    try:
        Path(name).write_bytes(encode(picture(), "JPEG"))
    except (OSError, UnicodeError):
        pytest.skip("this file system has Unicode names only")
    assert Photo.open(name).format == "JPEG"
    Path(name).write_bytes(b"")
    str(_refusal(name)).encode("utf-8")  # can be printed


def test_a_long_path(tmp_path: Path) -> None:
    folder = tmp_path
    while len(str(folder)) < 3500:
        folder /= "d" * 200
    folder.mkdir(parents=True)
    assert Photo.open(_photo(folder / "a.jpg")).format == "JPEG"


def test_messages_have_no_control_characters(tmp_path: Path) -> None:
    path = tmp_path / "\x1b[31mred\n.jpg"
    path.write_bytes(b"")
    assert not re.search(r"[\x00-\x1f]", str(_refusal(path)))


def test_printable_keeps_what_can_be_printed() -> None:
    assert printable("Größe 写真.jpg") == "Größe 写真.jpg"
    assert printable("a\nb\0\udcff") == "a\\nb\\x00\\udcff"


def _photo(path: Path) -> Path:
    path.write_bytes(encode(picture(), "JPEG"))
    return path


def _refusal(source: str | Path) -> PhotoError:
    with pytest.raises(PhotoError) as caught:
        Photo.open(source)
    return caught.value
