"""A batch compared with many earlier ones, whose embeddings are kept."""

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from mien.training.arguments import check_arguments
from mien.training.losses.loss import Indices, Loss
from mien.training.losses.pair_loss import PairLoss
from mien.training.losses.pairs import mated_and_not
from mien.training.losses.ranges import at_least


class MinesPairs(Protocol):
    """A miner of `mien.training.mining`."""

    def of_pairs(self, anchors: Tensor, others: Tensor, mated: Tensor, non_mated: Tensor) -> Indices:
        """What it chooses of the pairs that the masks say."""
        ...


class CrossBatchMemory(Loss):
    """A loss on pairs, of a batch's embeddings with the last M, which have no gradient.

    Wang, Zhang, Huang & Scott, Cross-Batch Memory for Embedding Learning, CVPR 2020, algorithm 1. Embeddings drift
    slowly once training is under way, so that old ones still serve, and each anchor meets thousands of others for the
    price of one matrix product. A batch goes into the memory first, in the place of the oldest; no embedding is paired
    with its own copy. In evaluation mode the memory stays as it is. While it is empty a batch is compared with itself.

    Args:
        embedding_size: D, at least 1.
        loss: On pairs: one that is made, or the recipe name of one.
        size: M, at least a batch.
        warm_up: Batches that are compared with themselves at first and not kept, as early embeddings drift fast.
        miner: Of `mien.training.mining`: picks from the batch's pairs with the memory; None for all.
        arguments: The loss's own, where `loss` is a name.

    Attributes:
        memory: (M, D) embeddings.
        whose: (M,) their labels.
        filled: How many there are.
        next: The place of the next.
        batches: How many there were in training.

    Raises:
        ValueError: An argument is outside its range, or `loss` is not on pairs.
        ConfigError: One of `arguments` is not the loss's own, or not of its type.
    """

    memory: Tensor
    whose: Tensor
    filled: Tensor
    next: Tensor
    batches: Tensor
    embedding_size: int

    def __init__(
        self,
        embedding_size: int,
        loss: PairLoss | str = "contrastive",
        size: int = 8192,
        warm_up: int = 0,
        miner: MinesPairs | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        at_least(1, embedding_size=embedding_size, size=size)
        at_least(0, warm_up=warm_up)
        self.embedding_size, self.warm_up, self.miner = embedding_size, warm_up, miner
        self.loss = _opened(loss, arguments or {})
        self.register_buffer("memory", torch.zeros(size, embedding_size))
        self.register_buffer("whose", torch.zeros(size, dtype=torch.int64))
        for name in ("filled", "next", "batches"):
            self.register_buffer(name, torch.tensor(0))

    def _value(self, embeddings: Tensor, labels: Tensor, indices_tuple: Indices | None) -> Tensor:
        """The loss; what a miner chose of the batch itself counts only while there is no memory."""
        own = None
        if self.training and len(embeddings):
            own = self._remember(embeddings.detach(), labels)
            self.batches += 1
        if not self.filled:
            return self.loss.forward(embeddings, labels, indices_tuple)
        others, whose = self.memory[: self.filled].to(embeddings.dtype), self.whose[: self.filled]
        mated, non_mated = mated_and_not(labels, whose)
        if own is not None:
            mated[torch.arange(len(own), device=own.device), own] = False
        if self.miner is None:
            return self.loss.of_pairs(embeddings, others, mated, non_mated)
        chosen = self.miner.of_pairs(embeddings, others, mated, non_mated)
        return self.loss.forward(embeddings, labels, chosen, others, whose)

    def _remember(self, embeddings: Tensor, labels: Tensor) -> Tensor | None:
        """Put a batch into the memory: (N,) its places; None in the warm-up."""
        size = len(self.memory)
        if len(embeddings) > size:
            raise ValueError(f"a batch of {len(embeddings)} does not fit a memory of {size}")
        if self.batches < self.warm_up:
            return None
        places = (self.next + torch.arange(len(embeddings), device=labels.device)) % size
        self.memory[places] = embeddings.to(self.memory.dtype)
        self.whose[places] = labels
        self.next.copy_((self.next + len(embeddings)) % size)
        self.filled.copy_((self.filled + len(embeddings)).clamp(max=size))
        return places


def _opened(loss: PairLoss | str, arguments: Mapping[str, Any]) -> PairLoss:
    if isinstance(loss, PairLoss):
        return loss
    from mien.training.losses.registry import LOSSES

    kind = LOSSES.get(loss) if isinstance(loss, str) else None
    if isinstance(loss, str) and kind is None:
        raise ValueError(f"there is no loss {loss!r}")
    if kind is None or not issubclass(kind, PairLoss):
        raise ValueError(f"the memory needs a loss on pairs, not {loss if kind else type(loss).__name__}")
    check_arguments(f"loss {loss}", kind, arguments)
    return kind(**arguments)
