from pathlib import Path

import numpy as np
import pytest

from mien.errors import ConfigError
from mien.training.comparing.entrants import Entrant, choose_entrants
from mien.training.comparing.parts import Parts, part_data
from mien.training.comparing.planning import plan_runs, run_recipe
from mien.training.trainer.stages import resolve_stages
from training.comparing.made_crops import small_recipe

NOTHING = Parts(Path("learnt"), Path("named"), Path("strangers"))


def test_all_runs_have_the_same_steps_data_and_backbone(tmp_path: Path) -> None:
    base = small_recipe(tmp_path)
    parts = part_data(base, tmp_path / "data")
    plan = plan_runs(base, choose_entrants(["softmax", "cosface"]), 2, parts, tmp_path / "runs")
    runs = [run for of_one in plan.values() for run in of_one]
    assert [(run.name, run.seed, run.recipe.seed) for run in runs] == [
        ("softmax", 0, 5), ("softmax", 1, 6), ("cosface", 0, 5), ("cosface", 1, 6)
    ]  # fmt: skip
    assert {run.steps for run in runs} == {12}
    common = [run.recipe.model_dump(mode="json", exclude={"title", "seed", "losses"}) for run in runs]
    assert common == common[:1] * 4
    assert runs[0].recipe.data.sources[0].crops == parts.learnt
    assert runs[0].recipe.validation.sources[0].crops == parts.strangers
    assert runs[3].folder == tmp_path / "runs" / "cosface" / "seed-1"


@pytest.mark.parametrize("per_epoch", [1, 3, 4, 7, 100])
def test_a_sampler_with_other_epochs_has_as_many_steps(tmp_path: Path, per_epoch: int) -> None:
    stages = [{"name": "first", "epochs": 2}, {"name": "second", "epochs": 0.5, "optimizer": {"learning_rate": 0.3}}]
    base = small_recipe(tmp_path, stages=stages)
    entrant = Entrant("triplet", "triplet", ({"name": "triplet"},), {"name": "pk", "photos": 4}, {"head_rate": 2.0})
    recipe = run_recipe(base, entrant, NOTHING, 0, lambda _: per_epoch, [8, 2])
    resolved = resolve_stages(recipe, per_epoch)
    assert [stage.steps for stage in resolved] == [8, 2]
    assert [stage.losses[0].name for stage in resolved] == ["triplet", "triplet"]
    assert [stage.optimizer.head_rate for stage in resolved] == [2.0, 2.0]
    assert [stage.optimizer.learning_rate for stage in resolved] == [5e-3, 0.3]


def test_nothing_that_makes_budgets_differ_is_left(tmp_path: Path) -> None:
    base = small_recipe(
        tmp_path,
        training={"batch_size": 10, "minutes": 1, "patience": 2, "ema": 0.9},
        stages=[{"epochs": 3, "losses": [{"name": "arcface"}]}],
    )
    recipe = run_recipe(base, choose_entrants(["cosface"])[0], NOTHING, 0, lambda _: 4, [12])
    assert (recipe.training.minutes, recipe.training.patience, recipe.training.ema) == (None, None, 0.9)
    assert [loss.name for loss in recipe.stages[0].losses or recipe.losses] == ["cosface"]
    assert recipe.validation.every > np.ceil(recipe.stages[0].epochs)


def test_what_cannot_be_drawn_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    base = small_recipe(tmp_path)
    entrant = Entrant("odd", "odd", ({"name": "softmax"},), {"name": "by the moon"})
    with pytest.raises(ConfigError, match="sampler"):
        plan_runs(base, [entrant], 1, part_data(base, tmp_path / "data"), tmp_path / "runs")
