"""Triplets of photos in a table: found once, looked at, kept, learnt from."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mien.errors import ConfigError
from mien.whole_files import opened_whole

COLUMNS = ("anchor", "positive", "negative")

Triplets = NDArray[np.int64]
"""(T, 3) rows of anchor, positive and negative."""


def write_triplets(file: Path, triplets: ArrayLike, photos: Sequence[str]) -> None:
    """Write triplets as CSV with the columns anchor, positive and negative.

    Args:
        file: Written anew.
        triplets: (T, 3) rows of `photos`.
        photos: (N,) the name of each, all different: such as a `FaceTable`'s sources.

    Raises:
        ValueError: The triplets are not three columns, or a row is none of the photos'.
        ConfigError: Two photos have one name.
    """
    rows = np.asarray(triplets, np.int64)
    if rows.ndim != 2 or rows.shape[1] != 3:
        raise ValueError(f"triplets must be (T, 3), not of shape {rows.shape}")
    if rows.size and not 0 <= rows.min() <= rows.max() < len(photos):
        raise ValueError(f"triplets name rows {rows.min()} … {rows.max()} of {len(photos)} photos")
    _need_names(photos)
    with opened_whole(file) as lines:
        writer = csv.writer(lines)
        writer.writerow(COLUMNS)
        writer.writerows([photos[row] for row in triplet] for triplet in rows.tolist())


def read_triplets(file: Path, photos: Sequence[str]) -> Triplets:
    """Read triplets as rows of `photos`.

    Args:
        file: CSV with the columns anchor, positive and negative; others are passed over.
        photos: (N,) the name of each, all different.

    Raises:
        ConfigError: The file can't be read, lacks a column, has no triplet or names a photo that isn't there; or two
            photos have one name.
    """
    _need_names(photos)
    row_of = {name: row for row, name in enumerate(photos)}
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise ConfigError(
                    f"The triplet file {file} has no column {', '.join(missing)}.",
                    hint="Its first line must name the columns anchor, positive and negative.",
                )
            triplets = [
                [_row(line[column] or "", row_of, file, reader.line_num) for column in COLUMNS] for line in reader
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise ConfigError(f"The triplet file {file} can't be read: {problem}.") from None
    if not triplets:
        raise ConfigError(f"The triplet file {file} has no triplets.", hint="Make it anew with find_triplets.")
    return np.asarray(triplets, np.int64)


def _row(name: str, row_of: dict[str, int], file: Path, line: int) -> int:
    if name not in row_of:
        raise ConfigError(
            f"{file}, line {line}: there is no photo {name!r} in the set.",
            hint="Use the photos that the triplets were found in, and hold nobody out; or find them anew.",
        )
    return row_of[name]


def _need_names(photos: Sequence[str]) -> None:
    twice = [name for name, count in Counter(photos).items() if count > 1]
    if twice:
        raise ConfigError(
            f"Two faces are called {twice[0]!r}: a triplet that names it could mean either.",
            hint="Keep one face a photo.",
        )
