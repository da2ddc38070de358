"""Crops of people who are each a colour, so that even a network of a few numbers learns something at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mien.training.comparing.parts import write_crops
from mien.training.data.crop_set import CropSet
from mien.training.recipe import Recipe, check_recipe


def make_crops(people: Sequence[str], photos: int, seed: int = 0) -> CropSet:
    random = np.random.default_rng(seed)
    count = len(people) * photos
    colours = random.integers(30, 225, (len(people), 8, 8, 3)).repeat(photos, axis=0)
    coarse = np.clip(colours + random.normal(0, 12, colours.shape), 0, 255).astype(np.uint8)
    store = coarse.repeat(14, axis=1).repeat(14, axis=2)
    return CropSet(
        stores=(store,),
        places=np.stack([np.zeros(count, np.int64), np.arange(count)], axis=1),
        labels=np.arange(len(people)).repeat(photos),
        people=tuple(people),
        photos=tuple(f"{person}/{number}.jpg" for person in people for number in range(photos)),
        landmarks=random.uniform(20, 90, (count, 5, 2)).astype(np.float32),
    )


def small_recipe(folder: Path, people: int = 8, photos: int = 6, **changes: Any) -> Recipe:
    """A recipe of 12 steps whose crops are written below a folder."""
    if not (folder / "known").exists():
        write_crops(make_crops([f"known {number}" for number in range(people)], photos, seed=1), folder / "known")
        write_crops(make_crops([f"other {number}" for number in range(people)], photos, seed=2), folder / "others")
    content: dict[str, Any] = {
        "seed": 5,
        "data": {"side": 32, "sources": [{"crops": str(folder / "known")}]},
        "validation": {"sources": [{"crops": str(folder / "others")}]},
        "backbone": {"name": "small", "width": 4, "embedding_size": 8},
        "losses": [{"name": "softmax"}],
        "optimizer": {"name": "adamw", "learning_rate": 5e-3},
        "stages": [{"epochs": 3}],
        "training": {"batch_size": 10},
    }
    return check_recipe(content | changes)
