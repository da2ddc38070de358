"""Mated pairs some at a time, each against all others: time for every triplet, memory for a few."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from mien.training.losses.pairs.indices import Triplets, no_triplets
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
        lacking, chosen = _lacking(distances, non_mated, anchors, own, margin, semi_hard)
        total += functional.softplus(lacking).where(chosen, 0).sum(dtype=torch.float64)
        slopes = lacking.sigmoid().where(chosen, 0)
        weights[anchors, positives] = slopes.sum(dim=1)
        weights.index_add_(0, anchors, slopes, alpha=-1)
        count += chosen.sum()
    return TripletSum(total.to(distances.dtype), weights, count)


def violating_triplets(
    distances: Tensor, mated: Tensor, non_mated: Tensor, margin: float, *, semi_hard: bool = False
) -> Triplets:
    """The triplets with d⁻ < d⁺ + α, or the semi-hard ones of them: by anchor, positive, negative.

    Args:
        distances: (N, M).
        mated: (N, M) bool.
        non_mated: (N, M) bool.
        margin: α.
        semi_hard: Only triplets with d⁺ < d⁻ < d⁺ + α.
    """
    found = [no_triplets(distances.device)]
    for anchors, positives, own in mated_blocks(distances, mated):
        lacking, chosen = _lacking(distances, non_mated, anchors, own, margin, semi_hard)
        pairs, negatives = (chosen & (lacking > 0)).nonzero().unbind(1)
        found.append((anchors[pairs], positives[pairs], negatives))
    anchors, positives, negatives = (torch.cat(parts) for parts in zip(*found, strict=True))
    return anchors, positives, negatives


def _lacking(
    distances: Tensor, non_mated: Tensor, anchors: Tensor, own: Tensor, margin: float, semi_hard: bool
) -> tuple[Tensor, Tensor]:
    """(B, M) d⁺ − d⁻ + α of some mated pairs with all others, and which of them are triplets that count."""
    to_others = distances[anchors]
    lacking = own[:, None] - to_others + margin
    chosen = non_mated[anchors]
    return lacking, chosen & (lacking > 0) & (to_others > own[:, None]) if semi_hard else chosen
