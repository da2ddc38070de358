from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mien.models.graph_cache import kept


class Maker:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> bytes:
        self.count += 1
        return b"graph" * 1000


def test_it_is_made_once(empty_cache: Path) -> None:
    make = Maker()
    assert kept("a", make) == kept("a", make) == b"graph" * 1000
    assert make.count == 1
    kept("b", make)
    assert make.count == 2


@pytest.mark.parametrize("damage", [b"", b"graph", b"graph" * 999 + b"grapf"])
def test_a_damaged_one_is_made_again(empty_cache: Path, damage: bytes) -> None:
    make = Maker()
    kept("a", make)
    [file] = (empty_cache / "graphs").iterdir()
    file.write_bytes(damage)
    assert kept("a", make) == b"graph" * 1000
    assert make.count == 2
    assert file.read_bytes() == b"graph" * 1000


def test_a_cache_that_cannot_be_used_costs_only_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("MIEN_CACHE", str(tmp_path / "file"))
    make = Maker()
    assert kept("a", make) == kept("a", make) == b"graph" * 1000
    assert make.count == 2


def test_a_full_disk_leaves_nothing_behind(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert kept("a", Maker()) == b"graph" * 1000
    assert not list((empty_cache / "graphs").iterdir())


def test_many_at_once(empty_cache: Path) -> None:
    make = Maker()
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: kept("a", make), range(32))) == {b"graph" * 1000}
    assert len(list((empty_cache / "graphs").iterdir())) == 1
