"""Files that are whole or not there, whatever happens while they are written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give the path of a new file beside `path`, which takes the place of `path` at the end of the block.

    If the block fails or is interrupted, what was at `path` stays, and nothing is left beside it. The process's number
    is in the new file's name, so that two processes don't write into one. A link stays one, to the new file; and what
    is no file, such as a pipe or ``/dev/stdout``, is given itself, for it can't be replaced.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        yield path
        return
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
