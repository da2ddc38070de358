from pathlib import Path

import pytest

from mien.training.data.augmentation import Augmentation
from mien.training.recipe import read_recipe, shipped_recipes

RECIPES = list(shipped_recipes().values())


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_every_recipe_can_be_followed(file: Path) -> None:
    recipe = read_recipe(file)
    assert recipe.title
    Augmentation.from_settings(recipe.augmentation)


def test_there_are_recipes() -> None:
    assert {"quick", "finetune", "student", "scratch"} <= {file.stem for file in RECIPES}
