"""The same network and loss on different photos, as many steps on each: which photos train the better encoder?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.outside import Outside
from benchmarks.results import percent, table
from benchmarks.training_photos import crops_folder
from mien.evaluation import Difference, Measure, Unsupported
from mien.training.comparing import choose_entrants
from mien.training.comparing.paired import COMPARED_PAIRS, ahead
from mien.training.comparing.parts import Parts, write_crops
from mien.training.comparing.planning import run_recipe
from mien.training.comparing.run_measures import RunMeasures
from mien.training.comparing.running import PlannedRun, finish_runs
from mien.training.comparing.standings import differences_over_seeds, over_seeds
from mien.training.data.crop_set import CropSet, join, open_crops
from mien.training.recipe import Recipe, check_recipe
from mien.training.trainer.ordering import epoch_order
from mien.training.trainer.stranger_pairs import StrangerPairs

LOSS = "cosface"
SEEDS = 3
STEPS = 300
"""Of each run."""
NAMED = 2
"""Photos of each person that are kept back for the closed set."""


@dataclass(frozen=True)
class Arm:
    """Photos that networks learn from.

    Attributes:
        name: The runs' folder.
        title: What it is made of.
        draw: From a seed to the photos learnt from, and others of the same people.
        beside: Folders of crops that are learnt from as well.
    """

    name: str
    title: str
    draw: Callable[[int], tuple[CropSet, CropSet]]
    beside: tuple[Path, ...] = ()


def drawn_photos(crops: CropSet, total: int, *, people: int | None = None, seed: int = 0) -> tuple[CropSet, CropSet]:
    """So many photos of drawn people, and two more of each of them.

    Args:
        crops: What there is.
        total: Photos to learn from, in sum.
        people: Of so many people, as evenly as their photos allow; None for all the photos of as few as it takes.
        seed: Of the draw.
    """
    random = np.random.default_rng(seed)
    rows_of = [random.permutation(np.flatnonzero(crops.labels == label)) for label in range(len(crops.people))]
    chosen = [rows_of[label] for label in random.permutation(len(rows_of)) if len(rows_of[label]) > 2 * NAMED]
    named, free = [rows[:NAMED] for rows in chosen[:people]], [rows[NAMED:] for rows in chosen[:people]]
    if people is None:
        counts, left = [], total
        for rows in free:
            counts.append(min(len(rows), left))
            left -= counts[-1]
    else:
        counts = [0] * len(free)
        while sum(counts) < min(total, sum(map(len, free))):
            for place in range(len(free)):
                if counts[place] < len(free[place]) and sum(counts) < total:
                    counts[place] += 1
    learnt = [rows[:count] for rows, count in zip(free, counts, strict=True)]
    asked = [rows for rows, count in zip(named, counts, strict=True) if count]
    return crops.select(np.sort(np.concatenate(learnt))), crops.select(np.sort(np.concatenate(asked)))


class Arms:
    """Networks trained on each arm's photos, a run a seed; what is done is kept.

    Args:
        folder: Where.
        outside: What judges them.
    """

    def __init__(self, folder: Path, outside: Outside) -> None:
        self.folder, self.outside = folder, outside
        self.strangers = crops_folder("celeba_test")
        self.runs: dict[str, list[PlannedRun]] = {}
        self.sizes: dict[str, tuple[int, int]] = {}

    def finish(self, arms: Sequence[Arm], tell: Callable[[str], None]) -> None:
        """Train and judge what isn't yet."""
        for arm in arms:
            self.runs[arm.name] = [self._plan(arm, seed) for seed in range(SEEDS)]
        finish_runs([runs[seed] for seed in range(SEEDS) for runs in self.runs.values()], tell)

    def table(self, arms: Sequence[Arm]) -> str:
        """What each arm came to."""
        rows = []
        for arm in arms:
            folders = self._folders(arm.name)
            people, photos = self.sizes[arm.name]
            rows.append(
                (
                    f"{arm.name}: {arm.title}",
                    f"{people:,}",
                    f"{photos:,}",
                    percent(over_seeds([self.outside.lfw_accuracy(folder) for folder in folders])),
                    *(
                        percent(over_seeds([self.outside.on_celeba(folder, name) for folder in folders]))
                        for name in ("tmr", "tmr_1e-3", "auc")
                    ),
                )
            )
        measures = ("LFW accuracy", "celeba_test TMR at FMR 1e-2", "at FMR 1e-3", "AUC")
        return table(("learnt from", "people", "photos", *measures), rows)

    def differences(self, pairs: Sequence[tuple[Arm, Arm]]) -> str:
        """How much better the first of two arms is, on the same comparisons, seed by seed."""
        drawn = StrangerPairs(open_crops(self.strangers).labels, COMPARED_PAIRS)
        rows = []
        for one, other in pairs:
            runs = list(zip(self._folders(one.name), self._folders(other.name), strict=True))
            rows.append(
                (
                    f"{one.name} less {other.name}",
                    points(differences_over_seeds([self.outside.lfw_difference(*both) for both in runs])),
                    points(differences_over_seeds([ahead(drawn, *both, other.name) for both in runs])),
                )
            )
        return table(("", "LFW accuracy", "celeba_test TMR at FMR 1e-2"), rows)

    def _folders(self, name: str) -> list[Path]:
        missing = [run for run in self.runs[name] if not isinstance(run.outcome(), RunMeasures)]
        if missing:
            raise SystemExit(f"{missing[0].folder} came to nothing: {missing[0].outcome()}")
        return [run.folder for run in self.runs[name]]

    def _plan(self, arm: Arm, seed: int) -> PlannedRun:
        data = self.folder / "data" / f"{arm.name}-{seed}"
        parts = Parts(data / "learnt", data / "named", self.strangers)
        if not data.exists():
            for part, crops in zip((parts.learnt, parts.named), arm.draw(seed), strict=True):
                write_crops(crops, data.with_suffix(".partial") / part.name)
            data.with_suffix(".partial").rename(data)
        sources = [open_crops(folder) for folder in (parts.learnt, *arm.beside)]
        photos = sum(len(one) for one in sources)
        self.sizes[arm.name] = (sum(len(one.people) for one in sources), photos)
        (entrant,) = choose_entrants([LOSS])
        recipe = run_recipe(
            small_recipe([{"crops": str(parts.learnt)}]),
            entrant,
            parts,
            seed,
            lambda recipe: len(epoch_order(recipe, join(sources))(0)),
            [STEPS],
        )
        content = recipe.model_dump(mode="json", exclude_none=True)
        content["data"]["sources"] = [{"crops": str(folder)} for folder in (parts.learnt, *arm.beside)]
        folder = self.folder / "runs" / arm.name / f"seed-{seed}"
        return PlannedRun(arm.name, seed, folder, check_recipe(content), parts, STEPS)


def points(measure: Measure | Difference) -> str:
    """A difference of shares in percentage points with its interval."""
    if isinstance(measure, Unsupported):
        return measure.reason
    value, low, high = (
        f"{100 * number:+.2f}".replace("-", "−") for number in (measure.value, measure.low, measure.high)
    )
    return f"{value} ({low} to {high})"


def small_recipe(sources: Sequence[dict[str, Any]], *, epochs: float = 1.0, leave_out: Path | None = None) -> Recipe:
    """What all networks of the benchmark have in common."""
    content: dict[str, Any] = {
        "title": "Small networks, to compare losses and photos",
        "seed": 1,
        "data": {"side": 64, "sources": list(sources)},
        "validation": {"held_out": 0.15},
        "backbone": {"name": "small", "width": 16, "embedding_size": 128},
        "losses": [{"name": "softmax"}],
        "augmentation": {"flip": 0.5, "shift": 0.5, "colour": 0.5},
        "optimizer": {"name": "adamw", "learning_rate": 2e-3, "weight_decay": 0.05},
        "schedule": {"name": "cosine", "warm_up": 0.1},
        "stages": [{"epochs": epochs}],
        "training": {"batch_size": 128},
    }
    if leave_out is not None:
        content["data"]["leave_out"] = str(leave_out)
    return check_recipe(content)
