import json
from pathlib import Path

import pytest

from cli.conftest import Run
from mien.synthesis import Population

RECIPE = """
[data]
side = 32
cache = "{cache}"
[[data.sources]]
synthetic = {{ people = 6, photos = 4 }}
aligned = true
[validation]
held_out = 0.4
[backbone]
name = "small"
width = 8
embedding_size = 16
[[losses]]
name = "cosface"
s = 16
m = 0.1
[training]
batch_size = 8
[[stages]]
epochs = 2
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE.format(cache=tmp_path / "crops"))
    return path


def test_a_recipe_becomes_a_run(run: Run, recipe: Path, tmp_path: Path) -> None:
    ended = run("train", recipe, "-o", tmp_path / "run", "--json", "--set", "loss.m=0.2")
    assert ended.code == 0
    assert ended.json["finished"]
    assert 0 <= ended.json["validation"]["auc"]["value"] <= 1
    assert "epoch 2" in ended.err
    assert "m = 0.2" in (tmp_path / "run" / "recipe.toml").read_text()
    again = run("train", recipe, "-o", tmp_path / "run", "--set", "loss.m=0.2")
    assert (again.code, "AUC" in again.out) == (0, True)


def test_a_run_that_is_out_of_time_says_how_to_go_on(run: Run, recipe: Path, tmp_path: Path) -> None:
    ended = run("train", recipe, "-o", tmp_path / "run", "--set", "training.minutes=0.0001")
    assert ended.code == 0
    assert "goes on from there" in ended.out


def test_the_process_keeps_its_memory(run: Run, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr("mien.training.trainer.memory.keep_freed_memory", lambda: asked.append(True))
    assert run("train", recipe, "-o", tmp_path / "run", "--set", "training.minutes=0.0001").code == 0
    assert asked


def test_photos_that_gave_no_crop_are_counted(run: Run, recipe: Path, tmp_path: Path) -> None:
    for number, person in enumerate(Population(5).person(number) for number in range(4)):
        folder = tmp_path / "people" / f"p{number}"
        folder.mkdir(parents=True)
        for photo in range(2):
            (folder / f"{photo}.jpg").write_bytes(person.photo(photo).jpeg)
    (tmp_path / "people" / "p1" / "2.jpg").write_bytes(b"no photo")
    sources = f'data.sources=[{{folder="{tmp_path / "people"}"}}]'
    ended = run("train", recipe, "-o", tmp_path / "run", "--set", sources, "--set", "validation.held_out=0.5")
    (table,) = (tmp_path / "crops").glob("*/crops.csv")
    assert (ended.code, f"1 photo gave no crop to train with; see why in {table}" in ended.out) == (5, True), ended.out
    said = json.loads((tmp_path / "run" / "result.json").read_text())
    assert said["data"]["without_crop"] == {str(table): 1}


def test_the_default_folder_has_the_recipes_name(
    run: Run, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("train", recipe, "--set", "stages.0.epochs=1").code == 0
    assert (tmp_path / "runs" / "tiny" / "best.pt").exists()


def test_every_key_is_listed(run: Run) -> None:
    ended = run("train", "--keys")
    assert ended.code == 0
    assert "optimizer.learning_rate" in ended.out


def test_wrong_words_end_with_a_sentence(run: Run, recipe: Path, tmp_path: Path) -> None:
    for arguments, code, says in (
        ((), 2, "Name a recipe"),
        (("nowhere.toml",), 3, "There is no recipe nowhere.toml"),
        ((recipe, "--set", "loss.n=1"), 2, "has no n"),
        ((recipe, "--set", "training.batch=1"), 2, "training.batch: there is no such key"),
        ((recipe, "--set", 'data.sources=[{folder="nowhere"}]'), 3, "nowhere"),
        ((recipe, "-o", recipe), 2, "is a file"),
    ):
        ended = run("train", *arguments, *([] if "-o" in arguments else ["-o", tmp_path / "run"]))
        assert (ended.code, says in ended.err) == (code, True), ended.err
        assert "Traceback" not in ended.err
