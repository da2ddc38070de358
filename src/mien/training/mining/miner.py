"""What every miner is: a module that takes embeddings and labels, and says which pairs or triplets count."""

from abc import abstractmethod

import torch
from torch import Tensor, nn

from mien.training.losses.loss import Indices
from mien.training.losses.pairs import Distance, Distances, alike, mated_and_not


class Miner(nn.Module):
    """A choice of pairs or triplets by the distances within a batch, or between it and others.

    A new miner is one file with `_choose`, and one line in `mien.training.mining.registry.MINERS`.

    Args:
        distance: ``"squared_euclidean"``, ``"euclidean"`` or ``"cosine"``, as the loss has.
        normalize: Whether embeddings are brought to unit length first, as the loss does.

    Raises:
        ValueError: There is no such distance.
    """

    def __init__(self, distance: Distance = "squared_euclidean", normalize: bool = True) -> None:
        super().__init__()
        self.distances = Distances(distance, normalize)

    def forward(
        self, embeddings: Tensor, labels: Tensor, ref_emb: Tensor | None = None, ref_labels: Tensor | None = None
    ) -> Indices:
        """The choice.

        Args:
            embeddings: (N, D) floating, raw.
            labels: (N,) integer: whose each is.
            ref_emb: (M, D) floating, from which positives and negatives are; None for the embeddings themselves.
            ref_labels: (M,) integer: whose each of those is.

        Returns:
            (anchors, positives, negatives), or (anchors, positives, anchors, negatives): int64 rows.

        Raises:
            ValueError: The shapes don't fit.
        """
        if (ref_emb is None) != (ref_labels is None):
            raise ValueError("ref_emb and ref_labels go together")
        for vectors, whose in ((embeddings, labels), (ref_emb, ref_labels)):
            if vectors is not None and whose is not None and (vectors.ndim != 2 or whose.shape != vectors.shape[:1]):
                raise ValueError(f"labels of shape {tuple(whose.shape)} for embeddings of {tuple(vectors.shape)}")
        labels = labels.to(embeddings.device)
        masks = mated_and_not(labels, None if ref_labels is None else ref_labels.to(embeddings.device))
        return self.of_pairs(embeddings, embeddings if ref_emb is None else ref_emb, *masks)

    @torch.no_grad()
    def of_pairs(self, anchors: Tensor, others: Tensor, mated: Tensor, non_mated: Tensor) -> Indices:
        """The choice from the pairs that two masks say; pairs that neither says are never chosen.

        Args:
            anchors: (N, D) floating, raw.
            others: (M, D) floating, raw; the anchors themselves for the pairs of a batch.
            mated: (N, M) bool: of one person.
            non_mated: (N, M) bool: of two.

        Returns:
            As the call.
        """
        with torch.autocast(anchors.device.type, enabled=False):
            distances = self.distances.matrix(*alike(anchors, others))
        return self._choose(distances, mated, non_mated, anchors.shape[1])

    @abstractmethod
    def _choose(self, distances: Tensor, mated: Tensor, non_mated: Tensor, dimensions: int) -> Indices:
        """The choice, from (N, M) distances and who is mated with whom; embeddings have so many dimensions."""
        raise NotImplementedError
