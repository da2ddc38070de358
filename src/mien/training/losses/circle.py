"""Pairs pulled and pushed the harder, the farther they are from where they should be."""

import math

from torch import Tensor
from torch.nn import functional

from mien.training.losses.pair_loss import PairLoss, mean_where
from mien.training.losses.pairs import cosine_matrix
from mien.training.losses.ranges import above, within


def circle_losses(similarities: Tensor, mated: Tensor, non_mated: Tensor, m: float, gamma: float) -> Tensor:
    """log(1 + Σ_{non-mated} e^{γ·αₙ·(s − m)} · Σ_{mated} e^{−γ·αₚ·(s − 1 + m)}), for each anchor.

    αₙ = max(0, s + m) and αₚ = max(0, 1 + m − s) are weights: they have no gradient. Sun et al., Circle Loss: A Unified
    Perspective of Pair Similarity Optimization, CVPR 2020, equations 4 to 8.

    Args:
        similarities: (N, M) cosines.
        mated: (N, M) bool.
        non_mated: (N, M) bool.
        m: The margin.
        gamma: γ, the scale.

    Returns:
        (N,); 0 for an anchor without mated or without non-mated pairs.
    """
    fixed = similarities.detach()
    push = gamma * (fixed + m).clamp(min=0) * (similarities - m)
    pull = -gamma * (1 + m - fixed).clamp(min=0) * (similarities - 1 + m)
    both = mated.any(dim=1) & non_mated.any(dim=1)
    losses = similarities.new_zeros(len(similarities))
    losses[both] = functional.softplus(
        push.masked_fill(~non_mated, -math.inf)[both].logsumexp(dim=1)
        + pull.masked_fill(~mated, -math.inf)[both].logsumexp(dim=1)
    )
    return losses


class Circle(PairLoss):
    """The mean of `circle_losses` over the anchors that have both mated and non-mated pairs.

    Sun et al., Circle Loss, CVPR 2020, section 3, for labels of pairs. Mated pairs are drawn to a cosine of 1 − m and
    more, non-mated ones to m and less.

    Args:
        m: The margin, from 0 to 1; the paper has 0.25 for faces.
        gamma: γ, the scale, above 0; the paper has 256 for faces.

    Raises:
        ValueError: An argument is outside its range.
    """

    def __init__(self, m: float = 0.25, gamma: float = 256.0) -> None:
        super().__init__()
        within(0, 1, m=m)
        above(0, gamma=gamma)
        self.m, self.gamma = m, gamma

    def _of_pairs(self, anchors: Tensor, others: Tensor, mated: Tensor, non_mated: Tensor) -> Tensor:
        losses = circle_losses(cosine_matrix(anchors, others), mated, non_mated, self.m, self.gamma)
        return mean_where(losses, mated.any(dim=1) & non_mated.any(dim=1))
