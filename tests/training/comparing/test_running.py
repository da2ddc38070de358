import sys
from pathlib import Path
from typing import Any

import pytest

from mien.errors import ConfigError
from mien.training.comparing import running
from mien.training.comparing.parts import Parts
from mien.training.comparing.run_measures import RunFailure, RunMeasures
from mien.training.comparing.running import PlannedRun, finish_runs
from training.comparing.made_crops import small_recipe

DONE = """
import json, sys
from pathlib import Path
folder = Path(sys.argv[1])
assert (folder / "recipe.toml").exists()
print(5, flush=True)
print("a line that is no number", flush=True)
(folder / "starts.txt").open("a").write("1")
content = {"seconds": 2.0, "peak_bytes": 3, "steps": 12}
names = ("tmr_at_fmr_1e-2", "tmr_at_fmr_1e-3", "auc", "eer", "accuracy", "closed_set")
content |= {name: {"value": 0.5, "low": 0.4, "high": 0.6} for name in names[1:]}
content["tmr_at_fmr_1e-2"] = {"unsupported": "too few"}
if not (folder / "failed.json").exists() or folder.name != "final":
    (folder / "measured.json").write_text(json.dumps(content))
"""
CRASH = "raise RuntimeError('no more of this')"
KILLED = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
WAITING = """
import sys, time
from pathlib import Path
try:
    print(1, flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    (Path(sys.argv[1]) / "kept.txt").write_text("kept")
    sys.exit(130)
"""


def starts(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "COMMAND", (sys.executable, "-c", script))


def planned(folder: Path, name: str, **changes: Any) -> PlannedRun:
    recipe = small_recipe(folder, **changes)
    return PlannedRun(name, 0, folder / name, recipe, Parts(folder / "l", folder / "n", folder / "s"), 12)


def test_what_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    starts(DONE, monkeypatch)
    runs, said = [planned(tmp_path, "one"), planned(tmp_path, "two")], list[str]()
    finish_runs(runs[:1], said.append)
    finish_runs(runs, said.append)
    assert said == ["one, seed 0: done in 2 s", "two, seed 0: done in 2 s"]
    assert (tmp_path / "one" / "starts.txt").read_text() == "1"
    outcome = runs[1].outcome()
    assert isinstance(outcome, RunMeasures)
    assert outcome.to_dict()["tmr_at_fmr_1e-2"] == {"unsupported": "too few"}
    assert RunMeasures.read(runs[1].folder) == outcome


@pytest.mark.parametrize(
    ("script", "words"), [(CRASH, "RuntimeError: no more of this"), (KILLED, "was ended by SIGKILL")]
)
def test_a_run_that_crashes_stops_no_other_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    runs = [planned(tmp_path, "one"), planned(tmp_path, "two")]
    starts(script, monkeypatch)
    finish_runs(runs)
    for run in runs:
        outcome = run.outcome()
        assert isinstance(outcome, RunFailure)
        assert outcome.code == "training.crashed"
        assert words in outcome.message
    starts(DONE, monkeypatch)
    finish_runs(runs)
    assert all(isinstance(run.outcome(), RunMeasures) for run in runs)


def test_a_collapse_is_a_result_and_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = planned(tmp_path, "final")
    run.claim()
    RunFailure("training.collapsed", "The embeddings have collapsed.").write(run.folder)
    starts(CRASH, monkeypatch)
    finish_runs([run])
    assert run.outcome() == RunFailure("training.collapsed", "The embeddings have collapsed.")


def test_an_interrupt_waits_until_the_run_has_kept_what_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    starts(WAITING, monkeypatch)

    def interrupt(label: str, done: int, total: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(running, "report", interrupt)
    run = planned(tmp_path, "one")
    with pytest.raises(KeyboardInterrupt):
        finish_runs([run])
    assert (run.folder / "kept.txt").read_text() == "kept"
    assert run.outcome() is None


def test_a_folder_of_another_recipe_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts(DONE, monkeypatch)
    finish_runs([planned(tmp_path, "two")])
    other = [planned(tmp_path, "one", seed=6), planned(tmp_path, "two", seed=6)]
    with pytest.raises(ConfigError, match="is a run of another recipe"):
        finish_runs(other)
    assert other[0].outcome() is None
