import errno
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock, Timeout

from mien.progress import reporting
from mien.training.data import preparing
from mien.training.data.crop_set import cut_crops
from mien.training.data.one_at_a_time import alone_in, one_at_a_time
from mien.training.data.preparing import _names_in, prepare_data
from mien.training.recipe import Recipe, check_recipe


def recipe_of(cache: Path) -> Recipe:
    return check_recipe(
        {
            "data": {"cache": str(cache), "sources": [{"synthetic": {"people": 4, "photos": 2}, "aligned": True}]},
            "validation": {"held_out": 0.5},
            "losses": [{"name": "softmax"}],
        }
    )


def is_free(folder: Path) -> bool:
    """Whether no other process could be writing there; as another process asks."""
    try:
        with FileLock(folder / ".lock", blocking=False):
            return True
    except Timeout:
        return False


def test_names_to_leave_out_end_at_newlines_only(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_bytes("# some\r\nAda\u2028Bo\r\n\nCy\x85Di\n".encode())
    assert _names_in(tmp_path / "names.txt") == {"Ada\u2028Bo", "Cy\x85Di"}


def test_two_runs_do_not_cut_crops_into_one_folder_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free: list[bool] = []

    def cut(*arguments: Any, **settings: Any) -> Any:
        free.append(is_free(tmp_path))
        return cut_crops(*arguments, **settings)

    monkeypatch.setattr(preparing, "cut_crops", cut)
    prepare_data(recipe_of(tmp_path))
    assert free == [False]
    assert is_free(tmp_path)


def test_a_run_waits_for_another_that_cuts_the_same_crops(tmp_path: Path) -> None:
    told: list[str] = []
    other = FileLock(tmp_path / ".lock")
    other.acquire()
    waiting = threading.Event()

    def see(label: str, done: int, total: int | None) -> None:
        told.append(label)
        waiting.set()

    def run() -> None:
        try:
            with reporting(see):
                prepare_data(recipe_of(tmp_path))
        finally:
            waiting.set()

    thread = threading.Thread(target=run)
    thread.start()
    waiting.wait()
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    other.release()
    thread.join()
    assert told[0] == f"waiting for another run that works in {tmp_path}"
    assert "cutting crops" in told


@pytest.mark.parametrize("block", [alone_in, one_at_a_time])
@pytest.mark.parametrize("problem", [OSError(errno.ENOLCK, "No locks available"), NotImplementedError("no flock")])
def test_a_file_system_without_locks_keeps_nobody_from_training(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    block: Callable[[Path], AbstractContextManager[None]],
    problem: Exception,
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise problem

    monkeypatch.setattr(FileLock, "acquire", refuse)
    done = []
    with block(tmp_path):
        done.append(True)
    assert done == [True]
