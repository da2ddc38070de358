from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
