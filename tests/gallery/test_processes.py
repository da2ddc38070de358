"""Several processes and threads with one gallery, and what is left when one is killed."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from fake_recognizer import FakeRecognizer, portrait, save_people
from mien.gallery import Gallery
from mien.recognizer import Recognizer

TESTS = Path(__file__).parents[1]

ENROLL_ONE_BY_ONE = """
import os, signal
from mien.gallery import tables
add = tables.add_templates
def add_until_killed(*arguments):
    records = add(*arguments)
    if person > {committed}:
        os.kill(os.getpid(), signal.SIGKILL)
    return records
tables.add_templates = add_until_killed
for person in range(1, 1000):
    gallery.enroll(f"Person {{person:03}}", [portrait(person, variant) for variant in range(3)])
"""
ENROLL_FOLDER = """
import os, signal
faces = FakeRecognizer.faces
def faces_until_killed(self, source):
    if len(self.embedded) == {photos}:
        os.kill(os.getpid(), signal.SIGKILL)
    return faces(self, source)
FakeRecognizer.faces = faces_until_killed
gallery.enroll_folder({folder!r})
"""
ENROLL_OWN_AND_SHARED = """
for person in range({first}, {first} + 25):
    gallery.enroll(f"Person {{person:03}}", portrait(person))
    gallery.enroll("Shared", [portrait(999, person % 25), portrait(999, 100 + person % 25)])
"""


def start(path: Path, work: str) -> subprocess.Popen[str]:
    """A process that does `work` with the gallery at `path`."""
    program = f"""
import sys; sys.path.insert(0, {str(TESTS)!r})
from fake_recognizer import FakeRecognizer, portrait
from mien.gallery import Gallery
gallery = Gallery({str(path)!r}, recognizer=FakeRecognizer.make())
{work}
"""
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors


def check(path: Path) -> None:
    with Gallery(path) as gallery, gallery._database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []


@pytest.mark.skipif(os.name == "nt", reason="there is no kill −9")
@pytest.mark.parametrize("committed", [0, 1, 17, 60])
def test_killed_while_enrolling_keeps_everybody_who_was_done(tmp_path: Path, committed: int) -> None:
    path = tmp_path / "gallery.db"
    with start(path, ENROLL_ONE_BY_ONE.format(committed=committed)) as process:
        assert process.wait(timeout=120) == -signal.SIGKILL
    check(path)
    with Gallery(path, recognizer=FakeRecognizer.make()) as gallery:
        everybody = [(f"Person {k:03}", 3) for k in range(1, committed + 1)]  # whole, and nothing of the one after
        assert [(person.name, person.templates) for person in gallery.people()] == everybody
        assert all(gallery.identify(portrait(k))[0].person == f"Person {k:03}" for k in range(1, committed + 1))


@pytest.mark.skipif(os.name == "nt", reason="there is no kill −9")
def test_a_folder_killed_again_and_again_is_enrolled_in_the_end(tmp_path: Path) -> None:
    path, folder = tmp_path / "gallery.db", save_people(tmp_path / "people", 60, photos=2)
    enrolled = 0
    for photos in (1, 2, 3, 24, 41):  # embedded when the process is killed: in and between people
        with start(path, ENROLL_FOLDER.format(folder=str(folder), photos=photos)) as process:
            assert process.wait(timeout=120) == -signal.SIGKILL
        check(path)
        with Gallery(path) as gallery:
            assert all(person.templates == 2 for person in gallery.people())
            assert enrolled <= len(gallery) <= enrolled + photos // 2
            enrolled = len(gallery)
    assert 20 <= enrolled < 60
    finish(start(path, ENROLL_FOLDER.format(folder=str(folder), photos=1000)))
    check(path)
    with Gallery(path) as gallery:
        assert [person.templates for person in gallery.people()] == [2] * 60


def test_two_processes_make_and_fill_one_gallery(tmp_path: Path) -> None:
    path = tmp_path / "gallery.db"
    both = [start(path, ENROLL_OWN_AND_SHARED.format(first=first)) for first in (1, 26)]
    for process in both:
        finish(process)
    check(path)
    with Gallery(path, recognizer=FakeRecognizer.make()) as gallery:
        templates = {person.name: person.templates for person in gallery.people()}
        assert templates.pop("Shared") == 50
        assert templates == {f"Person {k:03}": 1 for k in range(1, 51)}
        assert all(gallery.identify(portrait(k))[0].person == f"Person {k:03}" for k in range(1, 51))


def test_a_reader_sees_what_another_process_commits(tmp_path: Path) -> None:
    path = tmp_path / "gallery.db"
    with Gallery(path, recognizer=FakeRecognizer.make()) as gallery:
        assert gallery.identify(portrait(1))[0].decision == "unknown"
        finish(start(path, "gallery.enroll('Ann', portrait(1)); gallery.enroll('Bob', portrait(2))"))
        assert gallery.identify(portrait(1, 1))[0].person == "Ann"
        finish(start(path, "gallery.rename('Ann', 'Anna')"))
        assert gallery.identify(portrait(1, 1))[0].person == "Anna"
        finish(start(path, "assert gallery.forget('Anna').erased"))
        assert gallery.identify(portrait(1, 1))[0].decision == "unknown"
        assert gallery.identify(portrait(2, 1))[0].person == "Bob"


def test_threads_share_one_gallery(tmp_path: Path) -> None:
    with Gallery(tmp_path / "gallery.db", recognizer=FakeRecognizer.make()) as gallery:
        gallery.enroll("Person 1", portrait(1))
        together = threading.Barrier(8)

        def work(thread: int) -> None:
            together.wait()
            for person in range(2 + 5 * thread, 7 + 5 * thread):
                gallery.enroll(f"Person {person}", portrait(person))
                assert gallery.identify(portrait(person, 1))[0].person == f"Person {person}"
                assert gallery.identify(portrait(1, 1))[0].person == "Person 1"
            gallery.forget(f"Person {2 + 5 * thread}")

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
        assert len(gallery) == 33
        assert gallery._index.templates == 33
    check(tmp_path / "gallery.db")


def test_threads_share_one_recognizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Recognizer] = []
    both = threading.Barrier(2)

    def make(encoder: str) -> Recognizer:
        made.append(FakeRecognizer.make())
        with suppress(threading.BrokenBarrierError):
            both.wait(timeout=0.2)  # for the other thread, which does not come
        return made[-1]

    monkeypatch.setattr("mien.gallery.gallery.Recognizer", make)
    with Gallery(tmp_path / "gallery.db") as gallery, ThreadPoolExecutor(2) as pool:
        given = list(pool.map(lambda _: gallery.recognizer, range(2)))
    assert given == made * 2


def test_searches_need_not_wait_while_networks_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "gallery.db"
    with Gallery(path, recognizer=FakeRecognizer.make()) as gallery:
        gallery.enroll("Ann", portrait(1))

    def make(encoder: str) -> Recognizer:
        assert not gallery._lock.locked()
        return FakeRecognizer.make()

    monkeypatch.setattr("mien.gallery.gallery.Recognizer", make)
    monkeypatch.setattr(Gallery, "_shipped_encoder", lambda _: "sface")
    with Gallery(path) as gallery:
        assert gallery.drift() is None
