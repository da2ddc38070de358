"""Folders that one process at a time may write into."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mien.progress import report


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Make a folder, and wait until no other process, or thread, is in such a block for it.

    A process that ends, however it does, no longer holds others up. Where a file system has no locks, nobody waits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    opened = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report(f"waiting for another run that works in {folder}", 0)
            fcntl.flock(opened, fcntl.LOCK_EX)
        except OSError:
            pass
        yield
    finally:
        os.close(opened)
