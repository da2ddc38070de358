"""`mien export`: from a run to an encoder that every other command takes."""

import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import tomli_w
import torch

from cli.conftest import Run
from mien.models import load_card

RECIPE = """
title = "Tiny"
[data]
side = 32
cache = "{cache}"
[[data.sources]]
synthetic = {{ people = 8, photos = 4 }}
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
epochs = 4
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from mien.training.recipe import read_recipe
    from mien.training.trainer import train

    folder = tmp_path_factory.mktemp("export")
    (folder / "tiny.toml").write_text(RECIPE.format(cache=folder / "crops"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    train(read_recipe(folder / "tiny.toml"), folder / "tiny")
    torch.set_num_threads(threads)
    return folder / "tiny"


def test_a_run_becomes_an_encoder(run: Run, trained: Path, people: Path, tmp_path: Path) -> None:
    ended = run("export", trained, "-o", tmp_path / "out", "--int8", "--licence", "CC0-1.0")
    assert ended.code == 0
    first, second = ended.out.splitlines()
    assert first.startswith(f"{tmp_path / 'out' / 'tiny.toml'}: f32, ")
    assert second.startswith(f"{tmp_path / 'out' / 'tiny-int8.toml'}: int8, ")
    assert f"mien verify A B --encoder {tmp_path / 'out' / 'tiny.toml'}" in ended.err

    card = load_card(tmp_path / "out" / "tiny.toml")
    result = json.loads((trained / "result.json").read_text())
    assert (card.title, card.licence, card.output.dimensions) == ("Tiny", "CC0-1.0", 16)
    assert result["data"]["sha256"] in card.training
    assert f"AUC {100 * result['validation']['auc']['value']:.2f} %" in card.figures
    assert str(trained.parent) not in (tmp_path / "out" / "tiny.toml").read_text()

    photo = people / "person-0001/0001.jpg"
    for name in ("tiny", "tiny-int8"):
        encoder = tmp_path / "out" / f"{name}.toml"
        same = run("verify", photo, photo, "--encoder", encoder, "--threshold", 0.9, "--json")
        assert (same.code, same.json["decision"]) == (0, "match")
        without = run("verify", photo, photo, "--encoder", encoder)
        assert without.code == 3
        assert "mien calibrate" in without.err


def test_as_json(run: Run, trained: Path, tmp_path: Path) -> None:
    ended = run("export", trained, "-o", tmp_path, "--name", "mine", "--title", "Mine", "--flip", "--json")
    assert ended.code == 0
    (encoder,) = ended.json["encoders"]
    card = load_card(encoder["card"])
    assert (card.name, card.title, card.input.flip) == ("mine", "Mine", True)
    assert encoder["identity"] == card.identity()
    assert encoder["bytes"] == Path(encoder["weights"]).stat().st_size == card.size_bytes
    assert encoder["parity"]["difference"] <= 1e-4


def test_it_lies_in_the_run_unless_told_otherwise_and_stays(run: Run, trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    shutil.copytree(trained, folder)
    (folder / "result.json").unlink()
    assert run("export", folder).code == 0
    card = load_card(folder / "encoder" / "tiny.toml")
    assert "not come to its end" in card.limits
    again = run("export", folder)
    assert again.code == 2
    assert "already" in again.err
    assert run("export", folder, "--overwrite").code == 0


def test_without_the_runs_crops_people_who_do_not_exist_calibrate(run: Run, trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "moved"
    shutil.copytree(trained, folder)
    recipe = tomllib.loads((folder / "recipe.toml").read_text())
    recipe["data"]["sources"] = [{"crops": "nowhere"}]
    (folder / "recipe.toml").write_text(tomli_w.dumps(recipe))
    ended = run("export", folder, "-o", tmp_path / "out", "--int8")
    assert "People who don't exist calibrate it instead" in ended.err
    assert ended.code == 0


@pytest.mark.parametrize(
    ("damage", "code", "sentence"),
    [
        (lambda folder: (folder / "recipe.toml").unlink(), 3, "is no training run"),
        (lambda folder: (folder / "best.pt").unlink(), 3, "no checkpoint"),
        (lambda folder: (folder / "best.pt").write_bytes(b"PK"), 3, "damaged"),
        (lambda folder: (folder / "result.json").write_text("{"), 3, "can't be read"),
        (shutil.rmtree, 3, "is no training run"),
    ],
)
def test_what_is_no_run_is_said(
    run: Run, trained: Path, tmp_path: Path, damage: Callable[[Path], object], code: int, sentence: str
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    damage(folder)
    ended = run("export", folder, "-o", tmp_path / "out")
    assert (ended.code, sentence in ended.err) == (code, True)
    assert not (tmp_path / "out").exists()


def test_crops_that_are_not_there(run: Run, trained: Path, tmp_path: Path) -> None:
    ended = run("export", trained, "-o", tmp_path / "out", "--int8", "--crops", tmp_path / "none")
    assert ended.code == 2
    assert "none" in ended.err
