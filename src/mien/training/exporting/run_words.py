"""A training run in words, for the card of its encoder: no names and no paths, but hashes of recipe and data."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from mien.training.recipe.schema import Objective, OpenTable, Recipe, Source, Stage

_FIGURES = {"auc": "AUC", "eer": "EER"}


def recipe_sha256(recipe: Recipe) -> str:
    """Hash over everything that the run depended on."""
    return hashlib.sha256(json.dumps(recipe.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def describe_training(recipe: Recipe, result: Mapping[str, Any] | None) -> str:
    """What it was trained on, and how.

    Args:
        recipe: The run's.
        result: Its ``result.json``; None where the run has not come to its end.
    """
    sentences = [
        recipe.title and _sentence(recipe.title),
        f"Backbone {_with_settings(recipe.backbone)}, crops of {recipe.data.side} pixels, recipe "
        f"{recipe_sha256(recipe)[:12]}.",
        _start(recipe),
        _stages(recipe),
        f"The teacher was the encoder {_file_name(recipe.teacher.encoder)}." if recipe.teacher else "",
        _data(recipe, result) if result else "The run has not come to its end.",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def describe_figures(result: Mapping[str, Any] | None) -> str:
    """What was measured on people the network never learnt from; "" where nothing was."""
    if not result:
        return ""
    validation = result["validation"]
    measures = {name: validation[key] for key, name in _FIGURES.items()}
    measures |= {f"TMR at FMR {rate}": measure for rate, measure in validation["tar_at_far"].items()}
    figures = [
        f"{name} {100 * measure['value']:.2f} % ({100 * measure['low']:.2f} to {100 * measure['high']:.2f})"
        for name, measure in measures.items()
        if "value" in measure
    ]
    return (
        f"On {validation['crops']:,} validation crops of {validation['people']:,} people whom it never learnt from and "
        f"who chose the best step (list SHA-256 {validation['sha256'][:12]}, {result['date']}): {', '.join(figures)}."
    )


def _start(recipe: Recipe) -> str:
    if recipe.backbone.start is not None:
        return "It began with the weights of another run."
    if recipe.backbone.name == "sface" and recipe.backbone.arguments.get("pretrained", True):
        return "It began with the shipped weights of SFace, whose licence and training hold for it too."
    return ""


def _stages(recipe: Recipe) -> str:
    stages = []
    for stage in recipe.stages:
        losses = " + ".join(_loss(loss) for loss in stage.losses or recipe.losses)
        stages.append(f"{stage.epochs:g} epochs of {losses}{_moving(stage)}")
    return _sentence("; then ".join(stages))


def _moving(stage: Stage) -> str:
    if stage.trainable == "all":
        return ""
    return f" with {'nothing' if stage.trainable == 'none' else stage.trainable} of the backbone trainable"


def _loss(loss: Objective) -> str:
    return (f"{loss.share:g} × " if loss.share != 1 else "") + _with_settings(loss)


def _data(recipe: Recipe, result: Mapping[str, Any]) -> str:
    data = result["data"]
    kinds = dict.fromkeys(_kind(source) for source in recipe.data.sources)
    return (
        f"It learnt from {data['crops']:,} crops of {data['people']:,} people ({', '.join(kinds)}; list SHA-256 "
        f"{data['sha256']})."
    )


def _kind(source: Source) -> str:
    kind = "people who don't exist" if source.synthetic else "photos of the trainer's own"
    return f"{kind} in {100 * source.share:.0f} % of each batch" if source.share else kind


def _with_settings(table: OpenTable) -> str:
    settings = ", ".join(f"{key} {value}" for key, value in table.arguments.items())
    return f"{table.name} ({settings})" if settings else table.name


def _file_name(name_or_path: str) -> str:
    return name_or_path.replace("\\", "/").rpartition("/")[2]


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
