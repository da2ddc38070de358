"""Jaccard similarity of sets."""

from typing import ClassVar

import numpy as np

from mien.similarity.metric import Floats, ShareMetric


class Jaccard(ShareMetric):
    """Shared members of two sets as a share of all their members: |A ∩ B| / |A ∪ B|.

    A set is a vector of 0 and 1 (or of booleans). Similarity from 0 (nothing shared) to 1 (equal; so are two empty
    sets); distance = 1 − similarity, from 0 to 1. For weights use `WeightedJaccard`.
    """

    name: ClassVar[str] = "jaccard"
    obeys_triangle: ClassVar[bool] = True

    def _complaint(self, vectors: Floats) -> str:
        is_set = np.isin(vectors, (0, 1)).all()
        return "" if is_set else "a set is a vector of 0 and 1; for other weights use weighted_jaccard."

    def _value(self, a: Floats, b: Floats) -> Floats:
        return _share(np.einsum("...i,...i->...", a, b), a.sum(axis=-1) + b.sum(axis=-1))

    def _all_values(self, a: Floats, b: Floats) -> Floats:
        a, b = a.astype(np.float64, copy=False), b.astype(np.float64, copy=False)
        return _share(a @ b.T, a.sum(axis=1)[:, None] + b.sum(axis=1))


def _share(shared: Floats, sizes: Floats) -> Floats:
    """|A ∩ B| / |A ∪ B| from |A ∩ B| and |A| + |B|."""
    return np.asarray(np.where(sizes == 0, 1, shared / np.maximum(sizes - shared, 1)))


jaccard = Jaccard()
