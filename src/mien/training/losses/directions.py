"""Vectors without their length, and the cosines between them."""

import torch
from torch import Tensor

from mien.training.losses.loss import at_least_float32


def unit(vectors: Tensor) -> Tensor:
    """(…, D) vectors at length 1; a zero vector stays zero, and its gradient finite.

    PyTorch's own divides by 1e-12 there, so that a dead embedding would get a gradient of 1e12.
    """
    lengths: Tensor = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return vectors / lengths.where(lengths > 0, torch.ones_like(lengths))


def cosines(embeddings: Tensor, vectors: Tensor) -> Tensor:
    """(N, C) cosines of the angles between (N, D) embeddings and (C, D) vectors, in the embeddings' precision.

    Rounding may leave them a little outside [−1, 1]. A zero vector's are 0.
    """
    embeddings = at_least_float32(embeddings)
    return unit(embeddings) @ unit(vectors.to(embeddings.dtype)).T
