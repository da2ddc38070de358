"""Files that are whole or not there, whatever happens while they are written."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def written_whole(path: str | os.PathLike[str], mode: int = 0o666) -> Iterator[Path]:
    """Give the path of a new file beside `path`, which takes the place of `path` at the end of the block.

    If the block fails or is interrupted, what was at `path` stays, and nothing is left beside it. Each call has a file
    of its own, so that two processes or threads don't write into one. A link stays one, to the new file; and what is no
    file, such as a pipe or ``/dev/stdout``, is given itself, for it can't be replaced.

    Args:
        path: The file; one that is there already keeps its permissions.
        mode: The permissions of one that is not, less what the umask takes away.

    Raises:
        OSError: It can't be written, such as where the disk is full; the error names `path`.
    """
    path = Path(path)
    if path.exists() and not path.is_file():  # asked before its links are followed: a pipe's lead to no path
        yield path
        return
    path = Path(os.path.realpath(path))
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}.partial")
    old = path.stat().st_mode & 0o777 if path.exists() else None
    try:
        partial.touch(mode if old is None else 0o600, exist_ok=False)  # even half of it may be for one reader only
        yield partial
        if old is not None:
            partial.chmod(old)
        partial.replace(path)
    except OSError as error:
        if error.filename in (None, str(partial)):  # a full disk comes without a name
            error.filename = str(path)
        raise
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def opened_whole(path: str | os.PathLike[str]) -> Iterator[TextIO]:
    """A text file in UTF-8 to write by `written_whole`, with escapes for what has no place in UTF-8.

    A file's name may be any bytes, and the escapes are those of JSON.
    """
    with (
        written_whole(path) as partial,
        partial.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        yield file


def write_whole(path: str | os.PathLike[str], text: str) -> None:
    """Write a text as `opened_whole` would."""
    with written_whole(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")
