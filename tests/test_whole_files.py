import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Thread

import pytest

from full_disk import no_file_above
from mien.whole_files import written_whole


def test_a_file_is_replaced_when_the_new_one_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old")
    with written_whole(file) as partial:
        partial.write_text("new")
        assert file.read_text() == "old"
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]


def test_an_interruption_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old")

    def interrupted() -> None:
        with written_whole(file) as partial:
            partial.write_text("ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_full_disk_is_said_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old")
    with no_file_above(5), pytest.raises(OSError, match="too large") as caught, written_whole(file) as partial:
        partial.write_text("more than five bytes")
    assert caught.value.filename == str(file)
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


POSIX = pytest.mark.skipif(os.name != "posix", reason="permissions of this kind are POSIX's")


@POSIX
@pytest.mark.parametrize("mode", [0o600, 0o444, 0o664])
def test_a_file_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old")
    file.chmod(mode)
    with written_whole(file) as partial:
        partial.write_text("new")
        assert partial.stat().st_mode & 0o777 == 0o600
    assert file.stat().st_mode & 0o777 == mode
    assert file.read_text() == "new"


@POSIX
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_new_file_has_the_permissions_of_any(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with written_whole(tmp_path / "a.txt") as partial:
            partial.write_text("new")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o666 & ~umask


def test_threads_may_write_one_file(tmp_path: Path) -> None:
    file, all_have_begun = tmp_path / "a.txt", Barrier(3)

    def write(text: str) -> None:
        with written_whole(file) as partial:
            partial.write_text(text)
            all_have_begun.wait(10)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, ["one", "two", "three"]))
    assert file.read_text() in {"one", "two", "three"}
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link, target = tmp_path / "link.txt", tmp_path / "elsewhere/target.txt"
    link.symlink_to(target)
    for text in ("first", "second"):
        with written_whole(link) as partial:
            partial.write_text(text)
        assert link.is_symlink()
        assert target.read_text() == text


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    with written_whole(pipe) as place:
        place.write_text("through")
    reader.join(5)
    assert read == ["through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_the_output_of_a_pipeline_is_written_to() -> None:
    write = (
        "from mien.whole_files import written_whole\nwith written_whole('/dev/stdout') as place: place.write_text('x')"
    )
    ran = subprocess.run([sys.executable, "-c", write], capture_output=True, text=True, check=True)
    assert ran.stdout == "x"
