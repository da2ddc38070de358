"""Pairs weighed by how alike they are, and by how alike the other pairs of their anchor are."""

import math

import torch
from torch import Tensor

from mien.training.losses.pair_loss import PairLoss
from mien.training.losses.pairs import cosine_matrix
from mien.training.losses.ranges import above, at_least, finite


def multi_similarity_losses(
    similarities: Tensor, mated: Tensor, non_mated: Tensor, alpha: float, beta: float, base: float
) -> Tensor:
    """1/α·log(1 + Σ_{mated} e^{−α(s − λ)}) + 1/β·log(1 + Σ_{non-mated} e^{β(s − λ)}), for each anchor.

    Wang et al., Multi-Similarity Loss with General Pair Weighting for Deep Metric Learning, CVPR 2019, equation 15.

    Args:
        similarities: (N, M) cosines.
        mated: (N, M) bool.
        non_mated: (N, M) bool.
        alpha: α, above 0.
        beta: β, above 0.
        base: λ.

    Returns:
        (N,); 0 for an anchor without pairs.
    """
    return (
        _log_one_plus_sum(-alpha * (similarities - base), mated) / alpha
        + _log_one_plus_sum(beta * (similarities - base), non_mated) / beta
    )


def multi_similarity_pairs(
    similarities: Tensor, mated: Tensor, non_mated: Tensor, epsilon: float
) -> tuple[Tensor, Tensor]:
    """The pairs that say something: non-mated ones more alike than the least alike mated one of the anchor, less ε;
    mated ones less alike than its most alike non-mated one, plus ε (Wang et al. 2019, equations 11 and 12).

    Args:
        similarities: (N, M).
        mated: (N, M) bool.
        non_mated: (N, M) bool.
        epsilon: ε.

    Returns:
        (N, M) bool of the mated ones, (N, M) bool of the non-mated ones.
    """
    if not similarities.shape[1]:
        return mated, non_mated
    least_mated = similarities.masked_fill(~mated, math.inf).amin(dim=1, keepdim=True)
    most_non_mated = similarities.masked_fill(~non_mated, -math.inf).amax(dim=1, keepdim=True)
    return mated & (similarities < most_non_mated + epsilon), non_mated & (similarities > least_mated - epsilon)


class MultiSimilarity(PairLoss):
    """The mean of `multi_similarity_losses` over all anchors, of the pairs that `multi_similarity_pairs` keeps.

    Wang et al., Multi-Similarity Loss with General Pair Weighting for Deep Metric Learning, CVPR 2019, section 4.

    Args:
        alpha: α, above 0.
        beta: β, above 0.
        base: λ, a cosine; 0.5 is the authors' code's, 1 the paper's.
        epsilon: ε, at least 0; None for all pairs.

    Raises:
        ValueError: An argument is outside its range.
    """

    def __init__(self, alpha: float = 2.0, beta: float = 50.0, base: float = 0.5, epsilon: float | None = 0.1) -> None:
        super().__init__()
        above(0, alpha=alpha, beta=beta)
        finite(base=base)
        if epsilon is not None:
            at_least(0, epsilon=epsilon)
        self.alpha, self.beta, self.base, self.epsilon = alpha, beta, base, epsilon

    def _of_pairs(self, anchors: Tensor, others: Tensor, mated: Tensor, non_mated: Tensor) -> Tensor:
        similarities = cosine_matrix(anchors, others)
        if self.epsilon is not None:
            mated, non_mated = multi_similarity_pairs(similarities.detach(), mated, non_mated, self.epsilon)
        losses = multi_similarity_losses(similarities, mated, non_mated, self.alpha, self.beta, self.base)
        return losses.sum() / max(len(losses), 1)


def _log_one_plus_sum(exponents: Tensor, chosen: Tensor) -> Tensor:
    """(N,) log(1 + Σ e^x) over the chosen ones of each row."""
    one = exponents.new_zeros(len(exponents), 1)
    return torch.cat((exponents.masked_fill(~chosen, -math.inf), one), dim=1).logsumexp(dim=1)
