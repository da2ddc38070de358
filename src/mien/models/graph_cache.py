"""Keeps repaired graphs between runs, so that a network is repaired once per machine and not once per start."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mien.models.files import cache_folder


def kept(key: str, make: Callable[[], bytes]) -> bytes:
    """What `make` gives, from the cache if it was made before.

    A kept file carries the hash of its content in its name, so a damaged one is noticed and made again. A cache folder
    that can't be read or written (read-only, full, none at all) costs time and nothing else.

    Args:
        key: Names what is made, and everything that it depends on; letters, digits and dashes.
        make: Makes it.
    """
    folder = cache_folder() / "graphs"
    with suppress(OSError):
        for path in sorted(folder.glob(f"{key}.*.onnx")):
            data = path.read_bytes()
            if path.name == _name(key, data):
                return data
            path.unlink()
    data = make()
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / _name(key, data), data)
    return data


def _name(key: str, data: bytes) -> str:
    return f"{key}.{hashlib.sha256(data).hexdigest()}.onnx"


def _write(path: Path, data: bytes) -> None:
    descriptor, partial = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
