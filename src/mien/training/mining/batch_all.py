"""Every triplet of the batch."""

from torch import Tensor

from mien.training.losses.loss import Indices
from mien.training.losses.pairs import Distance, all_triplets
from mien.training.losses.ranges import at_least
from mien.training.losses.triplets import violating_triplets
from mien.training.mining.miner import Miner


class BatchAll(Miner):
    """Every triplet, or every one that lacks a margin: d⁻ < d⁺ + α.

    Hermans, Beyer & Leibe, In Defense of the Triplet Loss for Person Re-Identification, 2017, equation 6. The list is
    as long as there are triplets, N·K·N; `Triplet(mining="batch_all")` does without one.

    Args:
        margin: α, at least 0; None for every triplet.
        distance: As for `Miner`.
        normalize: As for `Miner`.

    Raises:
        ValueError: An argument is outside its range.
    """

    def __init__(
        self, margin: float | None = None, distance: Distance = "squared_euclidean", normalize: bool = True
    ) -> None:
        super().__init__(distance, normalize)
        if margin is not None:
            at_least(0, margin=margin)
        self.margin = margin

    def _choose(self, distances: Tensor, mated: Tensor, non_mated: Tensor, dimensions: int) -> Indices:
        if self.margin is None:
            return all_triplets(mated, non_mated)
        return violating_triplets(distances, mated, non_mated, self.margin)
