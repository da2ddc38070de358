from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Scored comparisons, a row each, where they are listed one by one (for all pairs of a set: `PairScores`).

    Args:
        similarity: (n,) float64, greater = more alike; on any scale. NaN where a photo gave nothing to compare.
        mated: (n,) bool, whether the two photos are of one person.
        people: (n, 2) int64, who is on either side, from 0: what intervals are drawn over. None where it isn't known;
            then comparisons count as independent.
        photos: (n, 2) int64, which photos were compared. None where there are only scores.
        fold: (n,) int64, from 0, for protocols with folds.

    Raises:
        ValueError: If lengths differ, a similarity is infinite, or a mated comparison has two people.
    """

    similarity: NDArray[np.float64]
    mated: NDArray[np.bool_]
    people: NDArray[np.int64] | None = None
    photos: NDArray[np.int64] | None = None
    fold: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        rows = len(self.similarity)
        if self.similarity.shape != (rows,) or self.mated.shape != (rows,) or self.mated.dtype != bool:
            raise ValueError(f"similarities of shape {self.similarity.shape} with labels of shape {self.mated.shape}")
        for name, given, shape in (
            ("people", self.people, (rows, 2)),
            ("photos", self.photos, (rows, 2)),
            ("folds", self.fold, (rows,)),
        ):
            if given is not None and given.shape != shape:
                raise ValueError(f"{name} of shape {given.shape} for {rows} comparisons")
        if np.isinf(self.similarity).any():
            raise ValueError("a similarity is infinite")
        if self.people is not None and ((self.people[:, 0] == self.people[:, 1]) != self.mated).any():
            raise ValueError("a comparison is mated if and only if the same person is on both sides")

    def __len__(self) -> int:
        return len(self.similarity)
