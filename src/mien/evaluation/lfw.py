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


@dataclass(frozen=True, eq=False)
class FoldedAccuracy:
    """Accuracy on each fold at the threshold that is best on the others.

    Args:
        accuracy: (F,) of each fold.
        threshold: (F,) what was used on it.
        missed: How many pairs had no similarity, because a face was not found; each counts as an error.
    """

    accuracy: NDArray[np.float64]
    threshold: NDArray[np.float64]
    missed: int

    @property
    def mean(self) -> float:
        """The mean accuracy of the folds."""
        return float(self.accuracy.mean())

    @property
    def standard_error(self) -> float:
        """The standard error of the mean over the folds; LFW's own definition, as if folds were independent."""
        return float(self.accuracy.std(ddof=1) / np.sqrt(len(self.accuracy)))


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


def folded_accuracy(
    similarity: NDArray[np.floating], mated: NDArray[np.bool_], fold: NDArray[np.int64]
) -> FoldedAccuracy:
    """Accuracy on each fold with the threshold chosen on all the others, for LFW's ten folds and any others.

    Args:
        similarity: (P,) of each pair; NaN where a face was not found, which is an error at any threshold.
        mated: (P,) whether the pair shows one person.
        fold: (P,) the fold of each pair.

    Raises:
        ValueError: If the lengths differ or there is only one fold.
    """
    folds = np.unique(fold)
    if not similarity.shape == mated.shape == fold.shape or len(folds) < 2:
        raise ValueError(f"{similarity.shape}, {mated.shape}, {fold.shape} pairs in {len(folds)} folds")
    missing = np.isnan(similarity)
    accuracy, threshold = np.empty((2, len(folds)))
    for at, this in enumerate(folds):
        train, test = (fold != this) & ~missing, fold == this
        threshold[at] = best_threshold(similarity[train], mated[train])
        right = ((similarity >= threshold[at]) == mated) & ~missing
        accuracy[at] = right[test].mean()
    return FoldedAccuracy(accuracy, threshold, int(missing.sum()))


def best_threshold(similarity: NDArray[np.floating], mated: NDArray[np.bool_]) -> float:
    """The threshold of the greatest accuracy, midway between two similarities; the median one of several.

    Args:
        similarity: (P,) without NaN.
        mated: (P,) whether each pair shows one person.
    """
    values, place = np.unique(similarity, return_inverse=True)
    if not len(values):
        return 0.0
    balance = np.bincount(place, np.where(mated, 1, -1), minlength=len(values))
    right = np.concatenate([[0], np.cumsum(-balance)]) + mated.sum()  # with a threshold below value 0, 1, …
    ends = np.concatenate([[values[0] - 1], values, [values[-1] + 1]]).astype(np.float64)
    best = np.flatnonzero(right == right.max())
    chosen = best[len(best) // 2]
    return float((ends[chosen] + ends[chosen + 1]) / 2)


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
