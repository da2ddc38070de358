"""The network and the losses of a stage as one module whose forward is the weighted sum of the losses.

Where several processes share a batch, each runs the network on its part, and all compute the losses of the whole:
pairs, triplets, centres and memories are those of the batch, whatever it is divided into.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch.distributed as dist
from torch import Tensor, nn

from mien.errors import ConfigError
from mien.training.large_heads.across_processes import gathered
from mien.training.losses import ClassificationLoss
from mien.training.losses.imitation import Imitation


class Part(NamedTuple):
    """One loss of a joint objective.

    Attributes:
        name: As in the recipe.
        loss: The module.
        share: Its weight.
        ramp: Steps over which the weight grows from 0; 0 for none.
        miner: Picks pairs or triplets for it; None for all of the batch.
    """

    name: str
    loss: nn.Module
    share: float = 1.0
    ramp: int = 0
    miner: nn.Module | None = None


class Outcome(NamedTuple):
    """What a step gave, of the whole batch.

    Attributes:
        total: The scalar to make small.
        parts: Each loss before weighting.
        embeddings: (N, D) raw.
        labels: (N,) int64.
    """

    total: Tensor
    parts: dict[str, Tensor]
    embeddings: Tensor
    labels: Tensor


class JointObjective(nn.Module):
    """Σ share·min(1, step/ramp)·loss over the parts.

    Args:
        network: (N, 3, S, S) to (N, D) raw embeddings.
        parts: The losses.
    """

    def __init__(self, network: nn.Module, parts: Sequence[Part]) -> None:
        super().__init__()
        self.network = network
        self.losses = nn.ModuleList(part.loss for part in parts)
        self.parts = tuple(parts)

    @property
    def head(self) -> ClassificationLoss | None:
        """The first loss that classifies, if one does."""
        return next((loss for loss in self.losses if isinstance(loss, ClassificationLoss)), None)

    def forward(self, pictures: Tensor, labels: Tensor, targets: Tensor | None, step: int) -> Outcome:
        """The objective on one batch, or on this process's part of it.

        Args:
            pictures: (n, 3, S, S) float.
            labels: (n,) int64.
            targets: (n, D) embeddings of the teacher, where a loss imitates one.
            step: Steps of this stage that are over.

        Raises:
            ConfigError: A loss can't be computed of such a batch.
        """
        embeddings: Tensor = self.network(pictures)
        embeddings = embeddings.float()
        if dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
            everyone = dist.group.WORLD
            assert everyone is not None
            embeddings, labels = gathered(embeddings, everyone), gathered(labels, everyone)
            targets = None if targets is None else gathered(targets, everyone)
        values: dict[str, Tensor] = {}
        total = embeddings.new_zeros(())
        for part in self.parts:
            try:
                value = _value(part, embeddings, labels, targets)
            except ValueError as problem:
                raise ConfigError(
                    f"The loss {part.name} can't be computed of a batch: {problem}.",
                    hint="Look at its arguments and its miner, and at the sampler that makes the batches.",
                ) from problem
            values[part.name] = value.detach()
            total = total + part.share * (min(1.0, step / part.ramp) if part.ramp else 1.0) * value
        return Outcome(total, values, embeddings.detach(), labels)


def _value(part: Part, embeddings: Tensor, labels: Tensor, targets: Tensor | None) -> Tensor:
    if isinstance(part.loss, Imitation):
        if targets is None:
            raise ValueError("the loss imitation needs a teacher's embeddings")
        value: Tensor = part.loss(embeddings, targets)
    elif part.miner is not None:
        value = part.loss(embeddings, labels, part.miner(embeddings.detach(), labels))
    else:
        value = part.loss(embeddings, labels)
    return value


def mean_stranger_cosine(embeddings: Tensor, labels: Tensor) -> float:
    """Mean cosine between the embeddings of different people of a batch: near 1 when all faces look the same.

    NaN where the batch has one person only.
    """
    directions = nn.functional.normalize(embeddings.float())
    strangers = labels[:, None] != labels[None, :]
    if not strangers.any():
        return float("nan")
    return float((directions @ directions.T)[strangers].mean())
