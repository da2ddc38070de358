"""A sum over very many triplets, with its gradient: all that a loss needs of them."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


@dataclass(frozen=True)
class TripletSum:
    """A sum over triplets.

    Attributes:
        value: () the sum.
        weights: (N, M) its derivative by each distance.
        triplets: () int64, how many are in it.
    """

    value: Tensor
    weights: Tensor
    triplets: Tensor


def differentiable(total: TripletSum, distances: Tensor) -> Tensor:
    """() the sum, with its gradient by the (N, M) distances that it was made from; no second derivative."""
    value: Tensor = _Known.apply(distances, total.value, total.weights)  # type: ignore[no-untyped-call]
    return value


class _Known(torch.autograd.Function):
    @staticmethod
    def forward(distances: Tensor, value: Tensor, weights: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(inputs[2])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (weights,) = ctx.saved_tensors
        return gradient * weights, None, None
