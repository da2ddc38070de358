"""What every run of a comparison learns from and is judged by: the same crops, parted once and written down."""

import csv
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.errors import ConfigError
from mien.training.data.crop_set import SIDE, TEMPLATE, CropSet
from mien.training.data.preparing import prepare_data
from mien.training.recipe import Recipe, check_recipe
from mien.training.sampling.decks import rows_of_people

NAMED_SHARE = 0.15
"""Of each person's photos, how many are kept back to be named in the closed set; one at least where there are two."""
MOST_STRANGERS = 3000
"""Crops of people nobody learns from, drawn where there are more: 4.5 million pairs."""
_AT_ONCE = 256


@dataclass(frozen=True)
class Parts:
    """Folders of crops, as `mien.training.data.crop_set.open_crops` reads them.

    Attributes:
        learnt: What networks learn from.
        named: Other photos of the same people, for the closed set.
        strangers: Photos of other people, for verification.
    """

    learnt: Path
    named: Path
    strangers: Path


def part_data(recipe: Recipe, folder: Path) -> Parts:
    """Part a recipe's photos once; if they are parted already, nothing is done.

    Args:
        recipe: Its data, validation people and seed say what there is.
        folder: Where the parts are kept.

    Raises:
        ConfigError: A source is missing or empty, or too few photos are left.
    """
    parts = Parts(folder / "learnt", folder / "named", folder / "strangers")
    if folder.is_dir():
        return parts
    content = recipe.model_dump(mode="json", exclude_none=True, exclude={"teacher"})
    content["data"]["side"] = SIDE  # each run shrinks what it reads
    data = prepare_data(check_recipe(content, "the comparison's recipe"))
    learnt, named = keep_back(data.train.labels, NAMED_SHARE, recipe.seed)
    if not len(named):
        raise ConfigError(
            "Nobody to learn from has two photos, so none can be kept back to be named.",
            hint="Name a source with more photos of each person.",
        )
    drawn = np.arange(len(data.validation))
    if len(drawn) > MOST_STRANGERS:
        drawn = np.sort(np.random.default_rng(recipe.seed).choice(drawn, MOST_STRANGERS, replace=False))
    unfinished = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(unfinished, ignore_errors=True)
    for part, crops in (
        (parts.learnt, data.train.select(learnt)),
        (parts.named, data.train.select(named)),
        (parts.strangers, data.validation.select(drawn)),
    ):
        write_crops(crops, unfinished / part.name)
    unfinished.rename(folder)
    return parts


def keep_back(
    labels: NDArray[np.int64] | Sequence[int], share: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to learn from, and a drawn share of each person's rows to be named later; nobody loses all.

    Args:
        labels: (N,) whose each row is.
        share: Of each person's rows, rounded, but one at least of those with two.
        seed: Of the draw.

    Returns:
        The rows of both parts, increasing.
    """
    labels = np.asarray(labels)
    random = np.random.default_rng(seed)
    shuffled = [random.permutation(rows) for rows in rows_of_people(labels)]
    named = np.sort(np.concatenate([rows[: min(max(1, round(share * len(rows))), len(rows) - 1)] for rows in shuffled]))
    return np.setdiff1d(np.arange(len(labels)), named), named


def write_crops(crops: CropSet, folder: Path) -> None:
    """Write a crop set of 112 pixels so that `open_crops` reads it, and a recipe's source may name it.

    Raises:
        ValueError: The crops are of another size.
    """
    if crops.side != SIDE:
        raise ValueError(f"only crops of {SIDE} pixels are kept, not of {crops.side}")
    folder.mkdir(parents=True)
    with (folder / "crops.u8").open("wb") as pixels:
        for start in range(0, len(crops), _AT_ONCE):
            pixels.write(crops.read(np.arange(start, min(start + _AT_ONCE, len(crops)))).tobytes())
    with (folder / "crops.csv").open("w", encoding="utf-8", newline="") as lines:
        table = csv.writer(lines)
        for label, photo, landmarks in zip(crops.labels, crops.photos, crops.landmarks, strict=True):
            table.writerow([photo, crops.people[label], "", *(f"{value:.3f}" for value in landmarks.ravel())])
    about = {"source": {"kind": "selection", "sha256": crops.sha256}, "template": TEMPLATE}
    (folder / "about.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
