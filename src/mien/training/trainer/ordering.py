"""Which crops make up each batch of an epoch."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mien.errors import ConfigError
from mien.training.data.crop_set import CropSet
from mien.training.recipe.schema import Recipe
from mien.training.sampling import open_sampler
from mien.training.trainer.batches import EpochOrder


def epoch_order(recipe: Recipe, crops: CropSet, shares: Sequence[tuple[float, NDArray[np.int64]]] = ()) -> EpochOrder:
    """The order that a recipe's sampler draws.

    Args:
        recipe: The run's.
        crops: All that it learns from.
        shares: Shares of each batch and the rows that fill them; an epoch is over when the others have all come.

    Raises:
        ConfigError: There is no such sampler, or it can't draw from these crops.
    """
    if not shares:
        return _drawn(recipe, crops, recipe.training.batch_size)
    sizes = [max(1, round(share * recipe.training.batch_size)) for share, _ in shares]
    rest = np.setdiff1d(np.arange(len(crops)), np.concatenate([rows for _, rows in shares]))
    sources = [rest, *(rows for _, rows in shares)]
    sizes = [recipe.training.batch_size - sum(sizes), *sizes]
    if min(sizes) < 1 or not all(map(len, sources)):
        raise ConfigError(
            f"A batch of {recipe.training.batch_size} can't be shared between the sources, or one has no crops left.",
            hint="Look at the share of each source, training.batch_size and data.leave_out.",
        )
    orders = [_drawn(recipe, crops.select(rows), size) for rows, size in zip(sources, sizes, strict=True)]
    batches = len(orders[0](0))

    def order(epoch: int) -> NDArray[np.int64]:
        numbers = range(epoch * batches, (epoch + 1) * batches)
        drawn = [rows[_batches(one, numbers)] for rows, one in zip(sources, orders, strict=True)]
        return np.concatenate(drawn, axis=1)

    return lru_cache(maxsize=2)(order)


def _batches(order: EpochOrder, numbers: range) -> NDArray[np.int64]:
    """Batches by their numbers since the first, over as many epochs of their own as it takes."""
    batches = len(order(0))
    return np.stack([order(number // batches)[number % batches] for number in numbers])


def _drawn(recipe: Recipe, crops: CropSet, batch_size: int) -> EpochOrder:
    drawn = open_sampler(
        recipe.sampler.name,
        labels=crops.labels,
        batch_size=batch_size,
        seed=recipe.seed,
        names=crops.photos,
        **recipe.sampler.arguments,
    )
    return lru_cache(maxsize=2)(drawn.epoch_order)
