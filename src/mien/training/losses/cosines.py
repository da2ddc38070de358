"""The cosines between vectors of any length."""

from torch import Tensor

from mien.training.large_heads.directions import unit
from mien.training.losses.loss import at_least_float32


def cosines(embeddings: Tensor, vectors: Tensor) -> Tensor:
    """(N, C) cosines of the angles between (N, D) embeddings and (C, D) vectors, in the embeddings' precision.

    Rounding may leave them a little outside [−1, 1]. A zero vector's are 0.
    """
    embeddings = at_least_float32(embeddings)
    return unit(embeddings) @ unit(vectors.to(embeddings.dtype)).T
