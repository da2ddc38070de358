"""People with many photos no oftener than others, or only by the square root of how many they have."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mien.training.losses.ranges import within
from mien.training.sampling.decks import Rows, deal, rows_of_people
from mien.training.sampling.epoch_sampler import EpochSampler


class Balanced(EpochSampler):
    """Each person's share of an epoch is n^q, n being how many photos they have, in an order by chance.

    Kang et al., Decoupling Representation and Classifier for Long-Tailed Recognition, ICLR 2020, equation 1: q = 1 is
    no balancing, ½ the square root (Mahajan et al., Exploring the Limits of Weakly Supervised Pretraining, ECCV 2018),
    0 the same for everybody. An epoch has each person as often as their share says, rounded up or down by chance, and
    every photo of a person once before any comes again.

    Args:
        labels: (N,) integers: whose each row is.
        batch_size: Rows a batch.
        power: q, from 0 to 1.
        seed: 0 or more.

    Raises:
        ValueError: An argument is outside its range.
    """

    def __init__(self, labels: ArrayLike, batch_size: int, power: float = 0.0, seed: int = 0) -> None:
        super().__init__(labels, batch_size, seed)
        within(0, 1, power=power)
        self.power = power
        self.people = rows_of_people(self.labels)

    def _draw(self, draws: np.random.Generator) -> Rows:
        shares = np.array([len(rows) for rows in self.people]) ** float(self.power)
        quotas = quotas_of(shares, len(self), draws)
        rows = [deal(photos, quota, 1, draws) for photos, quota in zip(self.people, quotas, strict=True)]
        return draws.permutation(np.concatenate(rows).ravel()).reshape(self.batches, self.batch_size)


class SquareRoot(Balanced):
    """`Balanced` with q = ½: each person's share of an epoch is the square root of how many photos they have.

    Args:
        labels: (N,) integers: whose each row is.
        batch_size: Rows a batch.
        seed: 0 or more.
    """

    def __init__(self, labels: ArrayLike, batch_size: int, seed: int = 0) -> None:
        super().__init__(labels, batch_size, 0.5, seed)


def quotas_of(shares: NDArray[np.floating], total: int, draws: np.random.Generator) -> list[int]:
    """Whole numbers that sum to `total`, each its share of it rounded up or down, on average exactly.

    A ruler with marks one apart is laid at random over the shares end to end; each gets the marks that fall on it.
    """
    order = draws.permutation(len(shares))
    ends = np.cumsum(shares[order]) * (total / shares.sum())
    ends[-1] = total
    marks = np.floor(ends + draws.random()).astype(np.int64)
    marks[-1] = total
    quotas = np.empty(len(shares), np.int64)
    quotas[order] = np.diff(marks, prepend=0)
    return [int(quota) for quota in quotas]
