"""Every photo once an epoch."""

import numpy as np

from mien.training.sampling.decks import Rows
from mien.training.sampling.epoch_sampler import EpochSampler


class Shuffled(EpochSampler):
    """Every row once an epoch, in an order by chance; those that don't fill the last batch are left out.

    Args:
        labels: (N,) integers: whose each row is.
        batch_size: Rows a batch; a set that is smaller than that comes more than once in it.
        seed: 0 or more.
    """

    def _draw(self, draws: np.random.Generator) -> Rows:
        return np.resize(draws.permutation(len(self.labels)), (self.batches, self.batch_size))
