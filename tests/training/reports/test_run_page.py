import math
from pathlib import Path

import numpy as np
import pytest

from mien.training.recipe import check_recipe
from mien.training.reports.figures import moving_mean
from mien.training.reports.run_tables import RunTables
from mien.training.trainer import train, training_run

CLASSIFY = [{"name": "normface", "s": 16}, {"name": "center", "share": 0.003}]
TRIPLETS = [{"name": "triplet", "margin": 0.2, "mining": "semi_hard"}]


@pytest.fixture
def _every_step_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_run, "LOG_EVERY", 1)


def run(folder: Path, stages: list[dict[str, object]], size: int = 2) -> str:
    people = {"people": 5, "photos": 4}
    recipe = {
        "title": "Two <stages>",
        "data": {"side": 32, "cache": str(folder / "cache"), "sources": [{"synthetic": people, "aligned": True}]},
        "validation": {"sources": [{"synthetic": people | {"first": 500}, "aligned": True}]},
        "backbone": {"name": "small", "width": 8, "embedding_size": size},
        "losses": CLASSIFY,
        "training": {"batch_size": 10},
        "stages": stages,
    }
    train(check_recipe(recipe), folder / "run")
    return (folder / "run" / "report.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("_every_step_logged")
def test_the_page_of_a_run_shows_all_that_was_written_down(tmp_path: Path) -> None:
    stages = [{"name": "softmax", "epochs": 2}, {"name": "margin", "epochs": 1, "losses": [{"name": "arcface"}]}]
    page = run(tmp_path, stages)
    for heading in (
        *("Loss", "Verifying strangers", "Within a person and between people", "Naming against verifying"),
        *("Angles θ to the class vectors", "What the loss asks for", "Learning rate", "The embedding itself"),
    ):
        assert f"<h3>{heading}</h3><svg" in page
    assert "Two &lt;stages&gt;" in page
    assert "Learnt from 20 crops of 5 people in\n  6 steps" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    tables = RunTables(tmp_path / "run")
    assert tables.stages == [("softmax", 4), ("margin", 6)]
    assert [curve.stage for curve in tables.curves] == ["softmax", "margin"]
    np.testing.assert_array_equal(tables.curves[0].logit, tables.curves[0].plain)
    assert (tables.curves[1].logit < tables.curves[1].plain + 1e-6).all()
    assert [(step, int(counts.sum())) for step, counts in tables.angles("own class")] == [(2, 20), (4, 20), (6, 20)]
    accuracy = tables.steps["accuracy"]
    np.testing.assert_allclose(tables.accuracy_until(np.array([2.0, 6.0])), [accuracy[:2].mean(), accuracy[2:].mean()])
    assert set(tables.losses) == {"normface", "center", "arcface"}


@pytest.mark.usefixtures("_every_step_logged")
def test_a_loss_without_classes_has_no_figures_about_them(tmp_path: Path) -> None:
    page = run(tmp_path, [{"name": "triplets", "epochs": 1, "losses": TRIPLETS}], size=8)
    assert "<h3>Verifying strangers</h3>" in page
    for heading in ("Naming against verifying", "class vectors", "What the loss asks for", "The embedding itself"):
        assert heading not in page


def test_a_moving_mean_leaves_a_straight_line_and_its_gaps() -> None:
    line = np.arange(200.0)
    line[50] = np.nan
    mean = moving_mean(line)
    np.testing.assert_allclose(mean[10:40], line[10:40])
    assert math.isnan(mean[50])
    assert mean[0] == pytest.approx(line[:5].mean())
