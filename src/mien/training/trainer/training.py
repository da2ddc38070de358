"""From a recipe to a trained network, in a folder that says everything about how it came to be."""

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn

from mien.decisions.wording import counted
from mien.errors import ConfigError
from mien.evaluation import Estimate, VerificationMeasures
from mien.training.backbones import open_backbone
from mien.training.data.augmentation import Augmentation
from mien.training.data.crop_set import CropSet
from mien.training.data.one_at_a_time import LOCK, alone_in
from mien.training.data.preparing import PreparedData, prepare_data
from mien.training.recipe import Recipe, recipe_text, write_recipe
from mien.training.trainer.batches import Batches
from mien.training.trainer.checkpoint import load_checkpoint
from mien.training.trainer.memory import peak_memory
from mien.training.trainer.ordering import epoch_order
from mien.training.trainer.run_folder import BEST, CHECKPOINT, PEOPLE, RECIPE, REPORT, RESULT, SCATTER, read_run_recipe
from mien.training.trainer.stages import check_stages
from mien.training.trainer.training_run import Tell, TrainingRun
from mien.training.trainer.validation import embed_crops, validate
from mien.whole_files import write_whole, written_whole

SCATTERED = 2000
"""Crops whose embeddings are drawn, where they have two or three numbers."""


@dataclass(frozen=True)
class TrainingResult:
    """What a run came to.

    Attributes:
        folder: The run's.
        finished: Whether it went to its end; if not, the same call goes on.
        step: Steps that are over.
        measures: On the validation set, by the best network; None before the end.
        without_crop: How many photos gave no crop, by the table that says why.
    """

    folder: Path
    finished: bool
    step: int
    measures: VerificationMeasures | None = None
    without_crop: Mapping[Path, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON-ready data; of the measures, what a run is compared by."""
        return {
            "folder": str(self.folder),
            "finished": self.finished,
            "step": self.step,
            "validation": None if self.measures is None else _brief(self.measures),
            "without_crop": {str(table): photos for table, photos in self.without_crop.items()},
        }

    def describe(self) -> str:
        """The result in a few lines."""
        failed = [
            f"  {counted(photos, 'photo')} gave no crop to train with; see why in {table}"
            for table, photos in self.without_crop.items()
        ]
        if self.measures is None:
            stopped = f"{self.folder}: stopped at step {self.step}; the same command goes on from there"
            return "\n".join([stopped, *failed])
        lines = [f"{self.folder}: done, {self.step} steps; on people it never saw:"]
        named = {"AUC": self.measures.auc, "EER": self.measures.eer}
        named |= {f"TMR at FMR {rate}": measure for rate, measure in self.measures.tar_at_far.items()}
        for name, measure in named.items():
            if isinstance(measure, Estimate):
                value, low, high = 100 * measure.value, 100 * measure.low, 100 * measure.high
                lines.append(f"  {name:<16} {value:6.2f} %  ({low:.2f} to {high:.2f} %)")
        return "\n".join([*lines, *failed, f"  how it went: {self.folder / REPORT}"])


def train(recipe: Recipe, folder: Path, *, tensorboard: bool = False, tell: Tell = lambda line: None) -> TrainingResult:
    """Follow a recipe, or go on where it was left; the same recipe gives the same network, resumed or not.

    Args:
        recipe: What to do.
        folder: Where the run is kept: ``recipe.toml`` with every value that holds, ``checkpoint.pt``, ``best.pt``,
            ``steps.csv``, ``validations.csv``, ``result.json``, ``people.txt`` and, at the end, ``report.html``.
        tensorboard: Write events for TensorBoard too.
        tell: Called with a line on each validation.

    Raises:
        ConfigError: The folder is another recipe's run, or the recipe asks for what there isn't, or photos have
            changed since the run was begun, or the run is under way.
        TrainingError: The loss is no number, or the embeddings have collapsed.
    """
    accelerator = Accelerator(mixed_precision="no", cpu=not torch.cuda.is_available())
    torch.manual_seed(recipe.seed)
    network, augmentation = begin_network(recipe), Augmentation.from_settings(recipe.augmentation)
    check_stages(recipe, network, accelerator.num_processes)  # before hours of cutting crops, or of the stages before
    if recipe.training.compile:
        compile_network(network)
    with _claimed(folder, recipe) if accelerator.is_main_process else nullcontext():
        with accelerator.main_process_first():
            data = prepare_data(recipe)
        if np.bincount(data.train.labels).max() < 2 and accelerator.is_main_process:
            tell("no person to learn from has two photos: losses on pairs and triplets have nothing to pull together")
        batches = Batches(
            data.train,
            epoch_order(recipe, data.train, data.shares),
            augmentation,
            recipe.seed,
            (accelerator.process_index, accelerator.num_processes),
        )
        run = TrainingRun(recipe, data, network, batches, folder, accelerator, tensorboard=tensorboard, tell=tell)
        if not run.finish(recipe.training.minutes):
            return TrainingResult(folder, finished=False, step=run.position.step, without_crop=data.without_crop)
        accelerator.wait_for_everyone()
        network.load_state_dict(load_checkpoint(folder / BEST)["network"])
        measures = validate(network, data.validation, resamples=1000, seed=recipe.seed)
        if accelerator.is_main_process:
            _write_result(run, data, measures, folder)
            if recipe.backbone.embedding_size in (2, 3):  # which can be drawn as they are
                _write_scatter(network, data.train, folder, recipe.seed)
            from mien.training.reports import write_report  # it reads what is written here, and draws for a second

            write_report(folder, measures)
        return TrainingResult(
            folder, finished=True, step=run.position.step, measures=measures, without_crop=data.without_crop
        )


def begin_network(recipe: Recipe) -> nn.Module:
    """The recipe's backbone with the weights it starts from."""
    backbone = recipe.backbone
    network = open_backbone(
        backbone.name, embedding_size=backbone.embedding_size, input_size=recipe.data.side, **backbone.arguments
    )
    if backbone.start is not None:
        file = backbone.start / BEST if backbone.start.is_dir() else backbone.start
        try:
            network.load_state_dict(load_checkpoint(file)["network"])
        except (RuntimeError, KeyError) as problem:
            raise ConfigError(
                f"The weights in {file} don't fit the backbone {backbone.name}: {str(problem).splitlines()[0]}",
                hint="Use the backbone and embedding size of the run that they are from.",
            ) from None
    return network


def compile_network(network: nn.Module) -> None:
    """Have a network's operations fused by PyTorch's compiler; the network stays what it is otherwise.

    Raises:
        ConfigError: There is no C++ compiler.
    """
    if shutil.which(os.environ.get("CXX", "g++")) is None:
        raise ConfigError(
            "training.compile needs a C++ compiler, and there is none here.",
            hint="Install g++, name another in the environment variable CXX, or leave training.compile out.",
        )
    network.compile()


def open_run(folder: Path, *, last: bool = False) -> tuple[Recipe, nn.Module]:
    """A run's recipe, and its best network in evaluation mode.

    Args:
        folder: The run's.
        last: Its network as it was when the run stopped, averaged where the recipe averages, instead of the best.

    Raises:
        ConfigError: The folder is no run.
        TrainingError: It has no network yet, or a damaged one.
    """
    recipe = read_run_recipe(folder)
    network = begin_network(recipe.model_copy(update={"backbone": recipe.backbone.model_copy(update={"start": None})}))
    state = load_checkpoint(folder / (CHECKPOINT if last else BEST))
    weights = state["network"]
    if last and state["average"] is not None:
        weights = {name.removeprefix("module."): one for name, one in state["average"].items() if name != "n_averaged"}
    network.load_state_dict(weights)
    return recipe, network.eval()


@contextmanager
def _claimed(folder: Path, recipe: Recipe) -> Iterator[None]:
    """Make the run's folder, or see that it is this recipe's; only how long and how often may differ.

    No other run is in it meanwhile, from before its recipe is written.
    """
    if folder.is_file():
        raise ConfigError(f"{folder} is a file.", hint="Name a new folder for the run.")
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / RECIPE).exists() and any(file.name != LOCK for file in folder.iterdir()):
        raise ConfigError(f"{folder} is not empty and no training run.", hint="Name a new folder.")
    with alone_in(folder):
        if not (folder / CHECKPOINT).exists():  # also where an earlier try came to nothing
            if (folder / RECIPE).exists() and not _wrote(folder):
                raise ConfigError(
                    f"The run would write its own {RECIPE} over the one in {folder}.",
                    hint="Name a new folder for the run, or give that file another name.",
                )
            for features in folder.glob("features-*.f16"):
                features.unlink()
            write_recipe(recipe, folder / RECIPE)
        elif _essence(read_run_recipe(folder)) != _essence(recipe):
            raise ConfigError(
                f"{folder} is a run of another recipe (see its {RECIPE}).",
                hint="Name a new folder, or go on with the recipe that it was begun with.",
            )
        yield


def _wrote(folder: Path) -> bool:
    """Whether its recipe is as a run writes it, with every value and nothing else."""
    return (folder / RECIPE).read_text(encoding="utf-8") == recipe_text(read_run_recipe(folder))


def _essence(recipe: Recipe) -> dict[str, Any]:
    return recipe.model_dump(mode="json", exclude={"title": True, "training": {"minutes", "checkpoint_minutes"}})


def _brief(measures: VerificationMeasures) -> dict[str, Any]:
    return {name: value for name, value in measures.to_dict().items() if name in {"auc", "eer", "tar_at_far"}}


def _write_scatter(network: nn.Module, crops: CropSet, folder: Path, seed: int) -> None:
    if len(crops) > SCATTERED:
        crops = crops.select(np.sort(np.random.default_rng(seed).choice(len(crops), SCATTERED, replace=False)))
    with written_whole(folder / SCATTER) as partial, partial.open("wb") as file:
        np.savez(file, embeddings=embed_crops(network, crops, unit_length=False), labels=crops.labels)


def _write_result(run: TrainingRun, data: PreparedData, measures: VerificationMeasures, folder: Path) -> None:
    write_whole(folder / PEOPLE, "".join(f"{name}\n" for name in data.train.people))
    result = {
        "steps": run.position.step,
        "best_step": run.position.best_step,
        "seconds": round(run.position.seconds, 1),
        "peak_bytes": peak_memory(),
        "data": {
            "sha256": data.train.sha256,
            "people": len(data.train.people),
            "crops": len(
                set(zip(data.train.labels.tolist(), data.train.photos, strict=True))
            ),  # a teacher's views apart
            "left_out": list(data.left_out),
            "without_crop": {str(table): photos for table, photos in data.without_crop.items()},
        },
        "validation": {
            "sha256": data.validation.sha256,
            "people": len(data.validation.people),
            "crops": len(data.validation),
            **_brief(measures),
        },
        "date": time.strftime("%Y-%m-%d"),
    }
    write_whole(folder / RESULT, json.dumps(result, indent=2) + "\n")
