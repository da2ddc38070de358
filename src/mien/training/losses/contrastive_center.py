"""Embeddings nearer to the centre of their class than to all other centres together."""

import math

import torch
from torch import Tensor, nn

from mien.training.losses.loss import Indices, Loss
from mien.training.losses.pairs import Distances
from mien.training.losses.ranges import above, at_least


def contrastive_center_losses(squares: Tensor, labels: Tensor, delta: float) -> Tensor:
    """½·‖x − c_y‖² / (Σ_{j≠y} ‖x − c_j‖² + δ).

    Qi & Su, Contrastive-Center Loss for Deep Neural Networks, ICIP 2017, equation 4.

    Args:
        squares: (N, C) ‖x − c_j‖².
        labels: (N,) int64, 0 … C − 1.
        delta: δ.

    Returns:
        (N,).
    """
    own = squares.gather(1, labels[:, None])[:, 0]
    return own / (squares.sum(dim=1) - own + delta) / 2


class ContrastiveCenterLoss(Loss):
    """The mean of `contrastive_center_losses`, for use beside a softmax.

    Qi & Su, Contrastive-Center Loss for Deep Neural Networks, ICIP 2017. The paper sums over the batch where this takes
    the mean. The centres are learnt along the gradient, by the optimiser. A choice of a miner changes nothing.

    Args:
        num_classes: C, at least 2.
        embedding_size: D, at least 1.
        delta: δ, above 0, so that nothing is divided by 0.

    Attributes:
        centers: (C, D).

    Raises:
        ValueError: An argument is outside its range.
    """

    num_classes: int

    def __init__(self, num_classes: int, embedding_size: int, delta: float = 1.0) -> None:
        super().__init__()
        at_least(2, num_classes=num_classes)
        at_least(1, embedding_size=embedding_size)
        above(0, delta=delta)
        self.num_classes, self.embedding_size, self.delta = num_classes, embedding_size, delta
        self.centers = nn.Parameter(torch.randn(num_classes, embedding_size) / math.sqrt(embedding_size))

    def _value(self, embeddings: Tensor, labels: Tensor, indices_tuple: Indices | None) -> Tensor:
        squares = Distances("squared_euclidean", normalize=False).matrix(embeddings, self.centers.to(embeddings.dtype))
        losses = contrastive_center_losses(squares.clamp(min=0), labels, self.delta)
        return losses.sum() / max(len(losses), 1)
