"""Text files that protocols are told by: read whole, refused with the line that is wrong."""

import csv
from collections.abc import Sequence
from pathlib import Path

from mien.errors import InputError


def read_text(path: str | Path, what: str) -> str:
    """The text of a file, UTF-8 with or without a byte order mark; `what` says in the error what it should be.

    Raises:
        InputError: If it can't be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise InputError(f"The {what} {path} can't be read: {reason}.", code="input.file") from error


def read_table(path: str | Path, columns: Sequence[str]) -> dict[int, dict[str, str]]:
    """The rows of a CSV file by the number of their line; spaces around values are taken away, blank rows skipped.

    Args:
        path: The file, whose first line names the columns.
        columns: Those that it must have.

    Raises:
        InputError: If the file can't be read, has no rows, lacks a column, or a row has too few or many values.
    """
    reader = csv.reader(read_text(path, "table").splitlines())
    header = [name.strip().lower() for name in next(reader, [])]
    if not set(columns) <= set(header):
        raise InputError(
            f"The first line of {path} should name the columns {', '.join(columns)}.",
            hint="It is a CSV file: values are separated by commas.",
            code="input.columns",
        )
    if twice := next((name for name in header if header.count(name) > 1), None):
        raise InputError(f"The first line of {path} names the column {twice} twice.", code="input.columns")
    table = {}
    for row in reader:
        if not any(value.strip() for value in row):
            continue
        if len(row) != len(header):
            raise InputError(
                f"Line {reader.line_num} of {path} should have {len(header)} values, and has {len(row)}.",
                code="input.columns",
            )
        table[reader.line_num] = dict(zip(header, (value.strip() for value in row), strict=True))
    if not table:
        raise InputError(f"{path} has no rows.", code="input.columns")
    return table
