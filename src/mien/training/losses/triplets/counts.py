"""Sums of hinges over all triplets of a batch, without a list or a tensor of them.

A hinge is linear where it is above 0, so a sum of them needs to know only in how many triplets each distance is, which
sorting says: for an anchor with K mated others, each of the M distances is looked up among the K sorted ones.
"""

import math

import torch
from torch import Tensor

from mien.training.losses.pairs.indices import places_in_rows
from mien.training.losses.triplets.sums import TripletSum


def hinge_sum(
    distances: Tensor, mated: Tensor, non_mated: Tensor, margin: float, *, semi_hard: bool = False
) -> TripletSum:
    """Σ max(0, d⁺ − d⁻ + α) over all triplets, or the semi-hard ones: O(N·M·log K) time and O(N·M) memory.

    Args:
        distances: (N, M).
        mated: (N, M) bool, K at most in a row.
        non_mated: (N, M) bool.
        margin: α, at least 0.
        semi_hard: Only triplets with d⁺ < d⁻ < d⁺ + α.

    Returns:
        The sum, in how many triplets each distance is (negative for d⁻), and the number of triplets above 0.
    """
    anchors, positives = mated.nonzero().unbind(1)
    slots = places_in_rows(anchors, len(distances))
    own = distances.new_full((len(distances), int(slots.max()) + 1 if len(slots) else 1), math.inf)
    own[anchors, slots] = distances[anchors, positives]
    own, order = own.sort(dim=1)
    # A triplet is above 0 where d⁺ > d⁻ − α, and semi-hard where also d⁺ < d⁻: a span of the sorted d⁺.
    first = torch.searchsorted(own, distances - margin, right=True)
    if semi_hard:
        last = torch.searchsorted(own, distances)
    else:
        last = mated.sum(dim=1, keepdim=True).expand_as(first)
    first = torch.minimum(first, last)
    in_triplets = (last - first).where(non_mated, 0)
    # How many spans begin at or before each d⁺, less those that end there.
    one = non_mated.to(torch.int64)
    spans = torch.zeros(len(own), own.shape[1] + 1, dtype=torch.int64, device=own.device)
    spans.scatter_add_(1, first, one).scatter_add_(1, last, -one)
    of_sorted = spans.cumsum(dim=1)[:, :-1]
    of_own = torch.zeros_like(of_sorted).scatter_(1, order, of_sorted)
    weights = -in_triplets.to(distances.dtype)
    weights[anchors, positives] = of_own[anchors, slots].to(distances.dtype)
    count = in_triplets.sum()
    value = (weights.double() * distances).sum() + margin * count.double()  # a Python float times int64 is float32
    return TripletSum(value.to(distances.dtype), weights, count)
