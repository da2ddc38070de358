"""Cosine of the angle between two vectors."""

from typing import ClassVar

import numpy as np

from mien.similarity.metric import Floats, ShareMetric


class Cosine(ShareMetric):
    """Cosine of the angle between two vectors: Σ aᵢbᵢ / (‖a‖·‖b‖).

    Similarity from −1 (opposite) to 1 (same direction); distance = 1 − similarity, from 0 to 2. A zero vector has no
    direction: its similarity to everything, itself included, is defined as 0 (distance 1).

    All pairs are one matrix product in the vectors' own precision: float32 answers are right to about 1e-6.
    """

    name: ClassVar[str] = "cosine"
    obeys_triangle: ClassVar[bool] = False  # the angle does, its cosine doesn't

    def _value(self, a: Floats, b: Floats) -> Floats:
        return np.asarray(np.clip(np.einsum("...i,...i->...", _unit(a), _unit(b)), -1, 1))

    def _all_values(self, a: Floats, b: Floats) -> Floats:
        product: Floats = _unit(a) @ _unit(b).T
        return np.asarray(np.clip(product, -1, 1, out=product))


def _unit(vectors: Floats) -> Floats:
    """`vectors` (…, D) at length 1, and zero vectors as they are."""
    squares = np.einsum("...i,...i->...", vectors, vectors)
    if squares.size and squares.min() > 1e-20 and squares.max() < 1e20:
        return np.asarray(vectors / np.sqrt(squares)[..., None])
    # Zero vectors, or squares near the ends of float32: scaled by their largest value they are representable.
    largest = np.abs(vectors).max(axis=-1, keepdims=True, initial=0)
    scaled: Floats = vectors / np.where(largest == 0, 1, largest)
    length = np.sqrt(np.einsum("...i,...i->...", scaled, scaled))[..., None]
    scaled /= np.where(length == 0, 1, length)
    return scaled


cosine = Cosine()
