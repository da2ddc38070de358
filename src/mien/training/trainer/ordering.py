"""Which crops make up each batch of an epoch."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mien.training.data.crop_set import CropSet
from mien.training.recipe.schema import Recipe
from mien.training.sampling import open_sampler
from mien.training.trainer.batches import EpochOrder


def epoch_order(recipe: Recipe, crops: CropSet) -> EpochOrder:
    """The order that a recipe's sampler draws.

    Raises:
        ConfigError: There is no such sampler, or it can't draw from these crops.
    """
    sampler, batch_size = recipe.sampler, recipe.training.batch_size
    if sampler.name == "shuffled":
        return lru_cache(maxsize=2)(shuffled(crops, batch_size, recipe.seed))
    drawn = open_sampler(
        sampler.name,
        labels=crops.labels,
        batch_size=batch_size,
        seed=recipe.seed,
        names=crops.photos,
        **sampler.arguments,
    )
    return lru_cache(maxsize=2)(drawn.epoch_order)


def shuffled(crops: CropSet, batch_size: int, seed: int) -> EpochOrder:
    """Every crop once an epoch in a new order; what doesn't fill the last batch is left to the next epoch's order."""

    def order(epoch: int) -> NDArray[np.int64]:
        rows = np.random.default_rng([seed, epoch]).permutation(len(crops))
        while len(rows) < batch_size:  # a set smaller than a batch is repeated
            rows = np.concatenate([rows, rows])
        return rows[: len(rows) // batch_size * batch_size].reshape(-1, batch_size)

    return order
