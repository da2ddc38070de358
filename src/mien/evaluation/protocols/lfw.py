"""View 2 of Labeled Faces in the Wild: Huang et al., UMass Amherst technical report 07-49, 2007."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.errors import ConfigError


@dataclass(frozen=True, eq=False)
class PhotoPairs:
    """Pairs of photos to compare.

    Args:
        first: (P,) path of one photo of each pair below the folder of LFW: ``NAME/NAME_0001.jpg``.
        second: (P,) of the other.
        mated: (P,) bool, whether they show one person.
        fold: (P,) int64, from 0.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    mated: NDArray[np.bool_]
    fold: NDArray[np.int64]


def read_pairs(path: str | Path) -> PhotoPairs:
    """Read a list of pairs in LFW's form: ``pairs.txt``, ``pairsDevTrain.txt``, ``pairsDevTest.txt``.

    The first line says how many folds there are (left out where there is one) and how many pairs of each kind a fold
    has: first the mated pairs, ``NAME 1 4``, then as many non-mated ones, ``NAME 1 OTHER 2``. Blank lines are skipped.

    Raises:
        ConfigError: If the file can't be read, or a line is not what its place asks for.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The list of pairs {path} can't be read: {error}.", code="config.pairs") from error
    rows = [(number, line.split()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not rows:
        raise ConfigError(f"The list of pairs {path} is empty.", code="config.pairs")
    number, header = rows.pop(0)
    if len(header) > 2 or not all(word.isdecimal() and int(word) for word in header):
        raise _bad_line(path, number, "the number of folds and of pairs of each kind in a fold")
    folds, size = (int(header[0]) if len(header) == 2 else 1), int(header[-1])
    if len(rows) != 2 * folds * size:
        raise ConfigError(
            f"The list of pairs {path} announces {2 * folds * size} pairs and has {len(rows)}.",
            hint="Take the whole file again.",
            code="config.pairs",
        )
    kinds = [at // size % 2 == 0 for at in range(len(rows))]
    paths = [_pair(path, number, words, mated) for (number, words), mated in zip(rows, kinds, strict=True)]
    return PhotoPairs(
        first=tuple(first for first, _ in paths),
        second=tuple(second for _, second in paths),
        mated=np.array(kinds),
        fold=np.arange(len(rows)) // (2 * size),
    )


def _pair(path: str | Path, number: int, words: list[str], mated: bool) -> tuple[str, str]:
    if mated and len(words) == 3:
        words = [words[0], words[1], words[0], words[2]]
    elif mated or len(words) != 4:
        raise _bad_line(path, number, "NAME NUMBER NUMBER" if mated else "NAME NUMBER NAME NUMBER")
    if not (words[1].isdecimal() and words[3].isdecimal()):
        raise _bad_line(path, number, "the numbers of two photos")
    first, second = (f"{name}/{name}_{int(photo):04d}.jpg" for name, photo in (words[:2], words[2:]))
    return first, second


def _bad_line(path: str | Path, number: int, wanted: str) -> ConfigError:
    return ConfigError(
        f"Line {number} of the list of pairs {path} should be: {wanted}.",
        hint="Names and numbers are separated by spaces or tabs.",
        code="config.pairs",
    )
