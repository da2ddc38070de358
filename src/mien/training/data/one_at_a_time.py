"""Folders that one process at a time may write into."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from mien.errors import ConfigError
from mien.progress import report

LOCK = ".lock"


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Make a folder, and wait until no other process, or thread, is in such a block for it.

    A process that ends, however it does, no longer holds others up. In a folder that can't be written to, nobody waits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK)
    with suppress(OSError):
        try:
            lock.acquire(blocking=False)
        except Timeout:
            report(f"waiting for another run that works in {folder}", 0)
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """As `one_at_a_time`, but nobody waits.

    Raises:
        ConfigError: Another process, or thread, is in such a block for the folder.
    """
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise ConfigError(
            f"Another run is under way in {folder}.",
            hint="Wait for it to end, or name a new folder.",
            code="config.in-use",
        ) from None
    try:
        yield
    finally:
        lock.release()
