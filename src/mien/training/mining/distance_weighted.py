"""Negatives of every distance alike, where most of a sphere is at one distance."""

import math

import torch
from torch import Tensor

from mien.training.losses.loss import Indices
from mien.training.losses.pairs.indices import no_triplets, places_in_rows
from mien.training.losses.ranges import above, within
from mien.training.mining.miner import Miner


def distance_weights(distances: Tensor, dimensions: int, nearest: float = 0.5) -> Tensor:
    """The logarithm of 1/q(d), where q(d) says how often two directions of D numbers are d apart.

    q(d) ∝ d^(D−2)·(1 − d²/4)^((D−3)/2).

    Wu, Manmatha, Smola & Krähenbühl, Sampling Matters in Deep Embedding Learning, ICCV 2017, section 4, equation 1.

    Args:
        distances: (…) Euclidean distances of unit vectors, 0 to 2.
        dimensions: D, at least 2.
        nearest: Smaller distances weigh as this one, so that noise near 0 doesn't get all the weight.

    Returns:
        (…), up to a constant; at 2, where q is 0, as a little before.
    """
    distances = distances.clamp(min=nearest, max=math.sqrt(4 * (1 - 1e-6)))
    return -(dimensions - 2) * distances.log() - (dimensions - 3) / 2 * torch.log1p(-distances.square() / 4)


class DistanceWeighted(Miner):
    """For each mated pair a negative, drawn with a probability of 1/q(d): see `distance_weights`.

    Wu et al., Sampling Matters in Deep Embedding Learning, ICCV 2017, section 4. Embeddings count at unit length.
    Draws from PyTorch's own generator, so `torch.manual_seed` decides, and a state of it that is kept goes on the same.
    An anchor without a negative that is near enough has no triplet.

    Args:
        nearest: Negatives nearer than this weigh as much as one at it; above 0, up to 2.
        farthest: Negatives farther than this are never drawn, as their loss would be 0; 0 to 2. The paper's authors
            draw up to 1.4; strangers are about √2 apart, on either side.

    Raises:
        ValueError: An argument is outside its range.
    """

    def __init__(self, nearest: float = 0.5, farthest: float = 1.4) -> None:
        super().__init__("euclidean")
        above(0, nearest=nearest)
        within(0, 2, nearest=nearest, farthest=farthest)
        self.nearest, self.farthest = nearest, farthest

    def _choose(self, distances: Tensor, mated: Tensor, non_mated: Tensor, dimensions: int) -> Indices:
        candidates = non_mated & (distances < self.farthest)
        logits = distance_weights(distances, dimensions, self.nearest).masked_fill(~candidates, -math.inf)
        anchors, positives = (mated & candidates.any(dim=1, keepdim=True)).nonzero().unbind(1)
        if not len(anchors):
            return no_triplets(distances.device)
        # Each row has its own scale, so that no anchor's weights vanish beside another's; drawn on the CPU, whose
        # generator is the one that a run keeps.
        rows, row = torch.unique(anchors, return_inverse=True)
        places = places_in_rows(row, len(rows))
        draws = torch.multinomial(logits[rows].softmax(dim=1).cpu(), int(places.max()) + 1, replacement=True)
        return anchors, positives, draws.to(distances.device)[row, places]
