"""Reads the small text files that mien is told by."""

from pathlib import Path


def read_text(file: Path) -> str:
    """The text of a file in UTF-8.

    Raises:
        OSError: It can't be read, or is a pipe or a device: nothing may ever come out of it, or come to no end.
        UnicodeDecodeError: It is no text.
    """
    if file.exists() and not (file.is_file() or file.is_dir()):
        raise OSError("it is a pipe or a device, not a file")
    return file.read_text(encoding="utf-8")
