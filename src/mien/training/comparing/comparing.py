"""Every loss with the same backbone, data, budget and seeds: from a recipe to one table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from mien._version import __version__
from mien.errors import ConfigError
from mien.evaluation import Measure
from mien.progress import track
from mien.training.comparing.entrants import choose_entrants
from mien.training.comparing.paired import COMPARED_PAIRS, ahead
from mien.training.comparing.parts import part_data
from mien.training.comparing.planning import plan_runs
from mien.training.comparing.run_measures import RunMeasures
from mien.training.comparing.running import RECIPE, PlannedRun, finish_runs
from mien.training.comparing.standings import Standing, differences_over_seeds, make_standing, ranked
from mien.training.data.crop_set import open_crops
from mien.training.recipe import Recipe, read_recipe, write_recipe
from mien.training.trainer.stranger_pairs import StrangerPairs

BASE_RECIPE = "losses.toml"
REFERENCE = "softmax"
"""Whom the others are measured against: the loss that most of them extend."""
DATA, RUNS = "data", "runs"


@dataclass(frozen=True)
class LossComparison:
    """The table of losses.

    Attributes:
        standings: The best first.
        reference: The name of the one that `Standing.ahead` is measured against.
        seeds: How many runs each loss has.
        recipe: What all runs have in common.
        facts: What they were trained on and judged by, in words.
    """

    standings: tuple[Standing, ...]
    reference: str
    seeds: int
    recipe: Recipe
    facts: Mapping[str, str]

    @property
    def failures(self) -> int:
        """How many runs came to nothing."""
        return sum(len(standing.failures) for standing in self.standings)

    def to_dict(self) -> dict[str, Any]:
        """The table as JSON-ready data."""
        return {
            "losses": [standing.to_dict() for standing in self.standings],
            "reference": self.reference,
            "seeds": self.seeds,
            "facts": dict(self.facts),
            "recipe": self.recipe.model_dump(mode="json", exclude_none=True),
        }


def base_recipe(changes: Sequence[str] = ()) -> Recipe:
    """The recipe that losses are compared by where no other is given: people who don't exist, a small network."""
    with resources.as_file(resources.files(__package__).joinpath(BASE_RECIPE)) as file:
        return read_recipe(file, changes)


def compare_losses(
    base: Recipe,
    folder: Path,
    *,
    losses: Sequence[str] | None = None,
    seeds: int = 3,
    tell: Callable[[str], None] = lambda line: None,
) -> LossComparison:
    """Train every loss, or go on where that was left, and put them in one table.

    All have the recipe's backbone, data, augmentation, optimiser, schedule and number of steps, and see as many crops;
    the loss, the way batches are drawn, and what `mien.training.comparing.entrants` says of either differ. Nobody whom
    a network is judged on has a part in choosing it: what counts is the network at the end. Runs are made seed by seed,
    so that an early table has every loss in it.

    Args:
        base: What all have in common.
        folder: Where everything is kept; each run lies in ``runs/NAME/seed-0`` and is a run of `mien train`.
        losses: Names of entrants; all by default.
        seeds: How many runs each loss has, 1 or more.
        tell: Called with a line on each run that ends.

    Raises:
        ConfigError: A loss is unknown, or the folder is another recipe's comparison.
    """
    if seeds < 1:
        raise ConfigError(
            f"{seeds} seeds are none.", hint="Ask for 1 or more; 3 show how far a loss depends on chance."
        )
    entrants = choose_entrants(losses)
    _claim(folder, base)
    parts = part_data(base, folder / DATA)
    plan = plan_runs(base, entrants, seeds, parts, folder / RUNS)
    finish_runs([runs[seed] for seed in range(seeds) for runs in plan.values()], tell)
    reference = REFERENCE if REFERENCE in plan else entrants[0].name
    crops = [open_crops(part) for part in (parts.learnt, parts.named, parts.strangers)]
    pairs = StrangerPairs(crops[2].labels, COMPARED_PAIRS)
    standings = [
        make_standing(
            entrant.name,
            entrant.title,
            entrant.described,
            {run.seed: run.outcome() for run in plan[entrant.name]},
            _ahead(pairs, plan[entrant.name], plan[reference]),
        )
        for entrant in track(entrants, "comparing losses")
    ]
    learnt, named, strangers = (f"{len(one):,} photos of {len(one.people):,} people" for one in crops)
    steps = plan[reference][0].steps
    facts = {
        "learnt from": learnt,
        "named in the closed set": f"{named}, of those learnt from",
        "verified": f"{strangers}, whom no network saw",
        "steps of each run": f"{steps:,} of {base.training.batch_size} crops",
        "backbone": _settings(base.backbone.model_dump(exclude_none=True)),
        "size of the crops": f"{base.data.side} pixels",
        "optimiser": _settings(base.optimizer.model_dump()),
        "mien": __version__,
    }
    return LossComparison(tuple(ranked(standings)), reference, seeds, base, facts)


def _ahead(pairs: StrangerPairs, runs: Sequence[PlannedRun], reference: Sequence[PlannedRun]) -> Measure | None:
    """How far the runs are ahead of the reference's, seed by seed; None where none can be compared."""
    if runs[0].name == reference[0].name:
        return None
    differences = [
        ahead(pairs, run.folder, other.folder, other.name.replace(":", "-"))
        for run, other in zip(runs, reference, strict=True)
        if isinstance(run.outcome(), RunMeasures) and isinstance(other.outcome(), RunMeasures)
    ]
    return differences_over_seeds(differences) if differences else None


def _claim(folder: Path, base: Recipe) -> None:
    """Make the comparison's folder, or see that it is this recipe's.

    Raises:
        ConfigError: It is another recipe's, or something else.
    """
    file = folder / RECIPE
    if not file.exists():
        if folder.is_dir() and any(folder.iterdir()):
            raise ConfigError(f"{folder} is not empty and no comparison of losses.", hint="Name a new folder.")
        folder.mkdir(parents=True, exist_ok=True)
        write_recipe(base, file)
    elif read_recipe(file).model_dump(mode="json") != base.model_dump(mode="json"):
        raise ConfigError(
            f"{folder} is a comparison by another recipe (see its {RECIPE}).",
            hint="Name a new folder, or go on with the recipe that it was begun with.",
        )


def _settings(table: Mapping[str, Any]) -> str:
    name = table["name"]
    rest = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in table.items() if key != "name")
    return f"{name}, {rest}"
