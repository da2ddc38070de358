import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mien.models.graph_cache import kept, read_kept, untrusted_folder


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


POSIX = pytest.mark.skipif(os.name != "posix", reason="owners and permissions are looked at on POSIX only")


def others_can_write(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.chmod(0o777 if path.is_dir() else 0o646)


def group_can_write(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.chmod(0o775 if path.is_dir() else 0o664)


def belongs_to_another(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stat = Path.stat

    def stat_of_another(self: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        found = stat(self, follow_symlinks=follow_symlinks)
        return os.stat_result([*found[:4], os.geteuid() + 1, *found[5:]]) if self == path else found

    monkeypatch.setattr(Path, "stat", stat_of_another)


@POSIX
@pytest.mark.parametrize("how", [others_can_write, group_can_write, belongs_to_another])
@pytest.mark.parametrize("where", ["", "graphs", "graphs/{file}"])
def test_what_somebody_else_may_have_written_is_not_used(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, where: str, how: Callable[[Path, pytest.MonkeyPatch], None]
) -> None:
    kept("a", lambda: b"swapped")
    [file] = (empty_cache / "graphs").iterdir()
    how(empty_cache / where.format(file=file.name), monkeypatch)
    make = Maker()
    assert kept("a", make) == b"graph" * 1000
    assert untrusted_folder() == (None if "{file}" in where else empty_cache / where)
    assert file.exists() == ("{file}" not in where)  # nothing is changed in a folder that isn't ours


@POSIX
def test_a_lax_umask_makes_no_lax_cache(empty_cache: Path) -> None:
    before = os.umask(0)
    try:
        kept("a", Maker())
    finally:
        os.umask(before)
    assert untrusted_folder() is None
    assert read_kept("a")


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
