"""How near the embeddings of one form of a network are to those of another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Parity:
    """What was measured on some crops.

    Attributes:
        crops: How many.
        difference: The largest difference between two numbers of the unit-length embeddings.
        median_cosine: Between a crop's two embeddings, in the middle of the crops.
        least_cosine: Of the crop for which they differ most.
    """

    crops: int
    difference: float
    median_cosine: float
    least_cosine: float

    @classmethod
    def of(cls, reference: NDArray[np.float32], embeddings: NDArray[np.float32]) -> "Parity":
        """Measure it between two (N, D) arrays of unit-length embeddings, N ≥ 1."""
        cosines = (reference.astype(np.float64) * embeddings).sum(axis=1)
        return cls(
            len(reference),
            float(np.abs(reference - embeddings).max()),
            float(np.median(cosines)),
            float(cosines.min()),
        )
