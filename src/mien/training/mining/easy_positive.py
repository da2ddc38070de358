"""The easiest positive of each anchor, so that a person may have several looks."""

import math
from typing import Literal, get_args

from torch import Tensor

from mien.training.losses.loss import Indices
from mien.training.losses.pairs import Distance
from mien.training.losses.pairs.indices import no_triplets
from mien.training.losses.ranges import one_of
from mien.training.mining.miner import Miner

Negatives = Literal["hard", "semi_hard"]


class EasyPositive(Miner):
    """For each anchor its nearest positive, and its nearest negative of all or of those farther than the positive.

    Xuan, Stylianou & Pless, Improved Embeddings with Easy Positive Triplet Mining, WACV 2020, section 3. Photos of one
    person that look quite different needn't meet: each only needs one other near it. Anchors without such a positive or
    negative have no triplet.

    Args:
        negatives: ``"semi_hard"`` (EPSHN) or ``"hard"`` (EPHN).
        distance: As for `Miner`.
        normalize: As for `Miner`.

    Raises:
        ValueError: There are no such negatives.
    """

    def __init__(
        self,
        negatives: Negatives = "semi_hard",
        distance: Distance = "squared_euclidean",
        normalize: bool = True,
    ) -> None:
        super().__init__(distance, normalize)
        one_of(get_args(Negatives), negatives=negatives)
        self.negatives = negatives

    def _choose(self, distances: Tensor, mated: Tensor, non_mated: Tensor, dimensions: int) -> Indices:
        if not distances.shape[1]:
            return no_triplets(distances.device)
        own, positives = distances.masked_fill(~mated, math.inf).min(dim=1)
        candidates = non_mated & (distances > own[:, None]) if self.negatives == "semi_hard" else non_mated
        nearest, negatives = distances.masked_fill(~candidates, math.inf).min(dim=1)
        anchors = ((own < math.inf) & (nearest < math.inf)).nonzero()[:, 0]
        return anchors, positives[anchors], negatives[anchors]
