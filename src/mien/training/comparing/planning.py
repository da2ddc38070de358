"""From a base recipe and a loss to a run's recipe: everything the same but the loss, and as many crops seen."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mien.training.comparing.entrants import Entrant
from mien.training.comparing.parts import Parts
from mien.training.comparing.running import PlannedRun
from mien.training.data.crop_set import CropSet, open_crops
from mien.training.recipe import Recipe, check_recipe
from mien.training.trainer.ordering import epoch_order

AT_THE_END_ONLY = 1_000_000
"""Epochs between validations: whoever is judged on people must not be chosen on them along the way."""


def plan_runs(
    base: Recipe, entrants: Sequence[Entrant], seeds: int, parts: Parts, folder: Path
) -> dict[str, list[PlannedRun]]:
    """The runs of each entrant, by its name, a run a seed.

    Args:
        base: What all have in common; its own losses and sampler only say how many steps there are.
        entrants: What differs.
        seeds: How many runs each has; their seeds follow the base recipe's.
        parts: What they learn from and are judged by.
        folder: Each run's folder lies below it, ``NAME/seed-0``.

    Raises:
        ConfigError: An entrant has an argument that its loss hasn't, or a sampler that can't draw from these people.
    """
    crops = open_crops(parts.learnt)
    steps = [max(1, round(stage.epochs * _steps_per_epoch(base, crops))) for stage in base.stages]
    return {
        entrant.name: [
            PlannedRun(
                name=entrant.name,
                seed=seed,
                folder=folder / entrant.name.replace(":", "-") / f"seed-{seed}",
                recipe=run_recipe(base, entrant, parts, seed, lambda recipe: _steps_per_epoch(recipe, crops), steps),
                parts=parts,
                steps=sum(steps),
            )
            for seed in range(seeds)
        ]
        for entrant in entrants
    }


def run_recipe(
    base: Recipe,
    entrant: Entrant,
    parts: Parts,
    seed: int,
    steps_per_epoch: Callable[[Recipe], int],
    steps: Sequence[int],
) -> Recipe:
    """The recipe of one run.

    What would make the budgets differ is left out of the base recipe: a limit of minutes, early stopping, and
    validations before the end.

    Args:
        base: What all have in common.
        entrant: What differs.
        parts: What it learns from and is judged by.
        seed: Number of the run, from 0.
        steps_per_epoch: Of a recipe's sampler.
        steps: Of each of the base recipe's stages.
    """
    content: dict[str, Any] = base.model_dump(mode="json", exclude_none=True, exclude={"teacher"})
    content |= {
        "title": f"{entrant.title}, run {seed + 1}",
        "seed": base.seed + seed,
        "data": {"sources": [{"crops": str(parts.learnt)}], "side": base.data.side},
        "validation": {"sources": [{"crops": str(parts.strangers)}], "every": AT_THE_END_ONLY},
        "losses": [dict(loss) for loss in entrant.losses],
        "sampler": dict(entrant.sampler),
        "optimizer": content["optimizer"] | entrant.optimizer,
        "training": {key: value for key, value in content["training"].items() if key not in {"minutes", "patience"}},
    }
    per_epoch = steps_per_epoch(check_recipe(content, entrant.name))
    for stage, count in zip(content["stages"], steps, strict=True):
        stage.pop("losses", None)
        stage["epochs"] = count / per_epoch
        if "optimizer" in stage:
            stage["optimizer"] |= entrant.optimizer
    return check_recipe(content, entrant.name)


def _steps_per_epoch(recipe: Recipe, crops: CropSet) -> int:
    return len(epoch_order(recipe, crops)(0))
