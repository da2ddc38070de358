"""Every command ends alike: an input that can't be used is 3 whatever is wrong with it, and 2 is for wrong usage."""

import shutil
from pathlib import Path

import pytest

from cli.conftest import Run
from mien.models import ModelCard

TAKE_AN_INPUT = [
    "verify {bad} {photo}",
    "verify {photo} {photo} --calibration {bad}",
    "detect {bad}",
    "embed {bad} -o {out}/faces.npz",
    "cluster {bad}",
    "match {bad} {known} -o {out}/matches.csv",
    "match {known} {bad} -o {out}/matches.csv",
    "enroll Ada {bad}",
    "enroll --folder {bad}",
    "people list --gallery {bad}",
    "calibrate --people {bad} -o {out}/calibration.json",
    "calibrate --unlabelled {bad} -o {out}/calibration.json",
    "calibrate --gallery {bad}",
    "demo --photos {bad} -o {out}/demo",
    "models add sface {bad}",
    "evaluate scores {bad}",
    "evaluate scores {bad} {bad}",
    "evaluate lfw {bad}",
    "evaluate pairs {bad}",
    "evaluate bin {bad}",
    "evaluate people {bad}",
    "evaluate templates {bad}",
    "evaluate open-set {bad}",
    "evaluate course {bad} {known}",
    "evaluate course {known} {bad}",
    "evaluate course {known} {known} --truth {bad}",
    "evaluate closed-set {bad}",
    "evaluate clustering {bad}",
    "compare-models people {bad} --encoder sface --encoder dlib",
]
WRITE_A_FOLDER = [
    "demo -o {file}",
    "detect {photo} --draw {file}",
    "detect {photo} --crops {file}/below",
    "synth {file}",
    "train quick -o {file}",
    "export {known} -o {file}",
    "bench losses -o {file}/below",
    "compare-models people {known} --encoder sface --encoder dlib --embeddings {file}",
]


@pytest.fixture(params=["missing", "text", "empty", "bytes"])
def bad(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A path that is no input for anything."""
    path = tmp_path / "bad"
    if request.param == "text":
        path.write_text("hello\n", encoding="utf-8")
    elif request.param == "empty":
        path.mkdir()
    elif request.param == "bytes":
        path.write_bytes(b"\x00\xff" * 64)
    return path


@pytest.mark.parametrize("command", TAKE_AN_INPUT)
def test_an_input_that_cant_be_used(run: Run, people: Path, known: Path, bad: Path, command: str) -> None:
    out = bad.parent / "out"
    out.mkdir()
    words = command.format(bad=bad, out=out, photo=people / "person-0001/0001.jpg", known=known)
    ran = run(*words.split(" "))
    assert ran.code == 3, ran.err
    assert "bad" in ran.out + ran.err, "it says what it is about"
    assert len((ran.out + ran.err).strip()) > 20
    assert not (out / "matches.csv").exists()
    assert not (out / "calibration.json").exists()


@pytest.mark.parametrize("card", [None, "", "name = [", 'name = "mine"\n'])
def test_a_card_of_ones_own_is_an_input_and_a_model_is_not(
    run: Run, people: Path, tmp_path: Path, card: str | None
) -> None:
    photo = people / "person-0001/0001.jpg"
    if card is not None:
        (tmp_path / "card.toml").write_text(card, encoding="utf-8")
    ran = run("verify", photo, photo, "--encoder", tmp_path / "card.toml")
    assert ran.code == 3
    assert "card.toml" in ran.err
    assert run("models", "check", tmp_path / "card.toml").code == 3
    assert run("models", "check", "nothing-we-know").code == 4


@pytest.mark.parametrize("command", WRITE_A_FOLDER)
def test_a_file_where_a_folder_is_to_be_written(
    run: Run, people: Path, known: Path, tmp_path: Path, command: str
) -> None:
    file = tmp_path / "file"
    file.write_text("mine", encoding="utf-8")
    words = command.format(file=file, photo=people / "person-0001/0001.jpg", known=known)
    ran = run(*words.split(" "))
    assert ran.code == 2, ran.err
    assert "is a file; name a folder" in ran.err
    assert file.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    "command",
    [
        ("detect", ""),
        ("embed", "", "-o", "faces.npz"),
        ("cluster", ""),
        ("enroll", "Ada", ""),
        ("match", "", ".", "-o", "matches.csv"),
        ("verify", "", ""),
    ],
)
def test_an_empty_path_is_not_the_working_folder(
    run: Run, people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    shutil.copy(people / "person-0001/0001.jpg", tmp_path)
    monkeypatch.chdir(tmp_path)
    ran = run(*command)
    assert ran.code == 3
    assert "is empty" in ran.out + ran.err


@pytest.mark.parametrize("command", [("synth", "people"), ("demo",)])
def test_a_negative_seed_is_wrong_usage(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run(*command, "--seed", "-1")
    assert ran.code == 2
    assert "--seed" in ran.err
    assert not list(tmp_path.iterdir())


def test_a_fusion_is_fetched_as_its_members(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fetch(card: ModelCard) -> Path:
        return tmp_path / card.name

    monkeypatch.setattr("mien.models.fetch", fetch)
    ran = run("models", "fetch", "fusion")
    assert ran.code == 0
    assert ran.out.splitlines() == [str(tmp_path / "sface"), str(tmp_path / "dlib")]
    refused = run("models", "add", "fusion", tmp_path)
    assert refused.code == 2
    assert "Add those of sface and dlib" in refused.err


def test_a_calibration_that_supports_nothing_is_not_recommended(run: Run, people: Path, tmp_path: Path) -> None:
    ran = run("calibrate", "--people", people, "-o", tmp_path / "few.json")
    assert ran.code == 0
    assert "supports no false match rate" in ran.err
    assert "Use it with" not in ran.err
