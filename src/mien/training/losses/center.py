"""Embeddings near the centre of their class, which follows them."""

import math

import torch
from torch import Tensor

from mien.training.losses.loss import Indices, Loss
from mien.training.losses.ranges import at_least, within


def center_losses(embeddings: Tensor, centers: Tensor, labels: Tensor) -> Tensor:
    """½‖x − c_y‖².

    Wen, Zhang, Li & Qiao, A Discriminative Feature Learning Approach for Deep Face Recognition, ECCV 2016, equation 2.

    Args:
        embeddings: (N, D) raw.
        centers: (C, D).
        labels: (N,) int64, 0 … C − 1.

    Returns:
        (N,).
    """
    return (embeddings - centers[labels]).square().sum(dim=1) / 2


def center_steps(embeddings: Tensor, centers: Tensor, labels: Tensor) -> Tensor:
    """Δc = Σ_{y=j} (c_j − x) / (1 + how many there are), for each class: towards its embeddings, against Δc.

    Wen et al. 2016, equation 4. The 1 makes a class of few embeddings move less.

    Args:
        embeddings: (N, D) raw.
        centers: (C, D).
        labels: (N,) int64, 0 … C − 1.

    Returns:
        (C, D); 0 for classes without an embedding.
    """
    counts = labels.bincount(minlength=len(centers)).to(centers.dtype)
    sums = torch.zeros_like(centers).index_add_(0, labels, centers[labels] - embeddings.to(centers.dtype))
    return sums / (1 + counts)[:, None]


class CenterLoss(Loss):
    """The mean of `center_losses`, for use beside a softmax: L = L_softmax + λ·this.

    Wen et al., A Discriminative Feature Learning Approach for Deep Face Recognition, ECCV 2016, algorithm 1. Alone it
    is least where all embeddings are one point. λ is the share of this loss in a joint objective; the paper sums over
    the batch where this takes the mean. Each call in training mode moves the centres, c ← c − α·Δc, after the loss was
    computed with them where they were: no optimiser does, and α is their own rate. A choice of a miner changes nothing.

    Args:
        num_classes: C, at least 1.
        embedding_size: D, at least 1.
        alpha: α, from 0 to 1.

    Attributes:
        centers: (C, D).

    Raises:
        ValueError: An argument is outside its range.
    """

    centers: Tensor
    num_classes: int

    def __init__(self, num_classes: int, embedding_size: int, alpha: float = 0.5) -> None:
        super().__init__()
        at_least(1, num_classes=num_classes, embedding_size=embedding_size)
        within(0, 1, alpha=alpha)
        self.num_classes, self.embedding_size, self.alpha = num_classes, embedding_size, alpha
        self.register_buffer("centers", torch.randn(num_classes, embedding_size) / math.sqrt(embedding_size))

    def _value(self, embeddings: Tensor, labels: Tensor, indices_tuple: Indices | None) -> Tensor:
        losses = center_losses(embeddings, self.centers.to(embeddings.dtype), labels)
        if self.training:
            with torch.no_grad():
                self.centers -= self.alpha * center_steps(embeddings, self.centers, labels)
        return losses.sum() / max(len(losses), 1)
