"""Looking for bytes in the raw files of a gallery: the proof that what was forgotten is gone."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Lock

import numpy as np

PIECE = 64
"""How many bytes of an embedding are looked for, at its start and at its end: sixteen numbers are no coincidence."""

_WORD = np.dtype("<u8")
_CHUNK = 1 << 24

# A process that closes a file loses all its locks on it, SQLite's too (https://sqlite.org/howtocorrupt.html, 2.2):
# a database that has been looked into stays open until the process ends.
_open: dict[tuple[int, int], int] = {}
_lock = Lock()


def pieces(embeddings: Iterable[bytes]) -> list[bytes]:
    """What to look for: the start and the end of each embedding, as the middle may lie on several pages."""
    return [piece for embedding in embeddings for piece in (embedding[:PIECE], embedding[-PIECE:])]


def file_holds(path: Path, needles: Sequence[bytes]) -> bool:
    """Whether the bytes of the file at `path` contain one of `needles` (8 bytes or more each), wherever it may be."""
    if not needles or not path.exists():
        return False
    longest = max(map(len, needles))
    by_start: dict[int, list[bytes]] = {}
    for needle in needles:
        by_start.setdefault(int.from_bytes(needle[:8], "little"), []).append(needle)
    starts = np.array(sorted(by_start), _WORD)
    tail = b""
    for chunk in _chunks(path):
        window = tail + chunk
        if _window_holds(window, starts, by_start):
            return True
        tail = window[-longest:]
    return False


def _window_holds(
    window: bytes, starts: np.ndarray[tuple[int], np.dtype[np.uint64]], by_start: dict[int, list[bytes]]
) -> bool:
    for shift in range(8):
        words = np.frombuffer(window, _WORD, count=max(0, len(window) - shift) // 8, offset=min(shift, len(window)))
        nearest = starts[np.minimum(np.searchsorted(starts, words), len(starts) - 1)]
        for hit in np.flatnonzero(nearest == words):
            at = shift + 8 * int(hit)
            if any(window.startswith(needle, at) for needle in by_start[int(words[hit])]):
                return True
    return False


def _chunks(path: Path) -> Iterator[bytes]:
    with _lock:
        status = path.stat()
        descriptor = _open.get((status.st_dev, status.st_ino))
        if descriptor is None:
            descriptor = _open[status.st_dev, status.st_ino] = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        os.lseek(descriptor, 0, os.SEEK_SET)
        while chunk := os.read(descriptor, _CHUNK):
            yield chunk
