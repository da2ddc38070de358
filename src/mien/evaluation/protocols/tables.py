"""Text files that protocols are told by: read whole, refused with the line that is wrong."""

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.errors import InputError


def read_text(path: str | Path, what: str) -> str:
    """The text of a file, UTF-8 with or without a byte order mark; `what` says in the error what it should be.

    Its lines end in a newline, whatever they end in there. Split them at that only: `str.splitlines` splits at
    characters such as U+2028 too, which the name of a photo may have.

    Raises:
        InputError: If it can't be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise InputError(f"The {what} {path} can't be read: {reason}.", code="input.file") from error


def read_table(
    path: str | Path, columns: Sequence[str], *, may_be_empty: Collection[str] = ()
) -> dict[int, dict[str, str]]:
    """The rows of a CSV file by the number of their line; spaces around values are taken away, blank rows skipped.

    Args:
        path: The file, whose first line names the columns.
        columns: Those that it must have, with a value in each row.
        may_be_empty: Those of them that a row may leave empty.

    Raises:
        InputError: If the file can't be read or has no rows, or a column, a value or its end is missing.
    """
    rows = _rows(path)
    header = [name.strip().lower() for name in next(rows, (1, []))[1]]
    if not set(columns) <= set(header):
        raise InputError(
            f"The first line of {path} should name the columns {', '.join(columns)}.",
            hint="It is a CSV file: values are separated by commas.",
            code="input.columns",
        )
    if twice := next((name for name in header if header.count(name) > 1), None):
        raise InputError(f"The first line of {path} names the column {twice} twice.", code="input.columns")
    table = {}
    for line, row in rows:
        if not any(value.strip() for value in row):
            continue
        if len(row) != len(header):
            raise InputError(
                f"Line {line} of {path} should have {len(header)} values, and has {len(row)}.", code="input.columns"
            )
        table[line] = dict(zip(header, (value.strip() for value in row), strict=True))
        if lacks := next((name for name in columns if not table[line][name] and name not in may_be_empty), None):
            raise InputError(f"Line {line} of {path} names no {lacks}.", code="input.columns")
    if not table:
        raise InputError(f"{path} has no rows.", code="input.columns")
    return table


def _rows(path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """Each row of a CSV file, with the number of its last line."""
    reader = csv.reader(io.StringIO(read_text(path, "table"), newline=""))
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise InputError(
            f"Line {reader.line_num} of {path} can't be read: {error}.",
            hint='Perhaps a " before it is never closed.',
            code="input.columns",
        ) from error


def photo_files(listed: Path, names: Iterable[str], folder: Path) -> dict[str, Path]:
    """Where each photo is that the list `listed` names, by its name, which starts from the folder.

    Raises:
        InputError: If none of them is there.
    """
    files = {name: folder / name for name in names}
    if not any(path.is_file() for path in files.values()):
        raise InputError(
            f"None of the {len(files):,} photos in the list {listed} is in {folder}, such as {next(iter(files))}.",
            hint="The names in the list are to start from this folder.",
            code="input.photos",
        )
    return files


def people_of_pairs(
    path: str | Path, table: Mapping[int, Mapping[str, str]], mated: Sequence[bool]
) -> NDArray[np.str_] | None:
    """Who is on both photos of each row of a table, (P, 2): `person1` and `person2`; None if it has neither column.

    Args:
        path: The file that the table was read from.
        table: P rows by the number of their line, as of `read_table`.
        mated: (P,) whether both photos of a row show one person.

    Raises:
        InputError: If there is only one of the columns, a row leaves a person out, or people and label disagree.
    """
    given = next(iter(table.values())).keys() & {"person1", "person2"}
    if not given:
        return None
    if len(given) == 1:
        raise InputError(
            f"{path} has the column {given.pop()} only.",
            hint="Name both people, person1 and person2, or neither.",
            code="input.columns",
        )
    people = [(row["person1"], row["person2"]) for row in table.values()]
    for line, (one, other), same in zip(table, people, mated, strict=True):
        if not (one and other):
            raise InputError(
                f"Line {line} of {path} doesn't say who is on both photos.",
                hint="Fill in person1 and person2, or leave out both columns.",
                code="input.columns",
            )
        if (one == other) != same:
            raise InputError(
                f"Line {line} of {path} should be mated if and only if both people are the same.", code="input.pairs"
            )
    return np.array(people, np.str_)
