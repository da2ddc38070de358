"""Comparisons of people whom a network doesn't learn from, one by one."""

import numpy as np
from numpy.typing import NDArray

from mien.evaluation import Comparisons

MEASURED_PAIRS = (20_000, 300_000)
"""Mated and non-mated pairs that a network is measured on: enough for an FMR of 1e-4."""


class StrangerPairs:
    """Pairs of strangers' crops, drawn where there are more: the same for every network.

    They are listed one by one and not counted in bins: losses differ in how alike all embeddings are, and of a network
    whose cosines all lie near 1 bins would see little.

    Args:
        labels: (N,) whose each crop is.
        most: Mated and non-mated pairs.
        seed: Of the draws.
    """

    def __init__(self, labels: NDArray[np.int64], most: tuple[int, int] = MEASURED_PAIRS, seed: int = 0) -> None:
        photos = np.stack(np.triu_indices(len(labels), 1), axis=1)
        mated = labels[photos[:, 0]] == labels[photos[:, 1]]
        random = np.random.default_rng(seed)
        chosen = [
            np.sort(random.choice(rows, min(len(rows), limit), replace=False))
            for rows, limit in zip((np.flatnonzero(mated), np.flatnonzero(~mated)), most, strict=True)
        ]
        rows = np.concatenate(chosen)
        self.photos, self.mated = photos[rows], mated[rows]
        self.people = labels[self.photos]

    def compared(self, embeddings: NDArray[np.float32]) -> Comparisons:
        """The pairs by one network, from its (N, D) embeddings of unit length."""
        similarity = np.einsum("pd,pd->p", embeddings[self.photos[:, 0]], embeddings[self.photos[:, 1]])
        return Comparisons(similarity.astype(np.float64), self.mated, people=self.people)
