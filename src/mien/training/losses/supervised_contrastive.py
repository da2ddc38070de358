"""Each anchor's own person, told from everyone in the batch."""

import math

from torch import Tensor

from mien.training.losses.pair_loss import PairLoss, mean_where
from mien.training.losses.pairs import cosine_matrix
from mien.training.losses.ranges import above


def supervised_contrastive_losses(similarities: Tensor, mated: Tensor, non_mated: Tensor, temperature: float) -> Tensor:
    """−1/|P|·Σ_{p∈P} log(e^{s_p/τ} / Σ_{a∈A} e^{s_a/τ}), for each anchor, P its mated pairs and A all of its pairs.

    Khosla et al., Supervised Contrastive Learning, NeurIPS 2020, equation 2.

    Args:
        similarities: (N, M) cosines.
        mated: (N, M) bool, P.
        non_mated: (N, M) bool, the rest of A.
        temperature: τ.

    Returns:
        (N,); 0 for an anchor without mated pairs.
    """
    has_mated = mated.any(dim=1)
    logits, mated, others = (rows[has_mated] for rows in (similarities / temperature, mated, non_mated))
    of_all = logits.masked_fill(~(mated | others), -math.inf).logsumexp(dim=1)
    losses = similarities.new_zeros(len(similarities))
    losses[has_mated] = of_all - logits.where(mated, 0).sum(dim=1) / mated.sum(dim=1)
    return losses


class SupervisedContrastive(PairLoss):
    """The mean of `supervised_contrastive_losses` over the anchors that have mated pairs.

    Khosla et al., Supervised Contrastive Learning, NeurIPS 2020, section 3.2.2: the sum over mated pairs is outside the
    logarithm. With one mated pair each it is N-pair's loss of unit vectors over both sides.

    Args:
        temperature: τ, above 0.

    Raises:
        ValueError: τ is not above 0.
    """

    def __init__(self, temperature: float = 0.1) -> None:
        super().__init__()
        above(0, temperature=temperature)
        self.temperature = temperature

    def _of_pairs(self, anchors: Tensor, others: Tensor, mated: Tensor, non_mated: Tensor) -> Tensor:
        losses = supervised_contrastive_losses(cosine_matrix(anchors, others), mated, non_mated, self.temperature)
        return mean_where(losses, mated.any(dim=1))
