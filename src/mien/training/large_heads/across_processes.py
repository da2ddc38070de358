"""What processes that hold some of the classes each tell one another; gradients go through it.

Every process computes the same loss of the same batch, so the gradient that each one finds is its part of one sum.
"""

from typing import Protocol

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.distributed import ProcessGroup


def gathered(values: Tensor, group: ProcessGroup, factor: float = 1.0) -> Tensor:
    """The rows of all processes, one process after the other.

    Args:
        values: (n, …) rows; n may differ from process to process.
        group: The processes.
        factor: What the gradient is multiplied by on its way back.
    """
    result: Tensor = _Gathered.apply(values, group, factor)  # type: ignore[no-untyped-call]
    return result


def summed(values: Tensor, group: ProcessGroup) -> Tensor:
    """The sum over the processes, entry by entry."""
    result: Tensor = _Summed.apply(values, group)  # type: ignore[no-untyped-call]
    return result


def log_sum_exp(values: Tensor, group: ProcessGroup) -> Tensor:
    """The log-sum-exp over the processes, entry by entry; one process's value at least must be finite."""
    highest = values.detach().clone()
    dist.all_reduce(highest, dist.ReduceOp.MAX, group)
    return highest + summed((values - highest).exp(), group).log()


class _Context(Protocol):
    """What the forward leaves for the backward: the processes, and which rows came from this one."""

    group: ProcessGroup
    own: slice
    factor: float


class _Gathered(torch.autograd.Function):
    @staticmethod
    def forward(ctx: _Context, values: Tensor, group: ProcessGroup, factor: float) -> Tensor:
        count = torch.tensor([len(values)], device=values.device)
        counts = [torch.empty_like(count) for _ in range(dist.get_world_size(group))]
        dist.all_gather(counts, count, group)
        sizes = [int(each) for each in counts]
        # Collectives want equal shapes; the last batch of an epoch needn't have them.
        padded = values.new_zeros(max(sizes), *values.shape[1:])
        padded[: len(values)] = values
        parts = [torch.empty_like(padded) for _ in sizes]
        dist.all_gather(parts, padded, group)
        before = sum(sizes[: dist.get_rank(group)])
        ctx.group, ctx.own, ctx.factor = group, slice(before, before + len(values)), factor
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])

    @staticmethod
    @once_differentiable
    def backward(ctx: _Context, gradient: Tensor) -> tuple[Tensor | None, ...]:
        whole = gradient.contiguous().clone()
        dist.all_reduce(whole, dist.ReduceOp.SUM, ctx.group)
        return whole[ctx.own] * ctx.factor, None, None


class _Summed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: _Context, values: Tensor, group: ProcessGroup) -> Tensor:
        whole = values.clone()
        dist.all_reduce(whole, dist.ReduceOp.SUM, group)
        return whole

    @staticmethod
    def backward(ctx: _Context, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return gradient, None
