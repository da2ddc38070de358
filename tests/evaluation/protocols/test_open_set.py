from pathlib import Path

import numpy as np
import pytest

from embedded_people import embedded
from fake_recognizer import calibration, portrait
from mien.errors import ConfigError
from mien.evaluation import PROTOCOLS, Estimate, EvaluationProtocol, Settings

SIZES = [1] * 30 + [3] * 20 + [2] * 10
QUICK = Settings(resamples=20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for who, size in enumerate(SIZES):
        (tmp_path / f"p{who:02}").mkdir()
        for photo in range(size):
            (tmp_path / f"p{who:02}/{photo}.png").write_bytes(portrait(who + 1, photo))
    return tmp_path


def people_of(protocol: EvaluationProtocol) -> dict[str, str]:
    return {name: name.split("/")[0] for name in protocol.photos}


def test_error_rates_equal_a_plain_search(folder: Path) -> None:
    protocol = PROTOCOLS["open-set"](folder)
    person = people_of(protocol)
    photos = embedded(person, noise=1.0)
    vector = dict(zip(photos.names, photos.embeddings.astype(np.float64), strict=True))
    enrolled = {f"p{who:02}": vector[f"p{who:02}/0.png"] for who, size in enumerate(SIZES) if size > 1}
    threshold = 0.5
    missed, alarms, first = [], [], []
    for name, whose in person.items():
        similarity = {known: float(vector[name] @ template) for known, template in enrolled.items()}
        best = max(similarity, key=lambda known: similarity[known])
        if whose not in enrolled:
            alarms.append(similarity[best] >= threshold)
        elif not name.endswith("/0.png"):
            missed.append(best != whose or similarity[best] < threshold)
            first.append(best == whose)
    evaluation = protocol.evaluate(photos, Settings(threshold=threshold, resamples=20))
    found = evaluation.identification
    assert found is not None
    assert found.at_threshold is not None
    assert (found.gallery_people, found.mated_probes, found.stranger_probes) == (30, 50, 30)
    for measure, expected in (
        (found.at_threshold.fnir, missed),
        (found.at_threshold.fpir, alarms),
        (found.rank_1, first),
    ):
        assert isinstance(measure, Estimate)
        assert measure.value == pytest.approx(float(np.mean(expected)))
        assert 0 < measure.value < 1


def test_nobody_is_known_and_a_stranger(folder: Path) -> None:
    for options in ({}, {"strangers": 0.5}, {"enrolled": 2}, {"strangers": 0.4, "seed": 3}):
        protocol = PROTOCOLS["open-set"](folder, **options)
        person = people_of(protocol)
        known = {person[name] for name in protocol.gallery}  # type: ignore[attr-defined]
        unknown = {person[name] for name in protocol.strangers}  # type: ignore[attr-defined]
        mated = {person[name] for name in protocol.mated}  # type: ignore[attr-defined]
        assert not known & unknown
        assert mated == known
        assert not set(protocol.gallery) & set(protocol.mated)  # type: ignore[attr-defined]
        if "strangers" in options:
            assert len(unknown) == round(options["strangers"] * len(SIZES))


def test_the_threshold_follows_the_gallery(folder: Path) -> None:
    protocol = PROTOCOLS["open-set"](folder, fpir=0.1)
    rule = calibration("f" * 64)
    evaluation = protocol.evaluate(embedded(people_of(protocol)), Settings(rule=rule, resamples=20))
    assert evaluation.identification is not None
    assert evaluation.identification.at_threshold is not None
    expected = rule.threshold_for_fpir(0.1, 30).similarity
    assert evaluation.identification.at_threshold.threshold == pytest.approx(expected)
    assert "gallery of 30" in str(evaluation.data.facts["threshold from"])
    assert evaluation.calibration == rule.summary()
    without = protocol.evaluate(embedded(people_of(protocol)), QUICK)
    assert without.identification is not None
    assert without.identification.at_threshold is None
    assert "no calibration" in str(without.data.facts["threshold from"])


def test_photos_without_a_face(folder: Path) -> None:
    protocol = PROTOCOLS["open-set"](folder)
    gone = ["p30/0.png", "p31/1.png", "p00/0.png"]
    photos = embedded(people_of(protocol), without=gone)
    evaluation = protocol.evaluate(photos, QUICK)
    assert evaluation.identification is not None
    assert evaluation.identification.gallery_people == 29
    assert evaluation.data.facts["known people without a face to enrol"] == 1
    assert {error.first for error in evaluation.worst if error.kind == "no face"} == set(gone)
    answers = {row["probe"]: row for row in protocol.answers(photos, QUICK)}
    assert answers["p31/1.png"]["person"] == "unknown"
    assert answers["p31/1.png"]["similarity"] == ""
    assert answers["p30/1.png"]["truth"] == "p30"
    probes = len(answers)
    counted = evaluation.identification.mated_probes + evaluation.identification.stranger_probes
    assert counted + evaluation.identification.failed == probes - 2, "two are of somebody who is known, not enrolled"
    everybody = protocol.compare(photos, embedded(people_of(protocol)), QUICK)
    assert everybody, "encoders that found other faces can be compared"


def test_the_worst_errors_say_which_photos(folder: Path) -> None:
    protocol = PROTOCOLS["open-set"](folder)
    photos = embedded(people_of(protocol), noise=1.5)
    vector = dict(zip(photos.names, photos.embeddings, strict=True))
    worst = protocol.evaluate(photos, QUICK).worst
    for error in worst:
        assert error.second is not None
        assert error.similarity == pytest.approx(float(vector[error.first] @ vector[error.second]), abs=1e-5)
        assert (error.first_person == error.second_person) == (error.kind == "missed")
    wrong = [error.similarity or 0 for error in worst if error.kind == "wrong person"]
    missed = [error.similarity or 0 for error in worst if error.kind == "missed"]
    assert wrong == sorted(wrong, reverse=True)
    assert missed == sorted(missed)


@pytest.mark.parametrize("threshold", [None, 0.5])
def test_only_who_was_not_found_is_missed(folder: Path, threshold: float | None) -> None:
    protocol = PROTOCOLS["open-set"](folder)
    photos = embedded(people_of(protocol), noise=1.0)
    settings = Settings(threshold=threshold, resamples=20)
    worst = protocol.evaluate(photos, settings).worst
    answered = {answer["probe"]: answer["person"] for answer in protocol.answers(photos, settings)}
    mated = [name for name in answered if not name.endswith("/0.png")]
    missed = {name for name in mated if answered[name] != name.split("/")[0]}
    assert 0 < len(missed) < len(mated)
    assert {error.first for error in worst if error.kind == "missed"} == missed


@pytest.mark.parametrize("cohort", [2, 5, 25])
def test_a_cohort_leaves_strangers_to_search_for(tmp_path: Path, cohort: int) -> None:
    """Photos drawn one by one would be of nearly everybody, and nobody would be left."""
    for who in range(20):
        (tmp_path / f"p{who:02}").mkdir()
        for photo in range(6):
            (tmp_path / f"p{who:02}/{photo}.png").write_bytes(portrait(who + 1, photo))
    protocol = PROTOCOLS["open-set"](tmp_path, strangers=0.5, normalisation="z", cohort=cohort)
    drawn, strangers = protocol.cohort, protocol.strangers  # type: ignore[attr-defined]
    assert len(drawn) == cohort
    people = {name.split("/")[0] for name in strangers}
    assert people.isdisjoint({name.split("/")[0] for name in drawn})
    assert len(people) == 10 - -(-cohort // 6), "no more people than it takes are drawn"


def test_a_cohort_is_of_strangers_who_are_no_probes(folder: Path) -> None:
    protocol = PROTOCOLS["open-set"](folder, normalisation="s-adaptive", cohort=10)
    assert len(protocol.cohort) == 10  # type: ignore[attr-defined]
    assert not set(protocol.cohort) & set(protocol.strangers)  # type: ignore[attr-defined]
    evaluation = protocol.evaluate(embedded(people_of(protocol)), Settings(rule=calibration("f" * 64), resamples=20))
    assert evaluation.identification is not None
    assert evaluation.identification.stranger_probes == 20
    assert evaluation.identification.at_threshold is None, "no calibration knows normalised scores"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"enrolled": 0}, "can't be enrolled"),
        ({"enrolled": 5}, "0 people to know"),
        ({"fpir": 0}, "between 0 and 1"),
        ({"strangers": 1.5}, "between 0 and 1"),
        ({"normalisation": "z", "cohort": 500}, "can't be drawn"),
        ({"normalisation": "z", "cohort": 30}, "can't be drawn"),
        ({"normalisation": "z", "cohort": 1}, "can't be drawn"),
    ],
)
def test_what_cannot_be_split_is_refused(folder: Path, options: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        PROTOCOLS["open-set"](folder, **options)
