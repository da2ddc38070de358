from typing import Any

import pytest

from mien.training.exporting.run_words import describe_figures, describe_training, recipe_sha256
from mien.training.recipe import Recipe, check_recipe

RECIPE: dict[str, Any] = {
    "title": "A first try",
    "data": {"side": 64, "sources": [{"folder": "/home/someone/family"}, {"synthetic": {"people": 3}}]},
    "backbone": {"name": "small", "width": 16},
    "losses": [{"name": "cosface", "s": 24, "m": 0.2}],
    "teacher": {"encoder": "/home/someone/cards/big.toml"},
    "stages": [
        {"epochs": 1.5, "trainable": "none"},
        {"epochs": 4, "trainable": "last", "losses": [{"name": "softmax"}, {"name": "imitation", "share": 20}]},
    ],
}
RESULT: dict[str, Any] = {
    "data": {"sha256": "ab" * 32, "people": 1160, "crops": 19200},
    "validation": {
        "sha256": "cd" * 32,
        "people": 60,
        "crops": 1360,
        "auc": {"value": 0.97531, "low": 0.96, "high": 0.98},
        "eer": {"value": 0.0525, "low": 0.04, "high": 0.06},
        "tar_at_far": {
            "1e-2": {"value": 0.5, "low": 0.25, "high": 0.75},
            "1e-6": {"unsupported": "not supported by 63,720 non-mated comparisons"},
        },
    },
    "date": "2026-11-27",
}


@pytest.fixture
def recipe() -> Recipe:
    return check_recipe(RECIPE)


def test_training_in_words(recipe: Recipe) -> None:
    assert describe_training(recipe, RESULT) == (
        f"A first try. Backbone small (width 16), crops of 64 pixels, recipe {recipe_sha256(recipe)[:12]}. "
        "1.5 epochs of cosface (s 24, m 0.2) with nothing of the backbone trainable; then 4 epochs of softmax + "
        "20 × imitation with last of the backbone trainable. The teacher was the encoder big.toml. "
        "It learnt from 19,200 crops of 1,160 people (photos of the trainer's own, people who don't exist; list "
        f"SHA-256 {'ab' * 32})."
    )


def test_no_path_is_told(recipe: Recipe) -> None:
    assert "someone" not in describe_training(recipe, RESULT) + describe_figures(RESULT)


def test_a_run_without_an_end_says_so(recipe: Recipe) -> None:
    assert describe_training(recipe, None).endswith("The run has not come to its end.")
    assert describe_figures(None) == ""


def test_figures_in_words() -> None:
    assert describe_figures(RESULT) == (
        "On 1,360 validation crops of 60 people whom it never learnt from and who chose the best step (list SHA-256 "
        "cdcdcdcdcdcd, 2026-11-27): AUC 97.53 % (96.00 to 98.00), EER 5.25 % (4.00 to 6.00), "
        "TMR at FMR 1e-2 50.00 % (25.00 to 75.00)."
    )


@pytest.mark.parametrize(
    ("backbone", "sentence"),
    [
        ({"name": "sface"}, "shipped weights of SFace"),
        ({"name": "small", "start": "runs/before"}, "weights of another run"),
    ],
)
def test_where_it_began_is_told(backbone: dict[str, Any], sentence: str) -> None:
    assert sentence in describe_training(check_recipe({**RECIPE, "backbone": backbone}), RESULT)
    fresh = check_recipe({**RECIPE, "backbone": {"name": "sface", "pretrained": False}})
    assert "began" not in describe_training(fresh, RESULT)


def test_another_recipe_has_another_hash(recipe: Recipe) -> None:
    assert recipe_sha256(recipe) == recipe_sha256(check_recipe(RECIPE))
    assert recipe_sha256(recipe) != recipe_sha256(check_recipe({**RECIPE, "seed": 1}))
