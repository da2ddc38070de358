"""Pairs that tell something beside the other pairs of their anchor."""

from torch import Tensor

from mien.training.losses import multi_similarity_pairs
from mien.training.losses.loss import Indices
from mien.training.losses.ranges import at_least
from mien.training.mining.miner import Miner


class MultiSimilarityPairs(Miner):
    """Mated pairs less alike than the anchor's most alike non-mated one, and the other way round, each with leeway ε.

    Wang et al., Multi-Similarity Loss with General Pair Weighting for Deep Metric Learning, CVPR 2019, equations 11 and
    12, on cosines. `MultiSimilarity` chooses so by itself.

    Args:
        epsilon: ε, at least 0.

    Raises:
        ValueError: ε is negative.
    """

    def __init__(self, epsilon: float = 0.1) -> None:
        super().__init__("cosine")
        at_least(0, epsilon=epsilon)
        self.epsilon = epsilon

    def _choose(self, distances: Tensor, mated: Tensor, non_mated: Tensor, dimensions: int) -> Indices:
        mated, non_mated = multi_similarity_pairs(1 - distances, mated, non_mated, self.epsilon)
        return *mated.nonzero().unbind(1), *non_mated.nonzero().unbind(1)
