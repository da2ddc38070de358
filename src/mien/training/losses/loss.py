"""What every loss is: a module that takes embeddings and labels, and gives one number to make small."""

import math
from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.training.large_heads.huge_pages import on_huge_pages
from mien.training.losses.ranges import at_least

Indices = tuple[Tensor, ...]
"""What a miner chose: (anchors, positives, negatives), or (anchors, positives, anchors, negatives)."""


class Loss(nn.Module):
    """A loss on the embeddings of a batch.

    The call is PyTorch-metric-learning's, so that its trainers and miners take these losses. A loss computes in float32
    at least, also under autocast, and answers in the precision it computed in: float64 for float64, else float32.

    A new loss is one file with `_value`, and one line in `mien.training.losses.registry.LOSSES`.

    Attributes:
        embedding_size: D, if the loss is built for one; None takes any.
        num_classes: C, if the loss knows classes, with labels in 0 … C − 1; None takes any label.
    """

    embedding_size: int | None = None
    num_classes: int | None = None

    def forward(self, embeddings: Tensor, labels: Tensor, indices_tuple: Indices | None = None) -> Tensor:
        """The loss.

        Args:
            embeddings: (N, D) floating, raw: not of unit length. N may be 0; the loss of nothing is 0.
            labels: (N,) integer: whose each is.
            indices_tuple: What a miner chose of the batch; None for all of it.

        Returns:
            A scalar.

        Raises:
            ValueError: The shapes don't fit, or a label is not one of the classes.
            TypeError: The embeddings are not floating, or the labels not integers.
        """
        self._check_embeddings(embeddings)
        self._check_labels(embeddings, labels)
        labels = labels.to(embeddings.device, torch.int64)
        with torch.autocast(embeddings.device.type, enabled=False):
            embeddings = at_least_float32(embeddings)
            if self.training and len(embeddings):
                with torch.no_grad():
                    self._observe(embeddings, labels)
            return self._value(embeddings, labels, indices_tuple)

    @abstractmethod
    def _value(self, embeddings: Tensor, labels: Tensor, indices_tuple: Indices | None) -> Tensor:
        """The scalar, from (N, D) float32 or float64 and (N,) int64."""
        raise NotImplementedError

    def _observe(self, embeddings: Tensor, labels: Tensor) -> None:
        """Keep what the loss remembers from batch to batch: called once a batch, in training mode, without gradient."""

    def _check_embeddings(self, embeddings: Tensor) -> None:
        if embeddings.ndim != 2:
            raise ValueError(f"embeddings must be a matrix (N, D), not of shape {tuple(embeddings.shape)}")
        if not embeddings.is_floating_point():
            raise TypeError(f"embeddings must be floating, not {embeddings.dtype}")
        if self.embedding_size is not None and embeddings.shape[1] != self.embedding_size:
            raise ValueError(
                f"embeddings have length {embeddings.shape[1]}, but the loss was built for {self.embedding_size}"
            )

    def _check_labels(self, embeddings: Tensor, labels: Tensor) -> None:
        if labels.shape != embeddings.shape[:1]:
            raise ValueError(f"labels of shape {tuple(labels.shape)} for embeddings of shape {tuple(embeddings.shape)}")
        if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
            raise TypeError(f"labels must be integers, not {labels.dtype}")
        if self.num_classes is not None and len(labels) and not 0 <= labels.min() <= labels.max() < self.num_classes:
            raise ValueError(
                f"labels must lie in 0 … {self.num_classes - 1}, not {int(labels.min())} … {int(labels.max())}"
            )


class ClassificationLoss(Loss):
    """A head that knows each class by a vector: cross-entropy over what the head makes of the vectors.

    A new head is one file with `_logits`, and `_margin_logits` if training makes it harder for the right class.
    With pairs or triplets from a miner, a sample weighs as often as it was chosen, against the most frequent one.

    Args:
        num_classes: C, at least 2.
        embedding_size: D, at least 1.

    Attributes:
        weight: (C, D) the classes' vectors; about unit length at first.

    Raises:
        ValueError: A size is too small.
    """

    num_classes: int
    embedding_size: int

    def __init__(self, num_classes: int, embedding_size: int) -> None:
        super().__init__()
        at_least(2, num_classes=num_classes)
        at_least(1, embedding_size=embedding_size)
        self.num_classes = num_classes
        self.embedding_size = embedding_size
        self.weight = nn.Parameter(on_huge_pages(num_classes, embedding_size).normal_().div_(math.sqrt(embedding_size)))

    def logits(self, embeddings: Tensor) -> Tensor:
        """How much each embedding looks like each class, without margin: what a closed set is classified by.

        Args:
            embeddings: (N, D) raw.

        Returns:
            (N, C), greater = more alike.
        """
        self._check_embeddings(embeddings)
        with torch.autocast(embeddings.device.type, enabled=False):
            return self._logits(at_least_float32(embeddings))

    def margin_logits(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """What cross-entropy is given: `logits` with the margin on each embedding's own class.

        Args:
            embeddings: (N, D) raw.
            labels: (N,) integer, 0 … C − 1.

        Returns:
            (N, C).
        """
        self._check_embeddings(embeddings)
        self._check_labels(embeddings, labels)
        with torch.autocast(embeddings.device.type, enabled=False):
            return self._margin_logits(at_least_float32(embeddings), labels.to(embeddings.device, torch.int64))

    @abstractmethod
    def _logits(self, embeddings: Tensor) -> Tensor:
        """(N, C) of (N, D) float32 or float64."""
        raise NotImplementedError

    def _margin_logits(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """(N, C) of (N, D) float32 or float64 and (N,) int64."""
        return self._logits(embeddings)

    def _losses(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """(N,) the loss of each sample."""
        return functional.cross_entropy(self._margin_logits(embeddings, labels), labels, reduction="none")

    def _value(self, embeddings: Tensor, labels: Tensor, indices_tuple: Indices | None) -> Tensor:
        losses = self._losses(embeddings, labels)
        if indices_tuple is not None and any(len(indices) for indices in indices_tuple):
            chosen = torch.cat(indices_tuple).to(labels.device).bincount(minlength=len(labels))
            losses = losses * (chosen / chosen.max()).to(losses.dtype)
        return losses.sum() / max(len(losses), 1)


def at_least_float32(values: Tensor) -> Tensor:
    """Half precisions as float32; the others as they are."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
