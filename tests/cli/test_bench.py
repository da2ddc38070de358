"""`mien bench losses`."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli.conftest import Run
from html_page import Page
from mien.training.comparing import running
from mien.training.recipe import write_recipe
from training.comparing.made_crops import small_recipe


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    write_recipe(small_recipe(tmp_path / "crops"), tmp_path / "base.toml")
    return tmp_path / "base.toml"


def test_losses_are_compared_and_kept(run: Run, recipe: Path, tmp_path: Path) -> None:
    compared = tmp_path / "compared"
    asked = ("bench", "losses", "-o", compared, "--recipe", recipe, "--losses", "softmax, arcface", "--seeds", 1)
    first = run(*asked, "--json")
    assert first.code == 0
    assert {one["loss"] for one in first.json["losses"]} == {"softmax", "arcface"}
    assert all(one["seeds"]["0"]["steps"] == 12 for one in first.json["losses"])
    assert first.json["facts"]["learnt from"] == "40 photos of 8 people"
    assert "done in" in first.err
    begun = (compared / "runs" / "arcface" / "seed-0" / "best.pt").stat().st_mtime_ns

    again = run(*asked)
    assert again.code == 0
    assert "done in" not in again.err, "what is done is not done again"
    assert (compared / "runs" / "arcface" / "seed-0" / "best.pt").stat().st_mtime_ns == begun
    assert {line.split()[0] for line in again.out.splitlines()[1:]} == {"softmax", "ArcFace"}
    page = Page((compared / "losses.html").read_text(encoding="utf-8"))
    assert f"mien bench losses -o {compared} --recipe {recipe} --losses softmax, arcface --seeds 1" in page.text["code"]
    assert (compared / "losses.csv").read_text().count("\n") == 3
    assert (compared / "runs.csv").read_text().count("\n") == 3

    other = run(*asked, "--set", "data.side=48")
    assert other.code == 2
    assert "is a comparison by another recipe" in other.err


def test_a_run_that_comes_to_nothing_is_said(
    run: Run, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "COMMAND", (sys.executable, "-c", "raise RuntimeError('no more of this')"))
    ran = run("bench", "losses", "-o", tmp_path / "compared", "--recipe", recipe, "--losses", "softmax", "--seeds", 1)
    assert ran.code == 5
    assert "softmax, seed 0, came to nothing: The process ended with code 1" in ran.err
    assert "failed" in ran.out
    assert "No network was trained to its end." in (tmp_path / "compared" / "losses.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--losses", "softmx"), 2, "There is no loss 'softmx' to compare"),
        (("--losses", "softmax,pml:Nosuch"), 2, "PyTorch-metric-learning has no loss 'Nosuch'"),
        (("--losses", ","), 2, "No loss to compare is named"),
        (("--losses", ""), 2, "No loss to compare is named"),
        (("--seeds", "0"), 2, "Invalid value for '--seeds'"),
        (("--set", "data.sides=3"), 2, "data.sides: there is no such key"),
        (("--recipe", "nowhere.toml"), 3, "There is no recipe nowhere.toml"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    ran = run("bench", "losses", "-o", tmp_path / "compared", *arguments)
    assert ran.code == code
    assert words in " ".join(ran.err.split())


def test_a_folder_of_something_else_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    ran = run("bench", "losses", "-o", tmp_path)
    assert ran.code == 2
    assert "is not empty and no comparison of losses" in ran.err
    assert [one.name for one in tmp_path.iterdir()] == ["letters.txt"]


def test_an_interrupted_comparison_says_how_to_go_on(recipe: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _INTERRUPTED, "bench", "losses", "-o", str(tmp_path / "compared")]
    command += ["--recipe", str(recipe), "--losses", "softmax", "--seeds", "1"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 130, ended.stderr
    assert "what was done is kept, and the same command goes on from there" in ended.stderr
    assert (tmp_path / "compared" / "runs" / "softmax" / "seed-0" / "kept.txt").exists()


_RUN = """
import sys, time
from pathlib import Path
try:
    print(1, flush=True)
    time.sleep(200)
except KeyboardInterrupt:
    (Path(sys.argv[1]) / "kept.txt").touch()
    sys.exit(130)
"""
_INTERRUPTED = f"""
import os, signal, sys
from mien.cli import main
from mien.training.comparing import running

report = running.report

def interrupted(label, done, total=None):
    report(label, done, total)
    if done > 0:
        os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
running.report = interrupted
running.COMMAND = (sys.executable, "-c", {_RUN!r})
main()
"""
