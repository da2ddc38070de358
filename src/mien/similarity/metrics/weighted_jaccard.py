"""Weighted Jaccard similarity."""

from typing import ClassVar

import numpy as np

from mien.similarity.metric import Floats, ShareMetric
from mien.similarity.non_negative import negative_amounts


class WeightedJaccard(ShareMetric):
    """Jaccard similarity of non-negative weights (Ružička): Σ min(aᵢ, bᵢ) / Σ max(aᵢ, bᵢ).

    Similarity from 0 (nothing shared) to 1 (equal; so are two zero vectors); distance = 1 − similarity, from 0 to 1.
    On vectors of 0 and 1 it is `Jaccard`.
    """

    name: ClassVar[str] = "weighted_jaccard"
    obeys_triangle: ClassVar[bool] = True

    def _complaint(self, vectors: Floats) -> str:
        return negative_amounts(vectors)

    def _value(self, a: Floats, b: Floats) -> Floats:
        shared, whole = np.minimum(a, b).sum(axis=-1), np.maximum(a, b).sum(axis=-1)
        return np.asarray(np.where(whole == 0, 1, shared / np.where(whole == 0, 1, whole)))


weighted_jaccard = WeightedJaccard()
