"""Which crops make up each batch of an epoch."""

from mien.errors import ConfigError
from mien.training.data.crop_set import CropSet
from mien.training.recipe.schema import Recipe
from mien.training.trainer.batches import EpochOrder, shuffled


def epoch_order(recipe: Recipe, crops: CropSet) -> EpochOrder:
    """The order that a recipe's sampler draws.

    Raises:
        ConfigError: There is no such sampler, or it can't draw from these crops.
    """
    sampler = recipe.sampler
    if sampler.name == "shuffled":
        return shuffled(crops, recipe.training.batch_size, recipe.seed)
    raise ConfigError(f"There is no sampler {sampler.name!r}.")
