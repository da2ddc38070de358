import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.evaluation import Estimate
from mien.training.comparing import one_run
from mien.training.comparing.one_run import Watch, main
from mien.training.comparing.parts import part_data
from mien.training.comparing.run_measures import MEASURES, STRANGERS, RunFailure, RunMeasures
from mien.training.recipe import write_recipe
from mien.training.trainer.memory import peak_memory
from training.comparing.made_crops import small_recipe


def begin(folder: Path, **changes: Any) -> list[str]:
    recipe = small_recipe(folder, **changes)
    parts = part_data(recipe, folder / "data")
    own = recipe.model_dump(mode="json", exclude_none=True)
    own["data"]["sources"], own["validation"]["sources"] = (
        [{"crops": str(parts.learnt)}],
        [{"crops": str(parts.strangers)}],
    )
    run = folder / "run"
    run.mkdir()
    write_recipe(type(recipe).model_validate(own), run / "recipe.toml")
    return list(map(str, (run, parts.learnt, parts.named, parts.strangers)))


def test_a_run_is_trained_and_judged_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = begin(tmp_path)
    assert main(arguments) == 0
    assert capsys.readouterr().out.split()[-1] == "12"
    found = RunMeasures.read(tmp_path / "run")
    assert found is not None
    assert set(found.measures) == set(MEASURES)
    assert found.steps == 12
    assert 5e7 < found.peak_bytes <= peak_memory()
    closed = found.measures["closed_set"]
    assert isinstance(closed, Estimate)
    assert closed.value > 0.5, "people are colours: one in eight would be chance"
    assert np.load(tmp_path / "run" / STRANGERS).shape == (48, 8)
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    auc = found.measures["auc"]
    assert isinstance(auc, Estimate)
    assert auc.value == pytest.approx(result["validation"]["auc"]["value"], abs=2e-3), "which counts in bins"
    before = (tmp_path / "run" / "best.pt").stat().st_mtime_ns
    (tmp_path / "run" / "measured.json").unlink()
    assert main(arguments) == 0, "it is only judged again"
    assert RunMeasures.read(tmp_path / "run") == found
    assert (tmp_path / "run" / "best.pt").stat().st_mtime_ns == before


def test_the_process_keeps_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(one_run, "keep_freed_memory", lambda: asked.append(True))
    monkeypatch.setattr(one_run, "finish_run", lambda *folders: None)
    assert main(["run", "learnt", "named", "strangers"]) == 0
    assert asked


def test_a_loss_that_is_no_number_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    optimizer = {"name": "sgd", "learning_rate": 1e30, "clip": 0.0}
    assert main(begin(tmp_path, optimizer=optimizer)) == 3
    failure = RunFailure.read(tmp_path / "run")
    assert failure is not None
    assert failure.code == "training.not-finite"
    assert failure.is_final
    assert RunMeasures.read(tmp_path / "run") is None


def test_progress_goes_on_over_stages_and_the_peak_over_interruptions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "peak_bytes.txt").write_text(str(10**15))
    watch = Watch(tmp_path)
    for label, done, total in (
        ("embedding crops", 3, 9), ("training: first", 4, 4), ("training: second", 2, 2), ("embedding crops", 9, 9)
    ):  # fmt: skip
        watch(label, done, total)
    assert capsys.readouterr().out.split() == ["4", "6"]
    assert watch.peak == 10**15
