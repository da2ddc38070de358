"""Vectors without their length."""

import torch
from torch import Tensor


def unit(vectors: Tensor) -> Tensor:
    """(…, D) vectors at length 1; a zero vector stays zero, and its gradient finite.

    PyTorch's own divides by 1e-12 there, so that a dead embedding would get a gradient of 1e12.
    """
    lengths: Tensor = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return vectors / lengths.where(lengths > 0, 1)
