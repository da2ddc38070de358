"""Triplets that lack the margin, but whose negative is farther than their positive."""

from torch import Tensor

from mien.training.losses.loss import Indices
from mien.training.losses.pairs import Distance
from mien.training.losses.ranges import at_least
from mien.training.losses.triplets import hardest_semi_hard, violating_triplets
from mien.training.mining.miner import Miner


class SemiHard(Miner):
    """Every triplet with d⁺ < d⁻ < d⁺ + α: PyTorch-metric-learning's ``TripletMarginMiner`` of type ``semihard``.

    Args:
        margin: α, at least 0, the loss's own.
        distance: As for `Miner`.
        normalize: As for `Miner`.

    Raises:
        ValueError: An argument is outside its range.
    """

    def __init__(self, margin: float = 0.2, distance: Distance = "squared_euclidean", normalize: bool = True) -> None:
        super().__init__(distance, normalize)
        at_least(0, margin=margin)
        self.margin = margin

    def _choose(self, distances: Tensor, mated: Tensor, non_mated: Tensor, dimensions: int) -> Indices:
        return violating_triplets(distances, mated, non_mated, self.margin, semi_hard=True)


class HardestSemiHard(Miner):
    """For each mated pair the nearest negative that is farther than the positive: FaceNet's choice.

    Schroff, Kalenichenko & Philbin, FaceNet, CVPR 2015, section 3.2. See `mien.training.losses.triplets`.

    Args:
        distance: As for `Miner`.
        normalize: As for `Miner`.
    """

    def _choose(self, distances: Tensor, mated: Tensor, non_mated: Tensor, dimensions: int) -> Indices:
        return hardest_semi_hard(distances, mated, non_mated)
