"""P people a batch, K photos of each."""

import numpy as np
from numpy.typing import ArrayLike

from mien.errors import ConfigError
from mien.training.losses.ranges import at_least
from mien.training.sampling.decks import Rows, deal, rows_of_people
from mien.training.sampling.epoch_sampler import EpochSampler


class PeopleAndPhotos(EpochSampler):
    """Batches of P people with K photos each, so that every anchor has K − 1 mated pairs.

    Hermans, Beyer & Leibe, In Defense of the Triplet Loss for Person Re-Identification, 2017, section 2. Every person
    comes equally often, within one round of all, and every photo of a person once before any comes again.

    Args:
        labels: (N,) integers: whose each row is.
        batch_size: P·K.
        photos: K, at least 2; it divides `batch_size`.
        fewest: People with fewer photos are left out. Of those with fewer than K, photos come more than once.
        seed: 0 or more.

    Raises:
        ValueError: An argument is outside its range.
        ConfigError: There are fewer than P people with enough photos.
    """

    def __init__(self, labels: ArrayLike, batch_size: int, photos: int = 4, fewest: int = 2, seed: int = 0) -> None:
        super().__init__(labels, batch_size, seed)
        at_least(2, photos=photos)
        at_least(1, fewest=fewest)
        if batch_size % photos:
            raise ValueError(f"photos ({photos} a person) must divide batch_size ({batch_size})")
        self.photos = photos
        self.people = [rows for rows in rows_of_people(self.labels) if len(rows) >= fewest]
        self.people_a_batch = batch_size // photos
        if len(self.people) < self.people_a_batch:
            raise ConfigError(
                f"Batches of {batch_size} with {photos} photos each need {self.people_a_batch} people with "
                f"{fewest} photos or more, but there are {len(self.people)}.",
                hint="Make the batch smaller, or take more photos of each person.",
            )

    def _draw(self, draws: np.random.Generator) -> Rows:
        who = deal(np.arange(len(self.people)), self.batches, self.people_a_batch, draws)  # none twice in a batch
        rows = np.empty((who.size, self.photos), np.int64)
        for person, places in enumerate(np.split(np.argsort(who.ravel(), kind="stable"), self._ends(who))):
            rows[places] = deal(self.people[person], len(places), self.photos, draws)
        return rows.reshape(self.batches, self.batch_size)

    def _ends(self, who: Rows) -> Rows:
        return np.cumsum(np.bincount(who.ravel(), minlength=len(self.people)))[:-1]
