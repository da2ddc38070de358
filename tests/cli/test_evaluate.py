"""`mien evaluate` and `mien compare-models` on people who don't exist, and on sixty pairs of LFW."""

import csv
import math
import pickle
import shutil
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.conftest import Run, interrupt
from data import photos
from evaluation.protocols.test_lfw import accuracy_of_folds
from mien.faces import Detector, FaceTable, choose
from mien.photos import save_picture

RATES = ["1e-1", "1e-2", "1e-3", "1e-4", "1e-5", "1e-6"]


@pytest.fixture(scope="module")
def kept(people: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embeddings of the synthetic people, so that most tests need no network."""
    from typer.testing import CliRunner

    from mien.cli.app import make_app

    table = tmp_path_factory.mktemp("kept") / "faces.npz"
    assert CliRunner().invoke(make_app(), ["embed", str(people), "-o", str(table)]).exit_code == 0
    return table


def scores(folder: Path, name: str, values: Any) -> Path:
    (folder / name).write_text("".join(f"{value}\n" for value in values), encoding="utf-8")
    return folder / name


@pytest.fixture
def both(tmp_path: Path) -> tuple[Path, Path]:
    rng = np.random.default_rng(0)
    return (
        scores(tmp_path, "mated.txt", rng.normal(1, 1, 500)),
        scores(tmp_path, "nonmated.txt", rng.normal(-1, 1, 3000)),
    )


def test_scores_in_json(run: Run, both: tuple[Path, Path]) -> None:
    ran = run("evaluate", "scores", *both, "--json")
    assert ran.code == 0
    found = ran.json
    for leaf in [found[name] for name in ("auc", "eer", "accuracy")]:
        assert leaf.keys() == {"value", "low", "high"}
    for name in ("tar_at_far", "fnmr_at_fmr"):
        assert list(found[name]) == RATES
        assert found[name]["1e-2"].keys() == {"value", "low", "high"}
        assert "not supported by 3,000" in found[name]["1e-4"]["unsupported"]
    normal = 0.5 * (1 + math.erf(math.sqrt(2) / math.sqrt(2)))  # Φ((1 − (−1)) / √2)
    assert found["auc"]["low"] < normal < found["auc"]["high"]
    assert (found["mated"], found["non_mated"]) == (500, 3000)
    assert found["made"]["command"] == "mien evaluate scores mated.txt nonmated.txt"
    assert run("evaluate", "scores", *both, "--json").json["auc"] == found["auc"], "the same seed, the same interval"


def test_scores_for_people_to_read(run: Run, both: tuple[Path, Path], tmp_path: Path) -> None:
    report, curve = tmp_path / "r.html", tmp_path / "c.csv"
    ran = run("evaluate", "scores", *both, "--threshold", "0", "--report", report, "--csv", curve)
    assert ran.code == 0
    assert "equal error rate" in ran.out
    assert "not supported by 3,000 non-mated comparisons: a rate of 1e-6 needs 30,000,000" in ran.out
    assert "<svg" in report.read_text(encoding="utf-8")
    with curve.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    fmr, fnmr = ([float(row[name]) for row in rows] for name in ("fmr", "fnmr"))
    assert (fmr, fnmr) == (sorted(fmr), sorted(fnmr, reverse=True))


def test_distances_for_scores_are_doubted(run: Run, both: tuple[Path, Path], tmp_path: Path) -> None:
    mated, non_mated = both
    doubt = "Non-mated scores are the higher ones: are they distances, or are mated and non-mated scores swapped?"
    swapped = run("evaluate", "scores", non_mated, mated, "--report", tmp_path / "r.html", "--json")
    assert swapped.code == 0
    assert swapped.json["doubt"].startswith(doubt)
    assert doubt in swapped.err
    assert doubt in (tmp_path / "r.html").read_text(encoding="utf-8")
    right = run("evaluate", "scores", mated, non_mated)
    assert right.code == 0
    assert "higher ones" not in right.err


def test_scores_that_make_no_sense(run: Run, both: tuple[Path, Path], tmp_path: Path) -> None:
    bad = scores(tmp_path, "bad.txt", [0.5, "half"])
    ran = run("evaluate", "scores", bad, both[1], "--json")
    assert ran.code == 3
    assert ran.json["error"]["message"].startswith("Line 2 of")
    assert run("evaluate", "scores", both[0]).code == 3, "a single file is a table"
    assert run("evaluate", "scores", tmp_path / "no.txt", both[1]).code == 3
    failed = run("evaluate", "scores", scores(tmp_path, "failed.txt", ["nan", "nan"]), both[1])
    assert failed.code == 3
    assert "None of the 2 mated scores of failed.txt and nonmated.txt is a number" in failed.err
    assert failed.out == ""
    assert run("evaluate", "scores", *both, "--report", tmp_path / "nowhere" / "r.html").code == 2
    for threshold in ("nan", "inf"):
        refused = run("evaluate", "scores", *both, "--threshold", threshold)
        assert refused.code == 2
        assert "is no similarity" in refused.err


def test_people(run: Run, people: Path, kept: Path, tmp_path: Path) -> None:
    report = tmp_path / "r.html"
    ran = run("evaluate", "people", people, "--embeddings", kept, "--report", report)
    assert ran.code == 0
    assert "18 of 18 photos are already in" in ran.err
    assert "153 pairs of 18 photos" in ran.out
    assert "worst of each kind" in ran.out
    assert "person-0001" in report.read_text(encoding="utf-8")
    drawn = run("evaluate", "people", people, "--embeddings", kept, "--pairs", "15", "--seed", "4", "--json").json
    assert (drawn["mated"], drawn["non_mated"], drawn["data"]["people"]) == (15, 15, 6)
    assert drawn["made"]["command"].startswith("mien evaluate people people --pairs 15 --seed 4")
    dots = run("evaluate", "people", people / "person-0001/..", "--pairs", "2", "--json").json
    assert dots["data"]["name"] == "people"
    assert dots["made"]["command"].startswith("mien evaluate people people --pairs 2")
    assert run("evaluate", "people", people, "--embeddings", kept, "--pairs", "19").code == 2


def test_pairs_and_their_scores_again(run: Run, people: Path, kept: Path, tmp_path: Path) -> None:
    names = [f"person-{who:04}/{photo:04}.jpg" for who in (1, 2, 3) for photo in (1, 2, 3)]
    rows = [f"{a},{b},{int(a[:11] == b[:11])}" for a in names for b in names if a < b]
    listed = tmp_path / "pairs.csv"
    listed.write_text("first,second,mated\n" + "\n".join(rows), encoding="utf-8")
    output = tmp_path / "scores.csv"
    asked = ("--photos", people, "--embeddings", kept, "-o", output, "--json")
    first = run("evaluate", "pairs", listed, *asked).json
    again = run("evaluate", "scores", output, "--json").json
    assert (first["mated"], first["non_mated"], first["data"]["people"]) == (9, 27, 3)
    for name in ("auc", "eer", "average_precision"):
        assert again[name]["value"] == pytest.approx(first[name]["value"], abs=1e-6)
    assert run("evaluate", "pairs", listed, "--photos", tmp_path).code == 3
    listed.write_text(listed.read_text(encoding="utf-8") + "\na.jpg,b.jpg\n", encoding="utf-8")
    ran = run("evaluate", "pairs", listed, "--photos", people)
    assert ran.code == 3
    assert "Line 38" in ran.err


def test_a_photo_that_is_missing_is_told(run: Run, people: Path, kept: Path, tmp_path: Path) -> None:
    listed = tmp_path / "pairs.txt"
    names = [f"person-{who:04}/0001.jpg person-{who:04}/0002.jpg 1" for who in range(1, 7)]
    names += ["person-0001/0001.jpg person-0002/0001.jpg 0", "person-0001/0001.jpg person-0003/0009.jpg 0"]
    listed.write_text("\n".join(names), encoding="utf-8")
    copy = tmp_path / "faces.npz"
    shutil.copy(kept, copy)
    ran = run("evaluate", "pairs", listed, "--photos", people, "--embeddings", copy, "--json")
    assert ran.code == 5
    assert ran.json["non_mated_failed"] == 1
    assert "0009.jpg" in ran.err
    counted = run(
        "evaluate", "pairs", listed, "--photos", people, "--embeddings", copy, "--failures-are-errors", "--json"
    )
    assert counted.json["non_mated"] == 2


def test_bin(run: Run, people: Path, tmp_path: Path) -> None:
    detector = Detector.open(runtime="onnxruntime")
    crops = []
    for who in (1, 2):
        for photo in (1, 2, 1, 3):
            pixels = choose(detector.detect(people / f"person-{who:04}/{photo:04}.jpg"), "central").crops()[0]
            save_picture(pixels, tmp_path / "crop.png")
            crops.append((tmp_path / "crop.png").read_bytes())
    pairs = [crops[0], crops[1], crops[4], crops[5], crops[0], crops[4], crops[1], crops[5]]
    file = tmp_path / "some.bin"
    file.write_bytes(pickle.dumps((pairs, [True, True, False, False]), 2))
    found = run("evaluate", "bin", file, "--json")
    assert found.code == 0
    assert found.json["auc"]["value"] == 1
    assert found.json["data"]["people"] is None
    file.write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path / "ran").encode() + b"'\ntR.")
    ran = run("evaluate", "bin", file)
    assert ran.code == 3
    assert "os.system" in ran.err
    assert not (tmp_path / "ran").exists()


def test_open_set(run: Run, people: Path, kept: Path, among_synthetic: Path, tmp_path: Path) -> None:
    asked = (
        "evaluate",
        "open-set",
        people,
        "--embeddings",
        kept,
        "--strangers",
        "0.4",
        "--calibration",
        among_synthetic,
    )
    found = run(*asked, "--fpir", "0.1", "-o", tmp_path / "a.csv", "--csv", tmp_path / "c.csv", "--json").json
    assert (found["identification"]["gallery_people"], found["identification"]["stranger_probes"]) == (4, 6)
    assert found["identification"]["at_threshold"] is not None
    assert found["calibration"]["name"]
    with (tmp_path / "a.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 14
    refused = run("evaluate", "open-set", people, "--strangers", "2")
    assert refused.code == 2
    assert "2.0 is not between 0 and 1" in refused.err
    assert "enrol fewer" in run("evaluate", "open-set", people, "--enrolled", "9").err
    assert (tmp_path / "c.csv").read_text(encoding="utf-8").startswith("threshold,fpir,")
    assert run("evaluate", "open-set", people, "--embeddings", kept).code == 3, "nobody is a stranger"


def test_course(run: Run, people: Path, known: Path, among_synthetic: Path, tmp_path: Path) -> None:
    probes = tmp_path / "probes"
    probes.mkdir()
    truth = ["probe,person"]
    for who in range(1, 7):
        shutil.copy(people / f"person-{who:04}/0002.jpg", probes / f"{who}.jpg")
        truth.append(f"{who}.jpg,{f'person-{who:04}' if who < 5 else 'unknown'}")
    (tmp_path / "truth.csv").write_text("\n".join(truth), encoding="utf-8")
    submission = tmp_path / "submission.csv"
    asked = ("evaluate", "course", known, probes, "-o", submission, "--calibration", among_synthetic)
    assert run(*asked).code == 0
    assert submission.read_text(encoding="utf-8").startswith("probe,person,similarity\n1.jpg,person-0001,0.")
    found = run(*asked, "--truth", tmp_path / "truth.csv", "--json").json
    assert found["data"]["facts"]["right answers"].startswith("6 of 6")
    assert found["identification"]["stranger_probes"] == 2
    (tmp_path / "truth.csv").write_text("\n".join(truth[:-1]), encoding="utf-8")
    assert run(*asked, "--truth", tmp_path / "truth.csv").code == 3
    assert run("evaluate", "course", known, probes, "--fpir", "1e-9").code == 3, "no calibration supports that"


def test_closed_set_and_clustering(run: Run, people: Path, kept: Path, among_synthetic: Path, tmp_path: Path) -> None:
    closed = run("evaluate", "closed-set", people, "--embeddings", kept, "--json").json["closed_set"]
    assert closed["classifiers"]["nearest template"]["accuracy"]["value"] > 0.8
    shown = run("evaluate", "closed-set", people, "--embeddings", kept, "--csv", tmp_path / "m.csv")
    assert "logistic regression" in shown.out
    assert "nearest template accuracy" in (tmp_path / "m.csv").read_text(encoding="utf-8")
    asked = ("evaluate", "clustering", people, "--embeddings", kept, "--calibration", among_synthetic)
    assert run(*asked, "--json").json["clustering"]["bcubed_f"]["value"] > 0.8
    assert "BCubed F" in run(*asked).out


def test_templates(run: Run, people: Path, kept: Path, tmp_path: Path) -> None:
    rows = ["template,subject,media,photo"]
    for who in range(1, 7):
        rows += [f"{who}{'ab'[photo > 1]},{who},{photo},person-{who:04}/{photo:04}.jpg" for photo in (1, 2, 3)]
    listed = tmp_path / "templates.csv"
    listed.write_text("\n".join(rows), encoding="utf-8")
    found = run("evaluate", "templates", listed, "--photos", people, "--embeddings", kept, "--json").json
    assert (found["mated"], found["non_mated"], found["data"]["photos"]) == (6, 60, 18)
    listed.write_text("template,photo\n", encoding="utf-8")
    assert run("evaluate", "templates", listed).code == 3


def test_photos_without_faces(run: Run, faceless: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "people" / name).mkdir(parents=True)
        shutil.copy(faceless, tmp_path / "people" / name)
    ran = run("evaluate", "people", tmp_path / "people")
    assert ran.code == 3
    assert "No photo has a face" in ran.err
    assert run("evaluate", "people", tmp_path / "nowhere").code == 3
    assert run("evaluate", "people", tmp_path / "people" / "a").code == 3


def test_aligned_photos_that_are_none(run: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        save_picture(np.zeros((112, 96, 3), np.uint8), tmp_path / name / "0.png")
    ran = run("evaluate", "people", tmp_path, "--aligned")
    assert ran.code == 3
    assert "no crop aligned to" in ran.err


def test_another_encoders_table_is_refused(run: Run, people: Path, kept: Path) -> None:
    assert run("evaluate", "people", people, "--embeddings", kept, "--flip").code == 2


def test_compare_models(run: Run, people: Path, tmp_path: Path) -> None:
    report = tmp_path / "r.html"
    asked = ("compare-models", "people", people, "--pairs", "15", "--embeddings", tmp_path / "kept")
    encoders = ("--encoder", "sface", "--encoder", "dlib")
    found = run(*asked, *encoders, "--report", report, "--json")
    assert found.code == 0
    assert [one["encoder"]["name"] for one in found.json["evaluations"]] == ["sface", "dlib"]
    (difference,) = found.json["differences"]
    assert difference["auc"].keys() - {"note"} == {"value", "low", "high", "p_value"}
    one, other = (evaluation["auc"]["value"] for evaluation in found.json["evaluations"])
    assert difference["auc"]["value"] == pytest.approx(one - other)
    assert len(list((tmp_path / "kept").glob("*.npz"))) == 2
    assert "sface" in report.read_text(encoding="utf-8")
    shown = run(*asked, *encoders)
    assert "sface less dlib" in shown.out
    assert "18 of 18 photos are already in" in shown.err
    single = run(*asked, "--encoder", "sface")
    assert single.code == 2
    assert "takes two encoders" in single.err
    assert run(*asked).code == 2
    assert run("compare-models", "people", people, *encoders, "--embeddings", report).code == 2
    shown = run("compare-models", "closed-set", people, *encoders, "--embeddings", tmp_path / "kept")
    assert shown.code == 0
    assert "not known for this protocol" in shown.out


def test_compare_models_doubts_a_list_whose_pairs_are_swapped(run: Run, people: Path, tmp_path: Path) -> None:
    files = sorted(path.relative_to(people) for path in people.glob("*/*.jpg"))
    rows = [f"{a},{b},{int(a.parent != b.parent)}" for a, b in combinations(files, 2)]
    (tmp_path / "pairs.csv").write_text("\n".join(["first,second,mated", *rows]), "utf-8")
    asked = ("pairs", tmp_path / "pairs.csv", "--photos", people, "--encoder", "sface", "--encoder", "dlib")
    ran = run("compare-models", *asked)
    assert ran.code == 0
    assert ran.err.count("Non-mated scores are the higher ones") == 1


@pytest.mark.slow
def test_an_interrupted_evaluation_goes_on(run: Run, tmp_path: Path) -> None:
    people, table = tmp_path / "people", tmp_path / "faces.npz"
    run("synth", people, "--people", "24", "--photos", "8", "--seed", "1")
    interrupt("evaluate", "people", people, "--embeddings", table)
    kept = len(FaceTable.load(table)) if table.exists() else 0
    assert 0 < kept <= 20
    ran = run("evaluate", "people", people, "--embeddings", table)
    assert ran.code == 0
    assert len(FaceTable.load(table)) == 192


@pytest.mark.slow
@pytest.mark.photos
def test_sixty_pairs_of_lfw_equal_an_independent_script(run: Run, tmp_path: Path) -> None:
    folder = photos("lfw")
    lines = (folder / "pairs.txt").read_text(encoding="utf-8").splitlines()[1:]
    few = [lines[600 * fold + 300 * kind + at] for fold in range(10) for kind in (0, 1) for at in range(3)]
    listed, output = tmp_path / "pairs.txt", tmp_path / "scores.csv"
    listed.write_text("10 3\n" + "\n".join(few), encoding="utf-8")
    ran = run("evaluate", "lfw", folder, "--pairs", listed, "-o", output, "--json")
    assert ran.code == 0
    with output.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    similarity, mated, fold = (np.array([float(row[name]) for row in rows]) for name in ("score", "mated", "fold"))
    expected = accuracy_of_folds(similarity, mated == 1, fold.astype(np.int64))
    np.testing.assert_allclose(ran.json["folds"]["accuracy"], expected, atol=1e-12)
    assert ran.json["folds"]["mean"] > 0.9
