"""A mated pair of each person, told from the pairs of all others at once."""

import torch
from torch import Tensor
from torch.nn import functional

from mien.training.losses.loss import Indices, Loss
from mien.training.losses.pairs import as_pairs
from mien.training.losses.ranges import at_least


def n_pair_losses(similarities: Tensor) -> Tensor:
    """log(1 + Σ_{j≠i} e^{sᵢⱼ − sᵢᵢ}): cross-entropy of each anchor over the others' positives.

    Sohn, Improved Deep Metric Learning with Multi-class N-pair Loss Objective, NIPS 2016, equation 7.

    Args:
        similarities: (P, P) sᵢⱼ of anchor i with the positive of pair j; −∞ where j is not to count.

    Returns:
        (P,).
    """
    return functional.cross_entropy(
        similarities, torch.arange(len(similarities), device=similarities.device), reduction="none"
    )


class NPair(Loss):
    """`n_pair_losses` of the raw embeddings' dot products, the mean over pairs, plus λ·mean ‖x‖².

    Sohn, NIPS 2016, sections 3.2 and 3.2.2: embeddings keep their length, and λ keeps it small. A batch has two photos
    of each person, as the paper's; of more, the first two make one pair, the next two another that is told from the
    others' second pairs, and so on. From a miner, the first mated pair of each person counts.

    Args:
        l2: λ, at least 0.

    Raises:
        ValueError: λ is negative.
    """

    def __init__(self, l2: float = 0.0) -> None:
        super().__init__()
        at_least(0, l2=l2)
        self.l2 = l2

    def _value(self, embeddings: Tensor, labels: Tensor, indices_tuple: Indices | None) -> Tensor:
        if indices_tuple is None:
            anchors, positives, rounds = _pairs_in_order(labels)
        else:
            anchors, positives = _first_of_each(labels, indices_tuple)
            rounds = torch.zeros_like(anchors)
        if not len(anchors):
            return embeddings.sum() * 0
        first, second = embeddings[anchors], embeddings[positives]
        apart = rounds[:, None] != rounds
        losses = n_pair_losses((first @ second.T).masked_fill(apart, -torch.inf))
        return losses.mean() + self.l2 * (first.square().sum(dim=1) + second.square().sum(dim=1)).mean() / 2


def _pairs_in_order(labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Rows of anchors and positives, and the how many-th pair of its person each is, from 0."""
    people, order = labels.sort(stable=True)
    place = torch.arange(len(people), device=labels.device) - torch.searchsorted(people, people)
    begins = (place[:-1] % 2 == 0) & (people[:-1] == people[1:])
    anchors = begins.nonzero()[:, 0]
    return order[anchors], order[anchors + 1], place[anchors] // 2


def _first_of_each(labels: Tensor, indices: Indices) -> tuple[Tensor, Tensor]:
    """The first mated pair that a miner chose of each person."""
    anchors, positives, _, _ = as_pairs(indices, labels.device)
    whose, order = labels[anchors].sort(stable=True)
    first = order[torch.searchsorted(whose, torch.unique(whose))]
    return anchors[first], positives[first]
