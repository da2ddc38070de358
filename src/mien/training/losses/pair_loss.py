"""Losses on how embeddings lie to one another, pair by pair."""

from abc import abstractmethod
from typing import Literal, get_args

import torch
from torch import Tensor

from mien.training.losses.loss import Indices, Loss
from mien.training.losses.pairs import alike, as_masks, mated_and_not

Average = Literal["all", "active"]
"""Over what a mean is: all that was compared, or only what has a loss above 0."""
AVERAGES: tuple[Average, ...] = get_args(Average)


class PairLoss(Loss):
    """A loss on mated and non-mated pairs: of a batch, or of a batch and others such as a memory of earlier batches.

    A new one is one file with `_of_pairs`, and one line in the registry.
    """

    def forward(
        self,
        embeddings: Tensor,
        labels: Tensor,
        indices_tuple: Indices | None = None,
        ref_emb: Tensor | None = None,
        ref_labels: Tensor | None = None,
    ) -> Tensor:
        """The loss.

        Args:
            embeddings: (N, D) floating, raw: not of unit length. N may be 0; the loss of nothing is 0.
            labels: (N,) integer: whose each is.
            indices_tuple: What a miner chose; None for all of it.
            ref_emb: (M, D) floating, what the embeddings are compared with; None for themselves. The names are
                PyTorch-metric-learning's.
            ref_labels: (M,) integer: whose each of those is.

        Returns:
            A scalar.

        Raises:
            ValueError: The shapes don't fit, or one of `ref_emb` and `ref_labels` is missing.
            TypeError: Embeddings are not floating, or labels not integers.
        """
        if ref_emb is None and ref_labels is None:
            return super().forward(embeddings, labels, indices_tuple)
        if ref_emb is None or ref_labels is None:
            raise ValueError("ref_emb and ref_labels go together")
        for vectors, whose in ((embeddings, labels), (ref_emb, ref_labels)):
            self._check_embeddings(vectors)
            self._check_labels(vectors, whose)
        if indices_tuple is None:
            masks = mated_and_not(labels.to(embeddings.device), ref_labels.to(embeddings.device))
            return self.of_pairs(embeddings, ref_emb, *masks)
        with torch.autocast(embeddings.device.type, enabled=False):
            return self._of_choice(*alike(embeddings, ref_emb), indices_tuple)

    def of_pairs(self, anchors: Tensor, others: Tensor, mated: Tensor, non_mated: Tensor) -> Tensor:
        """The loss over the pairs that two masks say; pairs that neither says don't count.

        Args:
            anchors: (N, D) floating, raw.
            others: (M, D) floating, raw.
            mated: (N, M) bool: of one person.
            non_mated: (N, M) bool: of two.

        Returns:
            A scalar.
        """
        with torch.autocast(anchors.device.type, enabled=False):
            return self._of_pairs(*alike(anchors, others), mated, non_mated)

    @abstractmethod
    def _of_pairs(self, anchors: Tensor, others: Tensor, mated: Tensor, non_mated: Tensor) -> Tensor:
        """`of_pairs` of float32 or float64; `others` are the anchors themselves for the pairs of a batch."""
        raise NotImplementedError

    def _of_choice(self, anchors: Tensor, others: Tensor, indices: Indices) -> Tensor:
        """The scalar, over what a miner chose: rows of (N, D) `anchors` and of (M, D) `others`."""
        return self._of_pairs(anchors, others, *as_masks(indices, (len(anchors), len(others)), anchors.device))

    def _value(self, embeddings: Tensor, labels: Tensor, indices_tuple: Indices | None) -> Tensor:
        if indices_tuple is not None:
            return self._of_choice(embeddings, embeddings, indices_tuple)
        return self._of_pairs(embeddings, embeddings, *mated_and_not(labels))


def mean_where(values: Tensor, chosen: Tensor) -> Tensor:
    """The mean of those of `values` that a mask of the same shape says; 0 where it says none."""
    return values.where(chosen, 0).sum() / chosen.sum().clamp(min=1)
