"""Keeps repaired graphs between runs, so that a network is repaired once per machine and not once per start."""

import hashlib
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mien.models.files import cache_folder, folder_in_cache
from mien.whole_files import written_whole

_FOLDER = "graphs"


def kept(key: str, make: Callable[[], bytes]) -> bytes:
    """What `make` gives, from the cache if it was made before.

    A cache folder that can't be read or written (read-only, full, none at all), or that isn't trusted, costs time and
    nothing else.

    Args:
        key: Names what is made, and everything that it depends on; letters, digits and dashes.
        make: Makes it.
    """
    if found := read_kept(key):
        return found[1]
    data = make()
    with suppress(OSError):
        folder = folder_in_cache(_FOLDER)
        if untrusted_folder() is None:
            with written_whole(folder / _name(key, data), 0o600) as partial:
                partial.write_bytes(data)
    return data


def read_kept(key: str) -> tuple[Path, bytes] | None:
    """The file that is kept under a key, and what is in it; None where there is none.

    A kept file carries the hash of its content in its name, so a damaged one is noticed, and removed. The hash is no
    proof of where the file comes from: that is why only files and folders that nobody else can write to are read.
    """
    if untrusted_folder() is not None:
        return None
    with suppress(OSError):
        for path in sorted((cache_folder() / _FOLDER).glob(f"{key}.*.onnx")):
            if path.is_file() and _is_ours(path) and path.name == _name(key, data := path.read_bytes()):
                return path, data
            path.unlink()
    return None


def untrusted_folder() -> Path | None:
    """The folder of the cache that somebody else can write to or owns, because of which no graph is kept."""
    for folder in (cache_folder(), cache_folder() / _FOLDER):
        with suppress(OSError):  # one that isn't there is made by us
            if not _is_ours(folder):
                return folder
    return None


def _is_ours(path: Path) -> bool:
    """Whether only the user, and root, can write to it; on Windows, where the folder's access list says so, always."""
    if os.name != "posix":
        return True
    status = path.stat()
    return status.st_uid in (0, os.geteuid()) and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _name(key: str, data: bytes) -> str:
    return f"{key}.{hashlib.sha256(data).hexdigest()}.onnx"
