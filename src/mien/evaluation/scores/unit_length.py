import numpy as np
from numpy.typing import ArrayLike, NDArray


def unit_length(embeddings: ArrayLike) -> NDArray[np.float32]:
    """Embeddings (N, D) brought to unit length, float32.

    Raises:
        ValueError: If one is zero or not finite.
    """
    vectors = np.asarray(embeddings, np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        raise ValueError("an embedding is zero or not finite")
    return np.asarray(vectors / lengths, np.float32)
