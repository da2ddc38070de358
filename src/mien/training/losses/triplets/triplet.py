"""Each anchor nearer to its own person than to others, by a margin."""

from typing import Literal, get_args

from torch import Tensor

from mien.training.losses.loss import Indices
from mien.training.losses.pair_loss import AVERAGES, Average, PairLoss
from mien.training.losses.pairs import Distance, Distances, as_triplets
from mien.training.losses.ranges import at_least, one_of
from mien.training.losses.triplets.blocks import soft_sum
from mien.training.losses.triplets.counts import hinge_sum
from mien.training.losses.triplets.hardest import batch_hard, hardest_semi_hard
from mien.training.losses.triplets.losses import triplet_losses
from mien.training.losses.triplets.sums import differentiable

Mining = Literal["batch_all", "semi_hard", "batch_hard", "hardest_semi_hard"]

CHOICES = {"batch_hard": batch_hard, "hardest_semi_hard": hardest_semi_hard}


class Triplet(PairLoss):
    """The mean of max(0, d⁺ − d⁻ + α) over triplets of a batch, or its soft form; see `triplet_losses`.

    Schroff, Kalenichenko & Philbin, FaceNet, CVPR 2015, equation 2; Hermans, Beyer & Leibe, In Defense of the Triplet
    Loss for Person Re-Identification, 2017, equations 4 to 6.

    Without `indices_tuple` the triplets are mined here, from one matrix of distances and without a list of them:

    - ``"batch_all"``: every triplet of the batch.
    - ``"semi_hard"``: every triplet with d⁺ < d⁻ < d⁺ + α.
    - ``"hardest_semi_hard"``: for each mated pair the nearest non-mated other that is farther than the mated one.
    - ``"batch_hard"``: for each anchor the farthest mated and the nearest non-mated other.

    Without the soft margin the first two take O(N² log N) time, however many photos a person has, and O(N²) memory.

    Args:
        margin: α, at least 0.
        soft: Whether the margin is soft; 0 is the usual α then.
        distance: d: ``"squared_euclidean"``, ``"euclidean"`` or ``"cosine"`` (1 − cos).
        normalize: Whether embeddings are brought to unit length first.
        mining: Which triplets count where no miner chose any.
        average: Over ``"all"`` those triplets, or over the ``"active"`` ones, whose loss is above 0. Late in training
            most are 0, and a mean over all of them vanishes.

    Raises:
        ValueError: An argument is outside its range.
    """

    def __init__(
        self,
        margin: float = 0.2,
        soft: bool = False,
        distance: Distance = "squared_euclidean",
        normalize: bool = True,
        mining: Mining = "batch_all",
        average: Average = "active",
    ) -> None:
        super().__init__()
        at_least(0, margin=margin)
        one_of(get_args(Mining), mining=mining)
        one_of(AVERAGES, average=average)
        self.margin, self.soft, self.mining, self.average = margin, soft, mining, average
        self.distances = Distances(distance, normalize)

    def _of_pairs(self, anchors: Tensor, others: Tensor, mated: Tensor, non_mated: Tensor) -> Tensor:
        distances = self.distances.matrix(anchors, others)
        if self.mining in CHOICES:
            return self._of_triplets(distances, *CHOICES[self.mining](distances.detach(), mated, non_mated))
        add = soft_sum if self.soft else hinge_sum
        total = add(distances.detach(), mated, non_mated, self.margin, semi_hard=self.mining == "semi_hard")
        count = total.triplets
        if self.average == "all" and self.mining == "batch_all":
            count = (mated.sum(dim=1) * non_mated.sum(dim=1)).sum()
        return differentiable(total, distances) / count.clamp(min=1) + _nan_if_any(distances)

    def _of_choice(self, anchors: Tensor, others: Tensor, indices: Indices) -> Tensor:
        return self._of_triplets(self.distances.matrix(anchors, others), *as_triplets(indices, anchors.device))

    def _of_triplets(self, distances: Tensor, anchors: Tensor, positives: Tensor, negatives: Tensor) -> Tensor:
        losses = triplet_losses(distances[anchors, positives], distances[anchors, negatives], self.margin, self.soft)
        count = (losses > 0).sum().clamp(min=1) if self.average == "active" else max(len(losses), 1)
        return losses.sum() / count + _nan_if_any(distances)


def _nan_if_any(distances: Tensor) -> Tensor:
    """0, or NaN where a distance isn't finite: no comparison holds for NaN, so that mining would pass it over."""
    return distances.detach().sum() * 0
