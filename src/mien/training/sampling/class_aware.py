"""Everybody in turn, and each one's photos in turn."""

import numpy as np
from numpy.typing import ArrayLike

from mien.training.sampling.decks import Rows, deal, rows_of_people
from mien.training.sampling.epoch_sampler import EpochSampler


class ClassAware(EpochSampler):
    """All people in a new order, one photo of each, and again: a batch has nobody twice while there are enough people.

    Shen, Lin & Huang, Relay Backpropagation for Effective Learning of Deep Convolutional Neural Networks, ECCV 2016,
    section 4.2. Every person comes equally often, within one, and every photo of a person once before any comes again.

    Args:
        labels: (N,) integers: whose each row is.
        batch_size: Rows a batch.
        seed: 0 or more.
    """

    def __init__(self, labels: ArrayLike, batch_size: int, seed: int = 0) -> None:
        super().__init__(labels, batch_size, seed)
        self.people = rows_of_people(self.labels)

    def _draw(self, draws: np.random.Generator) -> Rows:
        rounds = -(-len(self) // len(self.people))
        dealt = np.stack([deal(photos, rounds, 1, draws)[:, 0] for photos in self.people], axis=1)
        return draws.permuted(dealt, axis=1).ravel()[: len(self)].reshape(self.batches, self.batch_size)
