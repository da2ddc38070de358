import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mien.training.recipe import check_recipe, write_recipe
from mien.training.trainer import train
from mien.training.trainer.checkpoint import load_checkpoint
from mien.training.trainer.run_log import read_log

HERE = str(Path(__file__).parent)
LAUNCHER = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def launched(recipe: Path, run: Path, *changes: str) -> dict[str, object]:
    """`mien train` by two processes, in a session of their own: pytest's workers don't bear children."""
    command = [*LAUNCHER, "-m", "mien", "train", str(recipe), "-o", str(run), "--json"]
    for change in changes:
        command += ["--set", change]
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([HERE, *sys.path])},
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, object] = json.loads(done.stdout)  # once: one of them speaks for both
    return said


def people(cache: Path) -> dict[str, object]:
    """What both tests' recipes learn from and validate with."""
    sources = [{"synthetic": {"people": 8, "photos": 4}, "aligned": True}]
    return {
        "data": {"side": 32, "cache": str(cache), "sources": sources},
        "validation": {"held_out": 0.25, "every": 4},
    }


def test_two_processes_train_one_network_and_go_on_where_it_was_left(tmp_path: Path) -> None:
    content = people(tmp_path / "crops") | {
        "backbone": {"name": "small", "width": 8, "embedding_size": 16},
        "losses": [{"name": "cosface", "s": 16, "m": 0.1}],
        "stages": [{"epochs": 8}],
        "training": {"batch_size": 8},
    }
    recipe = tmp_path / "recipe.toml"
    write_recipe(check_recipe(content), recipe)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert launched(recipe, whole)["step"] == 24
    assert [row["step"] for row in read_log(whole / "validations.csv")] == ["12", "24"]
    stopped = launched(recipe, parts, "training.minutes=1e-9")
    assert (stopped["finished"], stopped["step"]) == (False, 20)
    assert launched(recipe, parts)["step"] == 24
    one, other = (load_checkpoint(folder / "checkpoint.pt")["network"] for folder in (whole, parts))
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


@pytest.mark.parametrize(
    ("losses", "trainable"),
    [
        ([{"name": "cosface", "s": 16, "m": 0.1}, {"name": "center", "share": 0.01}], "all"),
        ([{"name": "cosface", "s": 16, "m": 0.1}, {"name": "center", "share": 0.01}], "none"),
        ([{"name": "triplet", "miner": "batch_hard"}, {"name": "cross_batch_memory", "size": 24, "share": 0.1}], "all"),
    ],
    ids=["heads and centres", "heads and centres alone", "pairs and memory"],
)
def test_two_processes_learn_what_one_does(
    tmp_path: Path, losses: list[dict[str, object]], trainable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(HERE)
    content = people(tmp_path / "crops") | {
        "backbone": {"name": "constant_network:Linear", "embedding_size": 16},
        "losses": losses,
        "sampler": {"name": "pk", "photos": 4},  # of four people, two in each process
        "augmentation": {},
        "optimizer": {"learning_rate": 0.01},
        "stages": [{"epochs": 8, "trainable": trainable}],
        "training": {"batch_size": 16},
    }
    recipe = check_recipe(content)
    write_recipe(recipe, tmp_path / "recipe.toml")
    assert train(recipe, tmp_path / "one").finished
    launched(tmp_path / "recipe.toml", tmp_path / "two")
    one, two = (load_checkpoint(tmp_path / name / "checkpoint.pt") for name in ("one", "two"))
    assert one["position"]["step"] == two["position"]["step"] == 8
    for part in ("network", "losses"):
        for name, tensor in one[part].items():
            torch.testing.assert_close(tensor, two[part][name], rtol=1e-4, atol=1e-5)
