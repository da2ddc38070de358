"""Recipes: everything that a training run depends on, in one checked TOML file."""

from mien.training.recipe.keys import describe_keys
from mien.training.recipe.reading import check_recipe, read_recipe, recipe_text, shipped_recipes, write_recipe
from mien.training.recipe.schema import Recipe, Stage

__all__ = [
    "Recipe",
    "Stage",
    "check_recipe",
    "describe_keys",
    "read_recipe",
    "recipe_text",
    "shipped_recipes",
    "write_recipe",
]
