"""What miners choose: triplets (anchors, positives, negatives), or pairs (anchors, positives, anchors, negatives)."""

import torch
from torch import Tensor

from mien.training.losses.loss import Indices

Triplets = tuple[Tensor, Tensor, Tensor]
Pairs = tuple[Tensor, Tensor, Tensor, Tensor]


def as_pairs(indices: Indices, device: torch.device) -> Pairs:
    """The mated and the non-mated pairs of a choice, on a device; of triplets, each one's two.

    Raises:
        ValueError: It is neither three nor four tensors.
    """
    moved = _moved(indices, device)
    if len(moved) == 3:
        return moved[0], moved[1], moved[0], moved[2]
    return moved[0], moved[1], moved[2], moved[3]


def as_triplets(indices: Indices, device: torch.device) -> Triplets:
    """The triplets of a choice, on a device; of pairs, each mated one with each non-mated one of the same anchor.

    Raises:
        ValueError: It is neither three nor four tensors.
    """
    moved = _moved(indices, device)
    if len(moved) == 3:
        return moved[0], moved[1], moved[2]
    anchors, positives, other_anchors, negatives = moved
    of_mated, of_non_mated = joined(anchors, other_anchors)
    return anchors[of_mated], positives[of_mated], negatives[of_non_mated]


def all_triplets(mated: Tensor, non_mated: Tensor) -> Triplets:
    """Every mated pair with every non-mated pair of the same anchor, by anchor, positive, negative.

    Args:
        mated: (N, M) bool.
        non_mated: (N, M) bool.
    """
    anchors, positives = mated.nonzero().unbind(1)
    other_anchors, negatives = non_mated.nonzero().unbind(1)
    of_mated, of_non_mated = joined(anchors, other_anchors)
    return anchors[of_mated], positives[of_mated], negatives[of_non_mated]


def no_triplets(device: torch.device) -> Triplets:
    """The choice of nothing."""
    nothing = torch.zeros(0, dtype=torch.int64, device=device)
    return nothing, nothing, nothing


def joined(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Where two lists of anchors have the same one: (J,) positions in `first`, and (J,) in `second`."""
    second, order = second.sort(stable=True)
    start, end = torch.searchsorted(second, first), torch.searchsorted(second, first, right=True)
    counts = end - start
    of_first = torch.repeat_interleave(counts)
    within = torch.arange(len(of_first), device=first.device) - (counts.cumsum(0) - counts)[of_first]
    return of_first, order[start[of_first] + within]


def places_in_rows(rows: Tensor, count: int) -> Tensor:
    """For (P,) entries listed row by row, of `count` rows, the place of each in its row, from 0."""
    lengths = rows.bincount(minlength=count)
    return torch.arange(len(rows), device=rows.device) - (lengths.cumsum(0) - lengths)[rows]


def _moved(indices: Indices, device: torch.device) -> Indices:
    if len(indices) not in {3, 4}:
        raise ValueError(
            "indices_tuple must be (anchors, positives, negatives) or (anchors, positives, anchors, negatives), "
            f"not {len(indices)} tensors"
        )
    return tuple(chosen.to(device) for chosen in indices)
