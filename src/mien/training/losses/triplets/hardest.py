"""One triplet an anchor, or one a mated pair: the hardest of its kind."""

import math

import torch
from torch import Tensor

from mien.training.losses.pairs.indices import Triplets, no_triplets
from mien.training.losses.triplets.blocks import mated_blocks


def batch_hard(distances: Tensor, mated: Tensor, non_mated: Tensor) -> Triplets:
    """For each anchor its farthest mated and its nearest non-mated other; anchors that lack either have no triplet.

    Hermans, Beyer & Leibe, In Defense of the Triplet Loss for Person Re-Identification, 2017, equation 5.

    Args:
        distances: (N, M).
        mated: (N, M) bool.
        non_mated: (N, M) bool.
    """
    if not distances.shape[1]:
        return no_triplets(distances.device)
    farthest, positives = distances.masked_fill(~mated, -math.inf).max(dim=1)
    nearest, negatives = distances.masked_fill(~non_mated, math.inf).min(dim=1)
    anchors = ((farthest > -math.inf) & (nearest < math.inf)).nonzero()[:, 0]
    return anchors, positives[anchors], negatives[anchors]


def hardest_semi_hard(distances: Tensor, mated: Tensor, non_mated: Tensor) -> Triplets:
    """For each mated pair the nearest non-mated other that is farther from the anchor than the mated one is.

    Schroff, Kalenichenko & Philbin, FaceNet, CVPR 2015, section 3.2, equation 4. Pairs that are farther apart than all
    non-mated ones have no triplet.

    Args:
        distances: (N, M).
        mated: (N, M) bool.
        non_mated: (N, M) bool.
    """
    candidates = distances.masked_fill(~non_mated, math.inf)
    found = [no_triplets(distances.device)]
    for anchors, positives, own in mated_blocks(distances, mated):
        to_others = candidates[anchors]
        nearest, negatives = to_others.masked_fill_(to_others <= own[:, None], math.inf).min(dim=1)
        there = nearest < math.inf
        found.append((anchors[there], positives[there], negatives[there]))
    anchors, positives, negatives = (torch.cat(parts) for parts in zip(*found, strict=True))
    return anchors, positives, negatives
