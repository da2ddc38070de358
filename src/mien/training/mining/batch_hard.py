"""The hardest positive and negative of each anchor."""

from torch import Tensor

from mien.training.losses.loss import Indices
from mien.training.losses.triplets import batch_hard
from mien.training.mining.miner import Miner


class BatchHard(Miner):
    """For each anchor its farthest positive and its nearest negative.

    Hermans, Beyer & Leibe, In Defense of the Triplet Loss for Person Re-Identification, 2017, equation 5.

    Args:
        distance: As for `Miner`.
        normalize: As for `Miner`.
    """

    def _choose(self, distances: Tensor, mated: Tensor, non_mated: Tensor, dimensions: int) -> Indices:
        return batch_hard(distances, mated, non_mated)
