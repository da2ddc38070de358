"""Triplets that the sampler laid side by side."""

import torch
from torch import Tensor, nn

from mien.training.losses.loss import Indices


class AsLaidOut(nn.Module):
    """The batch is triplets in a row: an anchor, its positive, its negative, the next anchor, and so on.

    For batches of `mien.training.sampling.TripletSampler`, which reads what `find_triplets` found.
    """

    def forward(
        self, embeddings: Tensor, labels: Tensor, ref_emb: Tensor | None = None, ref_labels: Tensor | None = None
    ) -> Indices:
        """(anchors, positives, negatives) of a batch.

        Args:
            embeddings: (3T, D).
            labels: (3T,).
            ref_emb: Must be None: triplets are of one batch.
            ref_labels: Must be None.

        Raises:
            ValueError: The batch is not laid out so: its length, or who is mated with whom, is wrong.
        """
        if ref_emb is not None or ref_labels is not None:
            raise ValueError("triplets that are laid out in a batch have no others")
        if len(embeddings) % 3 or labels.shape != embeddings.shape[:1]:
            raise ValueError(f"{len(embeddings)} embeddings and labels {tuple(labels.shape)} are no row of triplets")
        whose = labels.view(-1, 3)
        if ((whose[:, 0] != whose[:, 1]) | (whose[:, 0] == whose[:, 2])).any():
            raise ValueError("the batch is not laid out as anchor, positive, negative: sample with TripletSampler")
        first = torch.arange(0, len(embeddings), 3, device=embeddings.device)
        return first, first + 1, first + 2
