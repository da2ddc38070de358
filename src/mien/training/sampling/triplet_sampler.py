"""Triplets that were found before, whole in each batch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from mien.training.mining.triplet_file import read_triplets
from mien.training.sampling.decks import Rows
from mien.training.sampling.epoch_sampler import EpochSampler


class TripletSampler(EpochSampler):
    """Batches of triplets, each as anchor, positive, negative in a row; `mien.training.mining.AsLaidOut` reads them.

    Every triplet comes once an epoch; those that don't fill the last batch are left out.

    Args:
        labels: (N,) integers: whose each row is.
        batch_size: Rows a batch: three times the triplets.
        triplets: (T, 3) rows of anchor, positive and negative, as `find_triplets` and `read_triplets` give them.
        seed: 0 or more.

    Raises:
        ValueError: An argument is outside its range, there are fewer triplets than a batch has, or one is none: its
            positive is of another person, or its negative is not.
    """

    def __init__(self, labels: ArrayLike, batch_size: int, triplets: ArrayLike, seed: int = 0) -> None:
        super().__init__(labels, batch_size, seed)
        rows = np.asarray(triplets, np.int64)
        if rows.ndim != 2 or rows.shape[1] != 3:
            raise ValueError(f"triplets must be (T, 3), not of shape {rows.shape}")
        if batch_size % 3:
            raise ValueError(f"batch_size must be a multiple of 3, not {batch_size}")
        if 3 * len(rows) < batch_size:
            raise ValueError(f"{len(rows)} triplets don't fill a batch of {batch_size}")
        if not 0 <= rows.min() <= rows.max() < len(self.labels):
            raise ValueError(f"triplets name rows {rows.min()} … {rows.max()} of {len(self.labels)}")
        anchors, positives, negatives = self.labels[rows].T
        if wrong := np.flatnonzero((anchors != positives) | (anchors == negatives)).tolist():
            raise ValueError(f"triplet {wrong[0]} is of people {self.labels[rows[wrong[0]]].tolist()}")
        self.triplets = rows

    @property
    def batches(self) -> int:
        """Batches an epoch."""
        return 3 * len(self.triplets) // self.batch_size

    def _draw(self, draws: np.random.Generator) -> Rows:
        return draws.permutation(self.triplets).ravel()[: len(self)].reshape(self.batches, self.batch_size)


def open_triplet_sampler(
    labels: ArrayLike, batch_size: int, file: str, names: Sequence[str], seed: int = 0
) -> TripletSampler:
    """A sampler of the triplets in a file.

    Args:
        labels: (N,) integers: whose each row is.
        batch_size: Rows a batch: three times the triplets.
        file: As `mien.training.mining.write_triplets` writes it.
        names: (N,) what the file calls each row.
        seed: 0 or more.

    Raises:
        ConfigError: The file can't be read or names other photos.
        ValueError: As for `TripletSampler`.
    """
    return TripletSampler(labels, batch_size, read_triplets(Path(file), names), seed)
