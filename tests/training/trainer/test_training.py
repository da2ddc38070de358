import gc
import json
import resource
import shutil
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mien.errors import ConfigError, InputError, TrainingError
from mien.evaluation import Estimate
from mien.synthesis import Population
from mien.training.data.crop_set import CropSet
from mien.training.data.one_at_a_time import alone_in
from mien.training.data.preparing import prepare_data
from mien.training.losses import LOSSES, CrossBatchMemory
from mien.training.mining import SemiHard
from mien.training.recipe import Recipe, check_recipe, read_recipe, recipe_text
from mien.training.recipe.schema import Optimizer
from mien.training.trainer import TrainingResult, memory, open_run, read_run_recipe, train, training_run, validate
from mien.training.trainer.checkpoint import load_checkpoint, save_checkpoint
from mien.training.trainer.joint_objective import JointObjective, Outcome
from mien.training.trainer.run_log import RunLog, read_log
from mien.training.trainer.stages import check_stages, make_objective, make_optimizer, resolve_stages
from mien.training.trainer.training import begin_network


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("crops")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def small_recipe(cache: Path, **changes: Any) -> Recipe:
    content: dict[str, Any] = {
        "seed": 3,
        "data": {
            "side": 32,
            "cache": str(cache),
            "sources": [{"synthetic": {"people": 8, "photos": 6}, "aligned": True}],
        },
        "validation": {"sources": [{"synthetic": {"people": 6, "photos": 3, "first": 500}, "aligned": True}]},
        "backbone": {"name": "small", "width": 8, "embedding_size": 16},
        "losses": [{"name": "cosface", "s": 16, "m": 0.1}],
        "augmentation": {"flip": 0.5, "shift": 0.5},
        "stages": [{"epochs": 3}],
        "training": {"batch_size": 8},
    }
    for place, value in changes.items():
        table = content
        *path, last = place.split("__")
        for key in path:
            table = table.setdefault(key, {})
        table[last] = value
    return check_recipe(content)


def network_of(folder: Path, file: str = "checkpoint.pt") -> dict[str, torch.Tensor]:
    weights: dict[str, torch.Tensor] = load_checkpoint(folder / file)["network"]
    return weights


def assert_same_weights(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name


def test_a_run_leaves_all_that_says_how_it_went(cache: Path, tmp_path: Path) -> None:
    told: list[str] = []
    result = train(small_recipe(cache), tmp_path / "run", tell=told.append)
    assert result.finished
    assert isinstance(result.measures.auc, Estimate)  # type: ignore[union-attr]
    assert len(told) == 3
    assert {file.name for file in (tmp_path / "run").iterdir()} >= {
        *("recipe.toml", "checkpoint.pt", "best.pt", "steps.csv", "validations.csv", "result.json", "people.txt"),
        *("angles.csv", "target_logits.csv", "report.html"),
    }
    assert [row["step"] for row in read_log(tmp_path / "run" / "validations.csv")] == ["6", "12", "18"]
    said = json.loads((tmp_path / "run" / "result.json").read_text())
    assert (said["steps"], said["data"]["people"], said["data"]["crops"]) == (18, 8, 48)
    assert read_recipe(tmp_path / "run" / "recipe.toml") == small_recipe(cache)
    recipe, network = open_run(tmp_path / "run")
    assert recipe == small_recipe(cache)
    assert not network.training
    assert_same_weights(dict(network.state_dict()), network_of(tmp_path / "run", "best.pt"))


def test_the_memory_of_the_callers_process_is_left_alone(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "platform", None)  # which the switch asks for the C library
    assert train(small_recipe(cache), tmp_path / "run").finished


class Stopped(KeyboardInterrupt):
    """Ctrl-C, as the tests press it."""


@pytest.mark.parametrize("stop_after", [1, 2])
@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_an_interrupted_run_goes_on_bit_for_bit(cache: Path, tmp_path: Path, stop_after: int, ema: float) -> None:
    recipe = small_recipe(cache, training__ema=ema, optimizer__momentum=0.9)
    whole = train(recipe, tmp_path / "whole")
    told = 0

    def interrupt(line: str) -> None:
        nonlocal told
        told += 1
        if told == stop_after:
            raise Stopped

    with pytest.raises(KeyboardInterrupt):
        train(recipe, tmp_path / "parts", tell=interrupt)
    parts = train(recipe, tmp_path / "parts")
    assert parts.finished
    for file in ("checkpoint.pt", "best.pt"):
        assert_same_weights(network_of(tmp_path / "whole", file), network_of(tmp_path / "parts", file))
    assert whole.measures is not None
    assert parts.measures is not None
    assert whole.measures.auc == parts.measures.auc
    losses = [[row["loss"] for row in read_log(tmp_path / name / "steps.csv")] for name in ("whole", "parts")]
    assert losses[0] == losses[1]


@pytest.mark.parametrize("step", [3, 6, 7])
def test_ctrl_c_within_a_step_waits_for_its_end(
    cache: Path, tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = [{"name": "cosface", "s": 16, "m": 0.1}, {"name": "center", "share": 0.01}]
    recipe = small_recipe(cache, losses=losses, optimizer__momentum=0.9, stages=[{"epochs": 1}, {"epochs": 2}])
    monkeypatch.setattr(training_run, "LOG_EVERY", 1)
    train(recipe, tmp_path / "whole")
    forward, steps, waiting = JointObjective.forward, 0, False

    def interrupted(self: JointObjective, *batch: Any) -> Outcome:
        nonlocal steps, waiting
        steps += 1
        waiting = steps == step
        return forward(self, *batch)

    @contextmanager
    def later() -> Iterator[None]:  # as `interruptions_later`, without a signal, which pytest's workers don't bear
        nonlocal waiting
        yield
        if waiting:
            waiting = False
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(JointObjective, "forward", interrupted)
        patched.setattr(training_run, "interruptions_later", later)
        with pytest.raises(KeyboardInterrupt):
            train(recipe, tmp_path / "parts")
    assert load_checkpoint(tmp_path / "parts" / "checkpoint.pt")["position"]["step"] == step
    train(recipe, tmp_path / "parts")
    for part in ("network", "losses", "angles"):
        whole, parts = (load_checkpoint(tmp_path / name / "checkpoint.pt")[part] for name in ("whole", "parts"))
        assert_same_weights(whole, parts)
    for table in ("steps", "angles"):
        rows = [read_log(tmp_path / name / f"{table}.csv") for name in ("whole", "parts")]
        for row in (*rows[0], *rows[1]):
            row.pop("crops_per_second", None)
        assert rows[0] == rows[1]


def test_a_run_that_stops_by_the_clock_goes_on_bit_for_bit(cache: Path, tmp_path: Path) -> None:
    train(small_recipe(cache), tmp_path / "whole")
    calls = 0
    result = TrainingResult(tmp_path, finished=False, step=0)
    while not result.finished:
        result = train(small_recipe(cache, training__minutes=1e-9), tmp_path / "parts")
        calls += 1
    assert calls > 5
    assert_same_weights(network_of(tmp_path / "whole"), network_of(tmp_path / "parts"))


def test_a_finished_run_is_not_trained_again(cache: Path, tmp_path: Path) -> None:
    train(small_recipe(cache), tmp_path)
    before = network_of(tmp_path)
    assert train(small_recipe(cache), tmp_path).finished
    assert_same_weights(before, network_of(tmp_path))


def test_another_recipe_in_the_same_folder_is_refused(cache: Path, tmp_path: Path) -> None:
    train(small_recipe(cache), tmp_path / "run")
    with pytest.raises(ConfigError, match="another recipe"):
        train(small_recipe(cache, seed=4), tmp_path / "run")
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(ConfigError, match="not empty"):
        train(small_recipe(cache), tmp_path)


def test_a_run_that_is_under_way_is_left_alone(cache: Path, tmp_path: Path) -> None:
    train(small_recipe(cache, training__minutes=1e-9), tmp_path)
    with alone_in(tmp_path), pytest.raises(ConfigError, match="Another run is under way"):
        train(small_recipe(cache), tmp_path)
    assert train(small_recipe(cache), tmp_path).finished


def test_a_run_that_has_just_begun_keeps_its_recipe(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(recipe_text(small_recipe(cache)))
    begun = (tmp_path / "recipe.toml").read_text()
    with alone_in(tmp_path), pytest.raises(ConfigError, match="Another run is under way"):
        train(small_recipe(cache, seed=4), tmp_path)
    assert (tmp_path / "recipe.toml").read_text() == begun


def test_a_recipe_that_somebody_wrote_is_not_written_over(cache: Path, tmp_path: Path) -> None:
    recipe = small_recipe(cache)
    written = recipe_text(recipe) + "# what I changed, and why\n"
    (tmp_path / "recipe.toml").write_text(written)
    with pytest.raises(ConfigError, match="would write its own"):
        train(recipe, tmp_path)
    assert (tmp_path / "recipe.toml").read_text() == written
    (tmp_path / "recipe.toml").write_text(recipe_text(small_recipe(cache, seed=4)))  # of a run that came to nothing
    assert train(recipe, tmp_path).finished


def test_people_with_one_photo_each_are_mentioned(cache: Path, tmp_path: Path) -> None:
    told: list[str] = []
    sources = [{"synthetic": {"people": 8, "photos": 1}, "aligned": True}]
    train(small_recipe(cache, data__sources=sources, stages=[{"epochs": 1}]), tmp_path, tell=told.append)
    assert "no person to learn from has two photos" in told[0]


def test_an_embedding_may_be_one_number(cache: Path, tmp_path: Path) -> None:
    recipe = small_recipe(
        cache, backbone__embedding_size=1, losses=[{"name": "contrastive", "normalize": False}], stages=[{"epochs": 1}]
    )
    assert train(recipe, tmp_path).finished
    assert (tmp_path / "report.html").exists()


def test_a_run_does_not_go_on_over_other_photos(tmp_path: Path) -> None:
    people, folder = Population(5), tmp_path / "people"
    for number in range(4):
        (folder / f"p{number}").mkdir(parents=True)
        for photo in range(2):
            (folder / f"p{number}" / f"{photo}.jpg").write_bytes(people.person(number).photo(photo).jpeg)
    recipe = small_recipe(
        tmp_path / "crops",
        data__sources=[{"folder": str(folder)}],
        validation={"held_out": 0.5},
        training__minutes=1e-9,
        stages=[{"epochs": 20}],
    )
    for _ in range(2):
        train(recipe, tmp_path / "run")
    for number in range(4):
        (folder / f"p{number}" / "2.jpg").write_bytes(people.person(number).photo(2).jpeg)
    with pytest.raises(ConfigError, match=r"photos to learn from and to validate with have changed.*another folder"):
        train(recipe, tmp_path / "run")


def test_a_damaged_checkpoint_is_named(cache: Path, tmp_path: Path) -> None:
    train(small_recipe(cache), tmp_path)
    (tmp_path / "checkpoint.pt").write_bytes(b"nothing of the kind")
    with pytest.raises(TrainingError, match=r"checkpoint\.pt is damaged"):
        train(small_recipe(cache), tmp_path)


@pytest.mark.parametrize("content", [b"\x80\x02.", b"0.", b"\x80\x02h\x05.", b"N.", b""])
def test_any_other_file_is_no_checkpoint(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(content)
    with pytest.raises(TrainingError, match=r"checkpoint\.pt is"):
        load_checkpoint(tmp_path / "checkpoint.pt")


def test_a_checkpoint_for_which_there_is_no_room_is_named_and_the_one_before_stays(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.pt"
    save_checkpoint({"step": 1}, file)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, before[1]))
    try:
        with pytest.raises(TrainingError, match=r"checkpoint\.pt can't be written.*the same command"):
            save_checkpoint({"weights": torch.zeros(2**18)}, file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert load_checkpoint(file)["step"] == 1
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("damage", [b'title = "half', b'title = "\xff"', b"seed = " + b"9" * 5000])
def test_a_damaged_recipe_of_a_run_is_named(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "recipe.toml").write_bytes(damage)
    with pytest.raises(InputError, match=r"recipe\.toml, is damaged"):
        read_run_recipe(tmp_path)


def test_a_checkpoint_of_something_else_is_refused(cache: Path, tmp_path: Path) -> None:
    train(small_recipe(cache, stages=[{"epochs": 1}]), tmp_path)
    shutil.copy(tmp_path / "best.pt", tmp_path / "checkpoint.pt")
    with pytest.raises(TrainingError, match="of another version of mien, or doesn't fit"):
        train(small_recipe(cache, stages=[{"epochs": 1}]), tmp_path)


@pytest.mark.parametrize("end", ["8", "8,trai", "8,training,0.25", "8,training,0.25,1\n9,tr10,training,1.5,2\n"])
def test_what_was_left_half_written_of_a_table_is_dropped(tmp_path: Path, end: str) -> None:
    whole = "step,stage,epoch,loss\n4,training,0.5,1.25\n"
    (tmp_path / "steps.csv").write_text(whole + end)
    log = RunLog(tmp_path, 10)
    log.add("steps.csv", {"step": 12, "stage": "training", "epoch": 1.5, "loss": 1.0})
    steps = [row["step"] for row in read_log(tmp_path / "steps.csv")]
    assert steps == (["4", "8", "12"] if end.startswith("8,training,0.25,1") else ["4", "12"])


def test_a_checkpoint_never_runs_code(tmp_path: Path) -> None:
    torch.save({"format": 1, "position": Path("x")}, tmp_path / "bad.pt")  # a Path is an object, not plain data
    with pytest.raises(TrainingError, match="nothing in it was run") as refusal:
        load_checkpoint(tmp_path / "bad.pt")
    assert "weights_only" not in str(refusal.value)


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_photos(cache: Path, tmp_path: Path) -> None:
    recipe = small_recipe(
        cache, optimizer__learning_rate=1e30, optimizer__clip=0, schedule__warm_up=0, losses=[{"name": "softmax"}]
    )
    with pytest.raises(TrainingError, match=r"person-\d+.*learning_rate"):
        train(recipe, tmp_path)


def test_collapsed_embeddings_stop_the_run(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.setattr(training_run, "LOG_EVERY", 1)
    recipe = small_recipe(cache, backbone={"name": "constant_network:Constant", "embedding_size": 16})
    with pytest.raises(TrainingError, match="collapsed"):
        train(recipe, tmp_path)


def test_patience_ends_a_run_that_gets_no_better(cache: Path, tmp_path: Path) -> None:
    recipe = small_recipe(cache, stages=[{"epochs": 50}], training__patience=2, optimizer__learning_rate=1e-12)
    result = train(recipe, tmp_path)
    assert result.finished
    assert result.step <= 5 * 6


def test_a_run_whose_patience_ended_as_it_was_interrupted_is_over(cache: Path, tmp_path: Path) -> None:
    recipe = small_recipe(cache, stages=[{"epochs": 5}], training__patience=1, optimizer__learning_rate=1e-12)
    told: list[str] = []
    whole = train(recipe, tmp_path / "whole", tell=told.append)
    last = len(told)
    assert last < 5
    assert [row["step"] for row in read_log(tmp_path / "whole" / "steps.csv")] == [
        str(6 * (1 + n)) for n in range(last)
    ]

    def interrupt(line: str) -> None:
        told.append(line)
        if len(told) == 2 * last:
            raise Stopped

    with pytest.raises(KeyboardInterrupt):
        train(recipe, tmp_path / "parts", tell=interrupt)
    assert train(recipe, tmp_path / "parts").step == whole.step
    assert_same_weights(network_of(tmp_path / "whole"), network_of(tmp_path / "parts"))


def test_stages_follow_each_other_and_a_head_gives_its_class_weights(cache: Path, tmp_path: Path) -> None:
    recipe = small_recipe(
        cache,
        losses=[{"name": "softmax"}],
        stages=[
            {"name": "softmax", "epochs": 1},
            {"name": "margin", "epochs": 1, "losses": [{"name": "cosface"}], "optimizer": {"learning_rate": 1e-30}},
        ],
    )
    train(recipe, tmp_path / "both")
    train(
        small_recipe(cache, losses=[{"name": "softmax"}], stages=[{"name": "softmax", "epochs": 1}]), tmp_path / "one"
    )
    both = load_checkpoint(tmp_path / "both" / "checkpoint.pt")["losses"]["0.weight"]
    one = load_checkpoint(tmp_path / "one" / "checkpoint.pt")["losses"]["0.weight"]
    torch.testing.assert_close(both, one)
    assert {row["stage"] for row in read_log(tmp_path / "both" / "validations.csv")} == {"softmax", "margin"}


def test_a_stage_that_trains_only_its_head_leaves_the_network_alone(cache: Path, tmp_path: Path) -> None:
    first = [{"name": "all", "epochs": 1}]
    head = {"name": "head", "epochs": 4, "trainable": "none", "losses": [{"name": "arcface", "m": 0.2}]}
    train(small_recipe(cache, stages=first), tmp_path / "one")
    train(small_recipe(cache, stages=[*first, head]), tmp_path / "two")
    assert_same_weights(network_of(tmp_path / "one"), network_of(tmp_path / "two"))
    rows = [row for row in read_log(tmp_path / "two" / "steps.csv") if row["stage"] == "head"]
    assert rows
    before, after = (
        load_checkpoint(tmp_path / name / "checkpoint.pt")["losses"]["0.weight"] for name in ("one", "two")
    )
    assert not torch.equal(before, after)


def test_last_layers_learn_from_looks_that_are_kept(cache: Path, tmp_path: Path) -> None:
    stages = [{"name": "all", "epochs": 1}, {"name": "last", "epochs": 2, "trainable": "last", "looks": 2}]
    recipe = small_recipe(cache, stages=stages)
    told = 0

    def interrupt(line: str) -> None:
        nonlocal told
        told += 1
        if told == 2:
            raise Stopped

    train(recipe, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(recipe, tmp_path / "parts", tell=interrupt)
    assert (tmp_path / "parts" / "features-1.f16").exists()
    train(recipe, tmp_path / "parts")
    assert_same_weights(network_of(tmp_path / "whole"), network_of(tmp_path / "parts"))
    assert not list(tmp_path.glob("*/features*"))
    train(small_recipe(cache, stages=stages[:1]), tmp_path / "first")
    before, after = network_of(tmp_path / "first"), network_of(tmp_path / "whole")
    moved = {key.split(".")[0] for key, tensor in before.items() if not torch.equal(tensor, after[key])}
    assert moved == {"level4", "embedding"}


def test_a_run_that_only_trains_its_losses_keeps_its_network(cache: Path, tmp_path: Path) -> None:
    told: list[str] = []
    recipe = small_recipe(cache, stages=[{"epochs": 2, "trainable": "none"}])
    result = train(recipe, tmp_path, tell=told.append)
    assert result.finished
    assert len(told) == 1
    assert_same_weights(network_of(tmp_path, "best.pt"), network_of(tmp_path))


def test_one_process_may_train_in_either_precision(cache: Path, tmp_path: Path) -> None:
    for precision in ("f32", "bf16"):
        recipe = small_recipe(cache, training__precision=precision, stages=[{"epochs": 1}])
        assert train(recipe, tmp_path / precision).finished
    whole, half = (network_of(tmp_path / precision)["embedding.1.weight"] for precision in ("f32", "bf16"))
    assert half.dtype == torch.float32
    assert not torch.equal(half, whole)


def test_what_a_stage_held_is_given_up_with_it(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[weakref.ref[torch.optim.Optimizer]] = []
    held: list[int] = []

    def make(objective: JointObjective, settings: Optimizer) -> torch.optim.Optimizer:
        optimizer = make_optimizer(objective, settings)
        made.append(weakref.ref(optimizer))
        return optimizer

    def count(line: str) -> None:
        gc.collect()
        held.append(sum(optimizer() is not None for optimizer in made))

    monkeypatch.setattr(training_run, "make_optimizer", make)
    train(small_recipe(cache, stages=[{"epochs": 1}] * 3), tmp_path, tell=count)
    assert (len(made), held) == (3, [1, 1, 1])


def test_synthetic_people_may_fill_a_share_of_each_batch(cache: Path, tmp_path: Path) -> None:
    beside = {"synthetic": {"people": 4, "photos": 4, "first": 900}, "aligned": True, "share": 0.25}
    sources = [{"synthetic": {"people": 8, "photos": 6}, "aligned": True}, beside]
    train(small_recipe(cache, data__sources=sources, stages=[{"epochs": 1}]), tmp_path)
    said = json.loads((tmp_path / "result.json").read_text())
    assert (said["steps"], said["data"]["people"], said["data"]["crops"]) == (8, 12, 64)


def test_events_for_tensorboard_hold_what_the_tables_do(cache: Path, tmp_path: Path) -> None:
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    train(small_recipe(cache, stages=[{"epochs": 2}]), tmp_path, tensorboard=True)
    events = reader.EventAccumulator(str(tmp_path / "events")).Reload()
    for table, column in (("steps", "loss"), ("validations", "auc")):
        rows = [(int(row["step"]), float(row[column])) for row in read_log(tmp_path / f"{table}.csv")]
        assert [one.step for one in events.Scalars(f"{table}/{column}")] == [step for step, _ in rows]
        assert [one.value for one in events.Scalars(f"{table}/{column}")] == pytest.approx([v for _, v in rows], 1e-4)


def test_frozen_norms_stay_as_they_are_over_validations(cache: Path, tmp_path: Path) -> None:
    recipe = small_recipe(cache, stages=[{"epochs": 1}, {"epochs": 3, "trainable": "embedding.1"}])
    train(small_recipe(cache, stages=[{"epochs": 1}]), tmp_path / "first")
    train(recipe, tmp_path / "both")
    before, after = network_of(tmp_path / "first"), network_of(tmp_path / "both")
    assert {name for name, tensor in before.items() if not torch.equal(tensor, after[name])} == {"embedding.1.weight"}


@pytest.mark.parametrize("loss", [{"name": "contrastive"}, {"name": "triplet", "miner": "batch_hard"}])
def test_embeddings_that_are_no_numbers_stop_the_run(cache: Path, tmp_path: Path, loss: dict[str, Any]) -> None:
    recipe = small_recipe(
        cache,
        losses=[loss],
        sampler={"name": "pk", "photos": 4},
        optimizer={"learning_rate": 1e30, "clip": 0.0},
        schedule={"name": "constant", "warm_up": 0.0},
    )
    with pytest.raises(TrainingError, match="no number"):
        train(recipe, tmp_path)


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_the_last_network_is_not_the_best_one(cache: Path, tmp_path: Path, ema: float) -> None:
    train(small_recipe(cache, training__ema=ema), tmp_path)
    _, last = open_run(tmp_path, last=True)
    state = load_checkpoint(tmp_path / "checkpoint.pt")
    averaged = {f"module.{name}": tensor for name, tensor in last.state_dict().items()}
    if ema:
        assert_same_weights(averaged, {key: one for key, one in state["average"].items() if key != "n_averaged"})
    else:
        assert_same_weights(dict(last.state_dict()), state["network"])


def test_names_to_leave_out_must_be_somebody_s(cache: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    sources = [{"synthetic": {"people": 8, "photos": 6}, "aligned": True, "name": "web"}]
    recipe = small_recipe(cache, data__sources=sources, data__leave_out=str(names), stages=[{"epochs": 1}])
    names.write_text("synthetic-0/person-0001\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="None of the 1 people to leave out"):
        train(recipe, tmp_path / "run")
    names.write_text("Zo\xeb\n", encoding="latin-1")
    with pytest.raises(ConfigError, match="not text in UTF-8"):
        train(recipe, tmp_path / "run")
    names.write_text("web/synthetic-0/person-0001\n", encoding="utf-8-sig")
    train(recipe, tmp_path / "run")
    assert json.loads((tmp_path / "run" / "result.json").read_text())["data"]["left_out"] == [
        names.read_text("utf-8-sig").strip()
    ]


def test_a_joint_objective_adds_its_losses(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_run, "LOG_EVERY", 1)
    recipe = small_recipe(
        cache, losses=[{"name": "softmax"}, {"name": "normface", "share": 0.5, "ramp": 1.0}], stages=[{"epochs": 2}]
    )
    train(recipe, tmp_path)
    rows = read_log(tmp_path / "steps.csv")
    for step, row in enumerate(rows):
        parts = float(row["loss softmax"]) + 0.5 * min(1, step / 6) * float(row["loss normface"])
        assert float(row["loss"]) == pytest.approx(parts, rel=1e-4)


def test_a_student_learns_from_a_teacher_without_labels(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_run, "LOG_EVERY", 1)
    recipe = small_recipe(
        cache,
        data__side=112,
        backbone__embedding_size=128,
        losses=[{"name": "imitation"}],
        teacher={"encoder": "sface", "views": 1},
        optimizer={"name": "adamw", "learning_rate": 3e-3, "weight_decay": 0.0},
        stages=[{"epochs": 3}],
    )
    result = train(recipe, tmp_path)
    losses = np.array([float(row["loss"]) for row in read_log(tmp_path / "steps.csv")])
    assert result.finished
    assert losses[-3:].mean() < 0.7 * losses[0]
    assert json.loads((tmp_path / "result.json").read_text())["data"]["crops"] == 48, "views are no crops of their own"


def test_photos_that_were_written_anew_are_cut_again_in_their_place(tmp_path: Path) -> None:
    people = Population(5)
    for number in range(4):
        folder = tmp_path / "people" / f"p{number}"
        folder.mkdir(parents=True)
        for photo in range(2):
            (folder / f"{photo}.jpg").write_bytes(people.person(number).photo(photo).jpeg)
    recipe = small_recipe(
        tmp_path / "crops", data__sources=[{"folder": str(tmp_path / "people")}], validation={"held_out": 0.5}
    )
    before = prepare_data(recipe).train
    changed = before.photos[1]
    (tmp_path / "people" / changed).write_bytes(people.person(9).photo(0).jpeg)
    after = prepare_data(recipe).train
    assert len(list((tmp_path / "crops").glob("*/crops.csv"))) == 1
    rows = np.arange(len(before))
    same = (before.read(rows) == after.read(rows)).all(axis=(1, 2, 3))
    assert same.tolist() == [photo != changed for photo in before.photos]
    assert before.fingerprint != after.fingerprint


def test_a_teacher_is_asked_again_about_other_pictures_of_the_same_names(cache: Path) -> None:
    one = prepare_data(small_recipe(cache)).train
    other = replace(one, stores=tuple(255 - store for store in one.stores))
    assert one.sha256 == other.sha256
    assert one.fingerprint != other.fingerprint


def test_two_losses_of_one_kind_are_told_apart_in_the_log(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_run, "LOG_EVERY", 1)
    losses = [{"name": "normface", "s": 4}, {"name": "normface", "s": 20, "share": 0.5}]
    train(small_recipe(cache, losses=losses, stages=[{"epochs": 1}]), tmp_path)
    first, second = (float(read_log(tmp_path / "steps.csv")[0][f"loss normface {number}"]) for number in (1, 2))
    assert first != second
    assert float(read_log(tmp_path / "steps.csv")[0]["loss"]) == pytest.approx(first + 0.5 * second, rel=1e-4)


def test_a_memorys_miner_picks_from_the_memory(cache: Path, tmp_path: Path) -> None:
    stage = resolve_stages(
        small_recipe(cache, losses=[{"name": "cross_batch_memory", "size": 32, "miner": "semi_hard"}]), 6
    )[0]
    objective = make_objective(stage, torch.nn.Identity(), people=4, embedding_size=16, before=None)
    assert isinstance(objective.losses[0], CrossBatchMemory)
    assert isinstance(objective.losses[0].miner, SemiHard)
    assert objective.parts[0].miner is None
    foreign = [{"name": "cross_batch_memory", "miner": "pml:TripletMarginMiner"}]
    with pytest.raises(ConfigError, match="TripletMarginMiner can't pick"):
        train(small_recipe(cache, losses=foreign), tmp_path)


def test_only_matrices_and_class_weights_decay(cache: Path) -> None:
    losses = [{"name": "large_margin_gaussian_mixture"}, {"name": "contrastive_center"}]
    (stage,) = resolve_stages(small_recipe(cache, losses=losses), 6)
    objective = make_objective(stage, torch.nn.Linear(3, 16), people=4, embedding_size=16, before=None)
    optimizer = make_optimizer(objective, stage.optimizer)
    decay = {id(one): group["weight_decay"] for group in optimizer.param_groups for one in group["params"]}
    decaying = {name for name, one in objective.named_parameters() if decay[id(one)] > 0}
    assert decaying == {"network.weight", "losses.0.weight"}


@pytest.mark.parametrize(
    ("loss", "sampler"),
    [
        ({"name": "triplet", "miner": "semi_hard"}, {"name": "pk", "photos": 4}),
        ({"name": "triplet", "miner": {"name": "batch_hard"}}, {"name": "pk", "photos": 4}),
        ({"name": "pml:MultiSimilarityLoss", "alpha": 3, "miner": "pml:MultiSimilarityMiner"}, {"name": "balanced"}),
        ({"name": "contrastive"}, {"name": "square_root"}),
    ],
    ids=lambda table: table["name"],
)
def test_losses_on_embeddings_learn_from_their_miners_and_samplers(
    cache: Path, tmp_path: Path, loss: dict[str, Any], sampler: dict[str, Any]
) -> None:
    assert train(small_recipe(cache, losses=[loss], sampler=sampler, stages=[{"epochs": 1}]), tmp_path).finished


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"losses": [{"name": "triplet", "miner": "hardest"}]}, "no miner 'hardest'"),
        ({"losses": [{"name": "arcfase"}]}, "no loss 'arcfase'"),
        ({"losses": [{"name": "arcface", "margin": 0.4}]}, "has no margin"),
        ({"losses": [{"name": "arcface", "m": "wide"}]}, "can't be made"),
        ({"sampler": {"name": "magic"}}, "magic"),
        ({"sampler": {"photos": 4}}, "shuffled has no photos"),
        ({"losses": [{"name": "imitation", "miner": "batch_hard"}], "teacher": {}}, "takes no miner"),
        ({"losses": [{"name": "cross_batch_memory", "size": 4}]}, "doesn't fit the memory"),
        ({"losses": [{"name": "triplet", "miner": "as_laid_out"}]}, "The loss triplet can't be computed of a batch"),
        ({"losses": [{"name": "imitation"}], "teacher": {"encoder": "sface"}}, "embeddings of 128 numbers"),
        ({"validation": {"sources": [{"synthetic": {"people": 6, "photos": 1, "first": 500}}]}}, "two photos"),
        ({"backbone": {"name": "tiny"}}, "no backbone"),
        ({"augmentation": {"flipp": 0.5}}, "flipp"),
        ({"data__leave_out": "nowhere.txt"}, "nowhere"),
        ({"data__sources": [{"crops": "nowhere"}]}, "nowhere holds no crops"),
        ({"validation": {"sources": [{"crops": "crops", "share": 0.5}]}}, "has no share"),
        ({"stages": [{"trainable": "none", "losses": [{"name": "contrastive"}]}]}, "Nothing would be learnt"),
        ({"stages": [{"losses": [{"name": "imitation"}]}]}, "the loss imitation needs a teacher"),
        ({"teacher": {"views": 2}}, "views show two people under one name"),
    ],
)
def test_what_a_recipe_asks_for_in_vain_is_named(
    cache: Path, tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError) as refusal:
        train(small_recipe(cache, **changes), tmp_path)
    assert says in str(refusal.value)


def test_samplers_and_later_stages_are_looked_at_before_anything_is_done(tmp_path: Path) -> None:
    looks = small_recipe(tmp_path / "crops", stages=[{"trainable": "head", "looks": 2}])
    with pytest.raises(ConfigError, match="kept by one process"):
        check_stages(looks, begin_network(looks), processes=2)
    for sampler, says in (({"name": "triplets"}, "triplets needs file"), ({"name": "pml:Magic"}, "no sampler 'Magic'")):
        with pytest.raises(ConfigError, match=says):
            train(small_recipe(tmp_path / "crops", sampler=sampler), tmp_path / "run")
    for stage, says in (
        ({"losses": [{"name": "arcfase"}]}, "no loss"),
        ({"trainable": "middle"}, "middle"),
        ({"trainable": "none", "losses": [{"name": "contrastive"}]}, "Nothing would be learnt"),
        ({"trainable": "all", "looks": 2}, "looks needs a first part"),
    ):
        with pytest.raises(ConfigError, match=says):
            train(small_recipe(tmp_path / "crops", stages=[{"epochs": 1}, stage]), tmp_path / "run")
    assert not (tmp_path / "crops").exists()
    assert not (tmp_path / "run").exists()


@pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning")  # of PyTorch-metric-learning's
@pytest.mark.parametrize("name", [*LOSSES, "pml:SphereFaceLoss", "pml:ArcFaceLoss"])
def test_every_loss_passes_when_it_is_looked_at(tmp_path: Path, name: str) -> None:
    recipe = small_recipe(tmp_path, losses=[{"name": name}])
    check_stages(recipe, begin_network(recipe))


def test_who_is_validated_with_is_not_learnt_from_and_named(cache: Path) -> None:
    recipe = small_recipe(cache, validation={"sources": [{"synthetic": {"people": 2, "photos": 6}, "aligned": True}]})
    data = prepare_data(recipe)
    assert len(data.train.people) == 6
    assert sorted(data.left_out) == sorted(data.validation.people)


def test_held_out_people_are_not_learnt_from(cache: Path, tmp_path: Path) -> None:
    train(small_recipe(cache, validation={"held_out": 0.25}), tmp_path)
    said = json.loads((tmp_path / "result.json").read_text())
    assert (said["data"]["people"], said["validation"]["people"]) == (6, 2)


@pytest.mark.slow
def test_the_quick_recipe_learns_to_tell_unseen_people_apart(cache: Path, tmp_path: Path) -> None:
    torch.set_num_threads(2)
    result = train(read_recipe(Path("quick"), [f"data.cache={cache}"]), tmp_path)
    assert result.measures is not None
    assert isinstance(result.measures.auc, Estimate)
    assert result.measures.auc.low >= 0.95


def test_an_average_soon_forgets_the_untrained_weights_and_then_follows_slowly() -> None:
    network = torch.nn.Linear(1, 1, bias=False)
    average = training_run.averaged(network, 0.9)
    expected = 0.0
    for step in range(200):
        with torch.no_grad():
            network.weight.fill_(float(step))
        average.update_parameters(network)
        decay = min(0.9, (1 + step) / (10 + step)) if step else 0.0
        expected = decay * expected + (1 - decay) * step
        assert average.module.get_parameter("weight").item() == pytest.approx(expected, rel=1e-5)


def test_validation_tells_apart_what_lies_close_together() -> None:
    class Narrow(torch.nn.Module):
        """Cosines of all faces differ by less than a thousandth."""

        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            brightness = pictures.mean(dim=(1, 2, 3))
            return torch.stack([torch.ones_like(brightness), 0.01 * brightness], dim=1)

    pixels = np.repeat(np.arange(10, 250, 20, dtype=np.uint8), 4)[:, None, None, None] + np.zeros((48, 32, 32, 3))
    crops = CropSet(
        stores=(pixels.astype(np.uint8),),
        places=np.stack([np.zeros(48, np.int64), np.arange(48)], axis=1),
        labels=np.repeat(np.arange(12), 4),
        people=tuple(f"person-{number}" for number in range(12)),
        photos=tuple(f"{number}.png" for number in range(48)),
        landmarks=np.zeros((48, 5, 2), np.float32),
    )
    assert validate(Narrow(), crops, resamples=100).auc.value == 1.0  # type: ignore[union-attr]


def test_compiling_without_a_compiler_says_what_to_install(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ConfigError, match="C\\+\\+ compiler"):
        train(small_recipe(cache, training__compile=True), tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")  # PyTorch's compiler uses what PyTorch deprecates
@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no C++ compiler here")
def test_a_compiled_network_learns_what_the_plain_one_does(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_run, "LOG_EVERY", 1)
    losses = {}
    for name in ("plain", "compiled"):
        train(small_recipe(cache, training__compile=name == "compiled", stages=[{"epochs": 1}]), tmp_path / name)
        losses[name] = np.array([float(row["loss"]) for row in read_log(tmp_path / name / "steps.csv")])
    np.testing.assert_allclose(losses["compiled"][:2], losses["plain"][:2], rtol=1e-3)
    np.testing.assert_allclose(losses["compiled"], losses["plain"], rtol=0.05)
    assert open_run(tmp_path / "compiled")[1](torch.zeros(1, 3, 32, 32)).shape == (1, 16)
