"""What a run's folder holds, and how it is read."""

from pathlib import Path

from mien.errors import InputError
from mien.toml_files import read_toml
from mien.training.recipe import Recipe, check_recipe

RECIPE, RESULT, PEOPLE, REPORT = "recipe.toml", "result.json", "people.txt", "report.html"
CHECKPOINT, BEST = "checkpoint.pt", "best.pt"
SCATTER = "embeddings.npz"
"""Some embeddings of the people learnt from, where they have two or three numbers and can be drawn."""


def read_run_recipe(folder: Path) -> Recipe:
    """The recipe that a run follows.

    Raises:
        InputError: The folder is no run, or its recipe is damaged.
    """
    try:
        content = read_toml(folder / RECIPE)
    except OSError:
        raise InputError(
            f"{folder} is no training run: it has no {RECIPE}.", hint="Name the folder that `mien train -o` wrote."
        ) from None
    except ValueError as problem:
        raise InputError(
            f"The recipe of the run, {folder / RECIPE}, is damaged: {problem}.",
            hint="Put it back as the run wrote it, or train into another folder.",
        ) from None
    return check_recipe(content, str(folder / RECIPE))
