"""Who is mated with whom, as matrices."""

import torch
from torch import Tensor

from mien.training.losses.loss import Indices
from mien.training.losses.pairs.indices import as_pairs


def mated_and_not(labels: Tensor, other_labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Which pairs are of one person, and which of two.

    Args:
        labels: (N,) whose each anchor is.
        other_labels: (M,) whose each of the others is; None where they are the anchors themselves, of which none is
            mated with itself.

    Returns:
        (N, M) bool mated, (N, M) bool non-mated.
    """
    same = labels[:, None] == (labels if other_labels is None else other_labels)
    if other_labels is None:
        return same.clone().fill_diagonal_(False), ~same
    return same, ~same


def as_masks(indices: Indices, shape: tuple[int, int], device: torch.device) -> tuple[Tensor, Tensor]:
    """What a miner chose, as `mated_and_not` gives it: however often a pair is in it, it counts once."""
    anchors, positives, other_anchors, negatives = as_pairs(indices, device)
    mated = torch.zeros(shape, dtype=torch.bool, device=device)
    non_mated = torch.zeros_like(mated)
    mated[anchors, positives] = True
    non_mated[other_anchors, negatives] = True
    return mated, non_mated
