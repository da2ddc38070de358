"""Exports what a training run came to."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import MienError, TrainingError
from mien.training.data.crop_set import CropSet, open_crops
from mien.training.data.preparing import prepare_data
from mien.training.exporting.exporting import UNLICENSED, export, made_up_crops
from mien.training.exporting.forms import ExportedEncoder
from mien.training.exporting.full_crops import FULL_SIDE
from mien.training.exporting.run_words import describe_figures, describe_training, recipe_sha256
from mien.training.recipe import Recipe
from mien.training.trainer import open_run
from mien.training.trainer.run_folder import RESULT

CROPS = 128
"""Crops that are drawn to calibrate and compare whole numbers with, half for each."""


def export_run(
    run: Path,
    folder: Path,
    *,
    name: str = "",
    title: str = "",
    licence: str = UNLICENSED,
    flip: bool = False,
    int8: bool = False,
    crops: Path | None = None,
    overwrite: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> tuple[ExportedEncoder, ...]:
    """Write the best network of a training run as an encoder; see `export`.

    Args:
        run: The run's folder.
        folder: Gets the encoder.
        name: By default the run folder's.
        title: By default the recipe's.
        licence: Of the weights.
        flip: Whether an embedding is to be the sum of the crop's and its mirror image's.
        int8: Write the form in whole numbers too; it is calibrated with crops that the run learnt from.
        crops: A folder of crops that ``mien train`` cut, to calibrate with instead.
        overwrite: Replace files of these names.
        tell: Called with a line where something is not as asked.

    Raises:
        ConfigError: `run` is no training run, or `crops` holds none; and see `export`.
        TrainingError: The run has no network yet, or its result is damaged; and see `export`.
    """
    recipe, network = open_run(run)
    result = _result(run / RESULT)
    data_hash = {"data_sha256": str(result["data"]["sha256"])} if result else {}
    return export(
        network,
        folder,
        name=name or run.resolve().name,
        side=recipe.data.side,
        crops=_crops(recipe, crops, tell) if int8 or crops else None,
        title=title or recipe.title,
        training=describe_training(recipe, result),
        figures=describe_figures(result),
        limits="" if result else "A run that has not come to its end; it was not measured.",
        licence=licence,
        flip=flip,
        int8=int8,
        overwrite=overwrite,
        about={"recipe_sha256": recipe_sha256(recipe), **data_hash},
    )


def _crops(recipe: Recipe, folder: Path | None, tell: Callable[[str], None]) -> NDArray[np.uint8]:
    """Crops for calibrating: of a folder, or else of the run's own data, or else of people who don't exist."""
    if folder is not None:
        return _drawn(open_crops(folder), recipe.seed)
    full = recipe.model_copy(update={"teacher": None, "data": recipe.data.model_copy(update={"side": FULL_SIDE})})
    try:
        return _drawn(prepare_data(full).train, recipe.seed)
    except MienError as problem:
        tell(f"The run's own crops can't be had ({problem.message}) People who don't exist calibrate it instead.")
        return made_up_crops()


def _drawn(crops: CropSet, seed: int) -> NDArray[np.uint8]:
    rows = np.random.default_rng(seed).permutation(len(crops))[:CROPS]
    return crops.read(rows)


def _result(file: Path) -> dict[str, Any] | None:
    try:
        result: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as problem:
        raise TrainingError(
            f"The run's {file} can't be read: {problem}.", hint="Finish the run again with mien train."
        ) from None
    return result
