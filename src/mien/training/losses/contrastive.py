"""Mated pairs together, non-mated pairs at least a margin apart."""

import torch
from torch import Tensor

from mien.training.losses.loss import Indices
from mien.training.losses.pair_loss import AVERAGES, Average, PairLoss, mean_where
from mien.training.losses.pairs import Distance, Distances, as_pairs
from mien.training.losses.ranges import at_least, one_of


def contrastive_losses(
    distances: Tensor, mated: Tensor | bool, margin: float, mated_margin: float = 0.0, squared: bool = True
) -> Tensor:
    """½·max(0, d − m⁺)² of mated pairs and ½·max(0, m − d)² of non-mated pairs; without the ½ and ² if not `squared`.

    Hadsell, Chopra & LeCun, Dimensionality Reduction by Learning an Invariant Mapping, CVPR 2006, equation 4, whose m⁺
    is 0.

    Args:
        distances: (…) d.
        mated: (…) bool, or one for all.
        margin: m.
        mated_margin: m⁺.
        squared: Whether the excess is squared and halved.

    Returns:
        (…).
    """
    excess = torch.where(torch.as_tensor(mated), distances - mated_margin, margin - distances).clamp(min=0)
    return excess.square() / 2 if squared else excess


class Contrastive(PairLoss):
    """`contrastive_losses`, the mean over mated pairs plus the mean over non-mated pairs.

    Hadsell, Chopra & LeCun, Dimensionality Reduction by Learning an Invariant Mapping, CVPR 2006, equations 2 and 4;
    they sum over pairs. The two means weigh the same, however many more non-mated pairs there are.

    Args:
        margin: m, above which non-mated pairs are far enough apart; at least 0.
        mated_margin: m⁺, below which mated pairs are near enough; at least 0.
        squared: Whether the excess is squared and halved, as in the paper; else it counts as it is, as in
            PyTorch-metric-learning.
        distance: d: ``"euclidean"``, ``"squared_euclidean"`` or ``"cosine"`` (1 − cos).
        normalize: Whether embeddings are brought to unit length first.
        average: Over ``"all"`` pairs, or over the ``"active"`` ones, whose loss is above 0.

    Raises:
        ValueError: An argument is outside its range.
    """

    def __init__(
        self,
        margin: float = 1.0,
        mated_margin: float = 0.0,
        squared: bool = True,
        distance: Distance = "euclidean",
        normalize: bool = True,
        average: Average = "all",
    ) -> None:
        super().__init__()
        at_least(0, margin=margin, mated_margin=mated_margin)
        one_of(AVERAGES, average=average)
        self.margin, self.mated_margin, self.squared = margin, mated_margin, squared
        self.distances = Distances(distance, normalize)
        self.average = average

    def _of_pairs(self, anchors: Tensor, others: Tensor, mated: Tensor, non_mated: Tensor) -> Tensor:
        losses = self._losses(self.distances.matrix(anchors, others), mated)
        return self._mean(losses, mated) + self._mean(losses, non_mated)

    def _of_choice(self, anchors: Tensor, others: Tensor, indices: Indices) -> Tensor:
        first, positives, other_first, negatives = as_pairs(indices, anchors.device)
        mated = torch.arange(len(first) + len(other_first), device=anchors.device) < len(first)
        distances = self.distances.matrix(anchors, others)
        chosen = distances[torch.cat((first, other_first)), torch.cat((positives, negatives))]
        losses = self._losses(chosen, mated)
        return self._mean(losses, mated) + self._mean(losses, ~mated)

    def _losses(self, distances: Tensor, mated: Tensor) -> Tensor:
        return contrastive_losses(distances, mated, self.margin, self.mated_margin, self.squared)

    def _mean(self, losses: Tensor, chosen: Tensor) -> Tensor:
        return mean_where(losses, chosen & (losses > 0) if self.average == "active" else chosen)
