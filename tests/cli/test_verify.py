"""`mien verify`: decisions, keys, exit codes, and every kind of bad file."""

from pathlib import Path

import pytest

from bad_files import make_bad_files
from cli.conftest import Run

KEYS = {
    "decision",
    "reason",
    "similarity",
    "threshold",
    "fmr",
    "fmr_interval",
    "probability",
    "calibration",
    "encoder",
}


def test_one_person(run: Run, people: Path) -> None:
    ran = run("verify", people / "person-0001/0001.jpg", people / "person-0001/0002.jpg", "--json")
    assert ran.code == 0
    answer = ran.json
    assert answer["decision"] == "match"
    assert answer.keys() >= KEYS
    assert answer["similarity"] >= answer["threshold"]
    assert answer["fmr"] == pytest.approx(1e-4)
    low, high = answer["fmr_interval"]
    assert low < 1e-4 < high
    assert answer["probability"] > 0.9
    assert answer["calibration"]["name"]
    assert len(answer["calibration"]["sha256"]) == 64
    assert answer["calibration"]["non_mated"] > 80_000_000
    assert answer["calibration"]["mated"] > 200_000
    assert answer["encoder"]["name"] == "sface"
    assert len(answer["encoder"]["sha256"]) == 64


def test_two_people(run: Run, people: Path, among_synthetic: Path) -> None:
    pair = people / "person-0001/0001.jpg", people / "person-0002/0001.jpg"
    ran = run("verify", *pair, "--calibration", among_synthetic)
    assert ran.code == 1
    assert ran.out.startswith("no match: similarity ")
    assert "false match rate of 1e-4" in ran.out
    assert "95 % interval" in ran.out


def test_a_lower_rate_needs_more_similarity(run: Run, people: Path) -> None:
    pair = people / "person-0001/0001.jpg", people / "person-0001/0002.jpg"
    thresholds = [run("verify", *pair, "--fmr", rate, "--json").json["threshold"] for rate in ("1e-2", "1e-3", "1e-5")]
    assert thresholds == sorted(thresholds)
    assert len(set(thresholds)) == 3


def test_an_unsupported_rate_is_refused(run: Run, people: Path) -> None:
    ran = run("verify", people / "person-0001/0001.jpg", people / "person-0001/0002.jpg", "--fmr", "1e-9", "--json")
    assert ran.code == 3
    assert ran.json["error"]["code"].startswith("calibration")
    assert "1e-9" in ran.err


def test_a_given_threshold_decides(run: Run, people: Path) -> None:
    pair = people / "person-0001/0001.jpg", people / "person-0002/0001.jpg"
    ran = run("verify", *pair, "--threshold", "-1", "--json")
    assert ran.code == 0
    assert ran.json["fmr"] == pytest.approx(1)


def test_a_prior_moves_the_probability_only(run: Run, people: Path) -> None:
    pair = people / "person-0001/0001.jpg", people / "person-0001/0002.jpg"
    likely, unlikely = (run("verify", *pair, "--prior", prior, "--json").json for prior in (0.9, 0.0001))
    assert likely["probability"] > unlikely["probability"]
    assert likely["decision"] == unlikely["decision"]


def test_every_kind_of_bad_file(run: Run, people: Path, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    kinds = make_bad_files(tmp_path / "bad")
    assert len(kinds) >= 20
    for kind, (path, code) in kinds.items():
        ran = run("verify", path, people / "person-0001/0001.jpg", "--json")
        assert ran.code == 3, kind
        assert ran.json["decision"] == "unusable", kind
        assert ran.json["problem"]["code"] == code, kind
        assert len(ran.json["problem"]["message"]) > 10, kind


def test_a_photo_without_a_face(run: Run, people: Path, faceless: Path) -> None:
    ran = run("verify", faceless, people / "person-0001/0001.jpg", "--json")
    assert ran.code == 3
    assert ran.json["problem"]["code"] == "no-face.none"
    assert ran.json["similarity"] is None


def test_several_faces_are_never_silently_one(run: Run, people: Path, group: Path) -> None:
    ran = run("verify", group, people / "person-0001/0001.jpg", "--face", "only", "--json")
    assert ran.code == 3
    assert ran.json["problem"]["code"] == "no-face.several"
    ran = run("verify", group, people / "person-0001/0001.jpg", "--face", "all", "--json")
    assert ran.code == 0
    assert ran.json["comparisons"] == 2
    ran = run("verify", group, people / "person-0001/0001.jpg", "--face", "largest", "--json")
    assert any("largest of 2 faces" in note for note in ran.json["notes"])


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("a.jpg",),
        ("a", "b", "--fmr", "0"),
        ("a", "b", "--fmr", "x"),
        ("a", "b", "--threshold", "2"),
        ("a", "b", "c"),
    ],
)
def test_wrong_usage(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("verify", *arguments).code == 2


def test_unknown_encoder(run: Run, people: Path) -> None:
    ran = run("verify", people / "person-0001/0001.jpg", people / "person-0001/0002.jpg", "--encoder", "nope")
    assert ran.code == 4
    assert "nope" in ran.err


def test_interruption(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mien.cli.verify.make_recognizer", interrupt)
    ran = run("verify", "a", "b")
    assert ran.code == 130
    assert ran.err == "mien: interrupted.\n"
