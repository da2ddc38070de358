from collections.abc import Collection
from pathlib import Path

import pytest

from embedded_people import embedded
from fake_recognizer import calibration, portrait
from mien.errors import CalibrationError, ConfigError, InputError
from mien.evaluation import PROTOCOLS, EmbeddedPhotos, Estimate, EvaluationProtocol, Settings

AT = Settings(threshold=0.6, resamples=20)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Ten known people with a photo each; a probe of each of the first six, and four strangers."""
    for name in ("known", "probes"):
        (tmp_path / name).mkdir()
    for who in range(10):
        (tmp_path / f"known/p{who}.png").write_bytes(portrait(who + 1))
        number = who if who < 6 else who + 50
        (tmp_path / f"probes/{who}.png").write_bytes(portrait(number + 1, 1))
    return tmp_path / "known", tmp_path / "probes"


def photos_of(protocol: EvaluationProtocol, without: Collection[str] = ()) -> EmbeddedPhotos:
    person = {}
    for name in protocol.photos:
        stem = Path(name).stem.removeprefix("p")
        person[name] = f"stranger {stem}" if name.startswith("probes/") and int(stem) >= 6 else f"p{stem}"
    return embedded(person, noise=0.3, without=without)


def truth_of(folder: Path) -> Path:
    file = folder / "truth.csv"
    rows = [f"{who}.png,{f'p{who}' if who < 6 else 'unknown'}" for who in range(10)]
    file.write_text("probe,person\n" + "\n".join(rows), encoding="utf-8")
    return file


def test_the_submission(folders: tuple[Path, Path]) -> None:
    protocol = PROTOCOLS["course"](*folders)
    rows = list(protocol.answers(photos_of(protocol), AT))
    assert [row["probe"] for row in rows] == [f"{who}.png" for who in range(10)]
    assert [row["person"] for row in rows] == [*(f"p{who}" for who in range(6)), *["unknown"] * 4]
    assert all(-1 <= float(row["similarity"]) <= 1 for row in rows)
    evaluation = protocol.evaluate(photos_of(protocol), AT)
    assert evaluation.identification is None, "nobody has said who the probes show"
    assert (evaluation.data.facts["named"], evaluation.data.facts["unknown"]) == (6, 4)


def test_the_truth_scores_it(folders: tuple[Path, Path]) -> None:
    protocol = PROTOCOLS["course"](*folders, truth=truth_of(folders[0].parent))
    evaluation = protocol.evaluate(photos_of(protocol), AT)
    found = evaluation.identification
    assert found is not None
    assert (found.mated_probes, found.stranger_probes) == (6, 4)
    assert found.at_threshold is not None
    assert isinstance(found.at_threshold.fpir, Estimate)
    assert found.at_threshold.fpir.high < 0.95, "four strangers without a name are four people"
    assert str(evaluation.data.facts["right answers"]).startswith("10 of 10: 100.00 %")
    strict = protocol.evaluate(photos_of(protocol), Settings(threshold=0.999, resamples=20))
    assert str(strict.data.facts["right answers"]).startswith("4 of 10")
    loose = protocol.evaluate(photos_of(protocol), Settings(threshold=-1, resamples=20))
    assert str(loose.data.facts["right answers"]).startswith("6 of 10")


def test_right_answers_have_an_interval_over_people(tmp_path: Path) -> None:
    for name in ("known", "probes"):
        (tmp_path / name).mkdir()
    for who in range(4):
        (tmp_path / f"known/p{who}.png").write_bytes(portrait(who + 1))
        for photo in range(20):
            (tmp_path / f"probes/{who}-{photo}.png").write_bytes(portrait(who + 1, photo + 1))
    rows = [f"{who}-{photo}.png,p{who}" for who in range(4) for photo in range(20)]
    (tmp_path / "truth.csv").write_text("probe,person\n" + "\n".join(rows), encoding="utf-8")
    protocol = PROTOCOLS["course"](tmp_path / "known", tmp_path / "probes", truth=tmp_path / "truth.csv")
    person = {name: Path(name).stem.removeprefix("p").split("-")[0] for name in protocol.photos}
    told = str(protocol.evaluate(embedded(person, noise=0.1), AT).data.facts["right answers"])
    assert told.startswith(f"80 of 80: 100.00 % ({100 * 0.025 ** (1 / 4):.2f} to 100.00 %)"), (
        "four people, however many photos"
    )


def test_who_is_known_but_not_enrolled_is_no_stranger(folders: tuple[Path, Path]) -> None:
    protocol = PROTOCOLS["course"](*folders, truth=truth_of(folders[0].parent))
    photos = photos_of(protocol, without=["gallery/p0.png"])
    evaluation = protocol.evaluate(photos, AT)
    assert evaluation.data.facts["known people without a face to enrol"] == 1
    assert str(evaluation.data.facts["right answers"]).startswith("9 of 10")
    assert evaluation.identification is not None
    assert (evaluation.identification.mated_probes, evaluation.identification.stranger_probes) == (5, 4)
    assert protocol.compare(photos, photos_of(protocol), AT), "the other encoder enrolled everybody"


def test_lists_and_labelled_folders(folders: tuple[Path, Path]) -> None:
    root = folders[0].parent
    (root / "known.csv").write_text("photo,person\nknown/p0.png,Ann\nknown/p1.png,Bob\n", encoding="utf-8")
    (root / "probes.txt").write_text("probes/0.png\n\nprobes/7.png\n", encoding="utf-8")
    protocol = PROTOCOLS["course"](root / "known.csv", root / "probes.txt")
    assert set(protocol.photos) == {
        "gallery/known/p0.png",
        "gallery/known/p1.png",
        "probes/probes/0.png",
        "probes/probes/7.png",
    }
    rows = list(protocol.answers(photos_of(protocol), AT))
    assert [row["person"] for row in rows] == ["Ann", "unknown"]
    (root / "labelled/p2").mkdir(parents=True)
    (root / "labelled/p2/2.png").write_bytes(portrait(3, 1))
    labelled = PROTOCOLS["course"](folders[0], root / "labelled", labelled=True)
    assert labelled.truth == {"p2/2.png": "p2"}  # type: ignore[attr-defined]


def test_a_table_that_says_two_people_of_a_photo_is_refused(folders: tuple[Path, Path]) -> None:
    table = folders[0].parent / "table.csv"
    table.write_text("photo,person\nknown/p0.png,Ann\nknown/p0.png,Ann\nknown/p0.png,Bob\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"Line 4 of .* shows Bob, and a line before it Ann"):
        PROTOCOLS["course"](table, folders[1])
    truth = truth_of(folders[0].parent)
    truth.write_text(truth.read_text(encoding="utf-8") + "\n3.png,p4", encoding="utf-8")
    with pytest.raises(InputError, match=r"Line 12 of .* 3\.png shows p4, and a line before it p3"):
        PROTOCOLS["course"](*folders, truth=truth)


def test_the_threshold_follows_the_number_of_people(folders: tuple[Path, Path]) -> None:
    protocol = PROTOCOLS["course"](*folders, fpir=0.05)
    rule = calibration("f" * 64)
    evaluation = protocol.evaluate(photos_of(protocol), Settings(rule=rule))
    assert evaluation.data.facts["threshold"] == pytest.approx(rule.threshold_for_fpir(0.05, 10).similarity)
    with pytest.raises(CalibrationError, match="no threshold"):
        protocol.evaluate(photos_of(protocol), Settings())


def test_photos_of_the_gallery_are_answered_but_not_scored(folders: tuple[Path, Path]) -> None:
    known, probes = folders
    (probes / "0.png").write_bytes((known / "p0.png").read_bytes())  # the same content
    (probes / "7.png").unlink()
    (probes / "7.png").hardlink_to(known / "p7.png")  # the same file
    protocol = PROTOCOLS["course"](known, probes, truth=truth_of(known.parent))
    photos = photos_of(protocol)
    evaluation = protocol.evaluate(photos, AT)
    assert (evaluation.data.facts["probes"], evaluation.data.facts["named"]) == (8, 5)
    assert evaluation.data.facts["probes left out, being photos of the gallery"] == 2
    assert str(evaluation.data.facts["right answers"]).startswith("8 of 8")
    found = evaluation.identification
    assert found is not None
    assert (found.mated_probes, found.stranger_probes) == (5, 3)
    assert {error.first for error in evaluation.worst}.isdisjoint({"probes/0.png", "probes/7.png"})
    assert [row["probe"] for row in protocol.answers(photos, AT)] == [f"{who}.png" for who in range(10)]
    compared = protocol.compare(photos, photos, AT)
    assert compared


def test_a_gallery_against_itself_is_refused(folders: tuple[Path, Path]) -> None:
    with pytest.raises(InputError, match=r"Each of the 10 probes of .*known is a photo of the gallery"):
        PROTOCOLS["course"](folders[0], folders[0])


def test_files_of_one_size_are_not_one_photo(folders: tuple[Path, Path]) -> None:
    for place, number in ((folders[0] / "p0.png", 1), (folders[1] / "0.png", 2)):
        place.write_bytes(portrait(number) + b" " * (2000 - len(portrait(number))))
    assert not PROTOCOLS["course"](*folders).enrolled  # type: ignore[attr-defined]


def test_what_makes_no_sense_is_refused(folders: tuple[Path, Path]) -> None:
    root = folders[0].parent
    truth = truth_of(root)
    truth.write_text(truth.read_text(encoding="utf-8").replace("3.png", "33.png"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"nothing of 1 of 10 probes, such as 3\.png"):
        PROTOCOLS["course"](*folders, truth=truth)
    with pytest.raises(ConfigError, match="both say"):
        PROTOCOLS["course"](*folders, truth=truth, labelled=True)
    (root / "empty").mkdir()
    with pytest.raises(ConfigError, match="no photo"):
        PROTOCOLS["course"](folders[0], root / "empty")


def test_the_worst_errors_are_named_as_their_photos_are(folders: tuple[Path, Path]) -> None:
    """Else a report finds no picture of them."""
    protocol = PROTOCOLS["course"](*folders, truth=truth_of(folders[0].parent))
    worst = protocol.evaluate(photos_of(protocol), AT).worst
    assert worst
    for error in worst:
        assert error.first in protocol.photos
        assert error.second in protocol.photos
