import numpy as np
from numpy.typing import NDArray

ROUNDING = 1e-3
"""By so much an embedding's length may differ from 1."""


def are_of_unit_length(embeddings: NDArray[np.float32]) -> bool:
    """Whether all rows of (N, D) embeddings are finite and of unit length."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool((np.abs(np.linalg.norm(embeddings, axis=1) - 1) <= ROUNDING).all())  # false for NaN too
