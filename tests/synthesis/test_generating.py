import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mien.errors import ConfigError
from mien.photos import Photo, find_people
from mien.progress import reporting
from mien.synthesis import Manifest, Nuisances, generate


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_writes_photos_and_their_truth(tmp_path: Path) -> None:
    manifest = generate(tmp_path / "a" / "b", people=3, photos=2, seed=4, size=128)
    people = find_people(tmp_path / "a" / "b")
    assert {name: len(photos) for name, photos in people.items()} == {f"person-000{i}": 2 for i in (1, 2, 3)}
    truth = json.loads((tmp_path / "a" / "b" / "person-0002" / "0001.json").read_text())
    assert truth["person"] == "person-0002"
    assert truth["synthetic"] is True
    assert len(truth["landmarks"]) == 5
    assert Photo.open(people["person-0002"][0]).width == truth["size"] == 128
    assert Manifest.load(tmp_path / "a" / "b") == manifest


def test_photos_are_small_on_disk(tmp_path: Path) -> None:
    generate(tmp_path, people=2, photos=2)
    for photo in tmp_path.rglob("*.jpg"):
        assert 4_000 < photo.stat().st_size < 60_000


def test_existing_photos_are_kept_and_more_can_be_added(tmp_path: Path) -> None:
    generate(tmp_path, people=1, photos=1, size=64)
    kept = tmp_path / "person-0001" / "0001.jpg"
    kept.write_bytes(b"mine")
    generate(tmp_path, people=2, photos=2, size=64)
    assert kept.read_bytes() == b"mine"
    assert len(list(tmp_path.rglob("*.jpg"))) == 4
    assert Manifest.load(tmp_path).people == 2


def test_a_photo_without_its_truth_is_made_again(tmp_path: Path) -> None:
    generate(tmp_path, people=1, photos=2, size=64)
    before = _files(tmp_path)
    (tmp_path / "person-0001" / "0002.json").unlink()
    generate(tmp_path, people=1, photos=2, size=64)
    assert _files(tmp_path) == before


KILLED = """
import itertools, os, signal
from contextlib import contextmanager
from mien.synthesis import generating

written_whole, writes = generating.written_whole, itertools.count(1)

@contextmanager
def until_killed(path):
    with written_whole(path) as partial:
        yield partial
        if next(writes) == {write}:
            os.kill(os.getpid(), signal.SIGKILL)

generating.written_whole = until_killed
generating.generate({folder!r}, people=3, photos=2, size=96)
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no kill −9")
@pytest.mark.parametrize("write", [1, 2, 7, 8])  # of the manifest, a photo, the truth of one, the next
def test_killed_and_carried_on_gives_the_same_folder(tmp_path: Path, write: int) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    generate(whole, people=3, photos=2, size=96)
    script = KILLED.format(folder=str(broken), write=write)
    killed = subprocess.run([sys.executable, "-c", script], check=False)
    assert killed.returncode == -signal.SIGKILL
    there = {name: data for name, data in _files(broken).items() if not name.endswith(".partial")}
    assert len(there) == write - 1
    assert there.items() < _files(whole).items()
    generate(broken, people=3, photos=2, size=96)
    made = {name: data for name, data in _files(broken).items() if not name.endswith(".partial")}
    assert made == _files(whole)


@pytest.mark.parametrize(
    "other",
    [{"seed": 1}, {"variation": 0.5}, {"size": 96}, {"nuisances": Nuisances.none()}],
    ids=lambda o: next(iter(o)),
)
def test_other_settings_in_the_same_folder_are_refused(tmp_path: Path, other: dict[str, object]) -> None:
    generate(tmp_path, people=1, photos=1, size=64)
    settings: dict[str, object] = {"people": 1, "photos": 1, "size": 64} | other
    with pytest.raises(ConfigError, match=next(iter(other))):
        generate(tmp_path, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "foreign", ['{"something": "else"}', "[]", '{"synthetic": true}', "no JSON", "\xff", "[" * 100_000]
)
def test_a_foreign_manifest_is_refused(tmp_path: Path, foreign: str) -> None:
    (tmp_path / "manifest.json").write_text(foreign, "latin-1")
    with pytest.raises(ConfigError, match="not a manifest"):
        generate(tmp_path, people=1, photos=1)


def test_nobody_is_refused(tmp_path: Path) -> None:
    for people, photos in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="at least 1"):
            generate(tmp_path, people=people, photos=photos)


@pytest.mark.parametrize("wrong", [{"variation": 3.0}, {"size": 40}, {"seed": -1}], ids=str)
def test_settings_that_no_photo_can_have_leave_nothing(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        generate(tmp_path / "people", **wrong)
    assert not (tmp_path / "people").exists()


def test_progress_is_told(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    with reporting(lambda *step: seen.append(step)):
        generate(tmp_path, people=2, photos=2, size=64)
    assert seen[-1] == ("making photos", 4, 4)
