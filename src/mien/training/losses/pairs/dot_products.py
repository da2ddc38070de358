"""All dot products of two sets of vectors, or within one."""

from typing import Any

import torch
from torch import Tensor


def dot_products(anchors: Tensor, others: Tensor) -> Tensor:
    """(N, M) dot products of (N, D) anchors with (M, D) others.

    Within one set, where both are the same tensor, the gradient of x·xᵀ is (G + Gᵀ)·x: one matrix product, where
    PyTorch, which can't know that G belongs to both factors, makes two.
    """
    if anchors is not others:
        return anchors @ others.T
    products: Tensor = _Gram.apply(anchors)  # type: ignore[no-untyped-call]
    return products


class _Gram(torch.autograd.Function):
    @staticmethod
    def forward(vectors: Tensor) -> Tensor:
        return vectors @ vectors.T

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (vectors,) = ctx.saved_tensors
        both: Tensor = (gradient + gradient.T) @ vectors
        return both
