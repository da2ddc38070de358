"""Mated pairs some at a time, each against all others: time for every triplet, memory for a few."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from mien.training.losses.triplets.sums import TripletSum

BLOCK = 2**20
"""Triplets at a time."""


def mated_blocks(distances: Tensor, mated: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Some mated pairs at a time, by anchor: (B,) anchors, (B,) positives and (B,) their distances.

    Args:
        distances: (N, M).
        mated: (N, M) bool.
    """
    anchors, positives = mated.nonzero().unbind(1)
    size = max(1, BLOCK // max(1, distances.shape[1]))
    for chosen in zip(torch.split(anchors, size), torch.split(positives, size), strict=True):
        if len(chosen[0]):
            yield *chosen, distances[chosen]


def soft_sum(
    distances: Tensor, mated: Tensor, non_mated: Tensor, margin: float, *, semi_hard: bool = False
) -> TripletSum:
    """Σ log(1 + e^{d⁺ − d⁻ + α}) over all triplets, or the semi-hard ones: O(triplets) time, O(N·M) memory.

    Args:
        distances: (N, M).
        mated: (N, M) bool.
        non_mated: (N, M) bool.
        margin: α.
        semi_hard: Only triplets with d⁺ < d⁻ < d⁺ + α.
    """
    weights = torch.zeros_like(distances)
    total = distances.new_zeros((), dtype=torch.float64)
    count = torch.zeros((), dtype=torch.int64, device=distances.device)
    for anchors, positives, own in mated_blocks(distances, mated):
        lacking = own[:, None] - distances[anchors] + margin
        chosen = non_mated[anchors]
        if semi_hard:
            chosen &= (lacking > 0) & (distances[anchors] > own[:, None])
        total += functional.softplus(lacking).where(chosen, 0).sum(dtype=torch.float64)
        slopes = lacking.sigmoid().where(chosen, 0)
        weights[anchors, positives] = slopes.sum(dim=1)
        weights.index_add_(0, anchors, slopes, alpha=-1)
        count += chosen.sum()
    return TripletSum(total.to(distances.dtype), weights, count)
