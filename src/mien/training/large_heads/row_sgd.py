"""Stochastic gradient descent that leaves rows alone which took no part in a step."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

BLOCK = 2**20
"""Values moved at a time: no second copy of the gradient is made."""


class RowSGD(torch.optim.Optimizer):
    """v ← μ·v + g + λ·w; w ← w − η·v; where the gradient is sparse, for its rows alone.

    What a head over a share of the classes needs: PyTorch's SGD keeps the momentum of sparse gradients as a sparse
    tensor that takes in more rows with every step. For dense gradients it moves as that one does.

    Args:
        params: The parameters, of shape (C, …), or groups of them.
        lr: η, at least 0.
        momentum: μ, in [0, 1).
        weight_decay: λ, at least 0; of the rows that move.

    Raises:
        ValueError: An argument is outside its range.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        lr: float,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
    ) -> None:
        if lr < 0 or not 0 <= momentum < 1 or weight_decay < 0:
            raise ValueError(f"lr {lr}, momentum {momentum} or weight_decay {weight_decay} is outside its range")
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Move every parameter that has a gradient."""
        with torch.enable_grad():
            loss = closure() if closure else None
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, parameter.grad, group["lr"], group["momentum"], group["weight_decay"])
        return loss

    def _move(self, parameter: Tensor, gradient: Tensor, lr: float, momentum: float, weight_decay: float) -> None:
        rows, values = _rows_of(gradient)
        velocity = None
        if momentum:
            if parameter not in self.state:
                self.state[parameter]["velocity"] = torch.zeros_like(parameter)
            velocity = self.state[parameter]["velocity"]
        size = max(1, BLOCK // parameter[0].numel())
        for start in range(0, len(values), size):
            part = slice(start, start + size)
            here = part if rows is None else rows[part]
            weights = parameter[here]
            step = values[part].add(weights, alpha=weight_decay) if weight_decay else values[part]
            if velocity is not None:
                step = velocity[here].mul(momentum).add_(step)
                velocity[here] = step
            parameter[here] = weights.add(step, alpha=-lr)


def _rows_of(gradient: Tensor) -> tuple[Tensor | None, Tensor]:
    """Which rows a gradient is of, each once, and their values; None for all rows."""
    if not gradient.is_sparse:
        return None, gradient
    # Autograd forgets that a gradient is coalesced; to do that again would copy it.
    rows = gradient._indices()[0]
    if gradient._indices().shape[0] > 1 or not (rows[1:] > rows[:-1]).all():
        gradient = gradient.coalesce()
        rows = gradient.indices()[0]
    return rows, gradient._values()
