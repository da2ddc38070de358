"""Folders that one process at a time may write into."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from mien.errors import ConfigError
from mien.progress import report

LOCK = ".lock"


def one_at_a_time(folder: Path) -> AbstractContextManager[None]:
    """Make a folder, and wait until no other process, or thread, is in such a block for it.

    A process that ends, however it does, no longer holds others up. In a folder that can't be written to, or whose
    file system has no locks, nobody waits.
    """

    def wait(lock: FileLock) -> None:
        report(f"waiting for another run that works in {folder}", 0)
        lock.acquire()

    folder.mkdir(parents=True, exist_ok=True)
    return _locked(folder, wait)


def alone_in(folder: Path) -> AbstractContextManager[None]:
    """As `one_at_a_time`, but the folder is there, and nobody waits.

    Raises:
        ConfigError: Another process, or thread, is in such a block for the folder.
    """

    def refuse(_: FileLock) -> None:
        raise ConfigError(
            f"Another run is under way in {folder}.",
            hint="Wait for it to end, or name a new folder.",
            code="config.in-use",
        ) from None

    return _locked(folder, refuse)


@contextmanager
def _locked(folder: Path, taken: Callable[[FileLock], None]) -> Iterator[None]:
    lock = FileLock(folder / LOCK)
    with suppress(OSError, NotImplementedError):  # the latter is an older filelock's, where there are no locks
        try:
            lock.acquire(blocking=False)
        except Timeout:
            taken(lock)
    try:
        yield
    finally:
        lock.release()
