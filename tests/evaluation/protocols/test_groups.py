"""Closed sets and clusterings of a folder of people."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embedded_people import embedded
from fake_recognizer import calibration, save_people
from mien.errors import CalibrationError, ConfigError
from mien.evaluation import PROTOCOLS, Settings, bcubed

QUICK = Settings(resamples=20)


def people_of(names: object) -> dict[str, str]:
    return {str(name): str(name).split("/")[0] for name in names}  # type: ignore[attr-defined]


def test_a_closed_set_splits_each_person(tmp_path: Path) -> None:
    save_people(tmp_path, 6, 5)
    (tmp_path / "Alone").mkdir()
    (tmp_path / "Person 001/0.png").rename(tmp_path / "Alone/0.png")
    protocol = PROTOCOLS["closed-set"](tmp_path, train=0.4, seed=1)
    person = people_of(protocol.photos)
    assert "Alone" not in person.values(), "one photo can't be split"
    train, test = protocol.train, protocol.test  # type: ignore[attr-defined]
    assert {person[name] for name in train} == {person[name] for name in test} == set(person.values())
    assert not set(train) & set(test)
    assert sum(person[name] == "Person 002" for name in train) == 2
    evaluation = protocol.evaluate(embedded(person, noise=2, without=[test[0]]), QUICK)
    assert evaluation.closed_set is not None
    assert evaluation.closed_set.test == len(test) - 1
    wrong = [error for error in evaluation.worst if error.kind == "wrong person"]
    assert wrong
    assert all(error.first_person != error.second_person for error in wrong)
    counted = protocol.evaluate(embedded(person, noise=2, without=[test[0]]), Settings(failures_are_errors=True))
    assert counted.closed_set is not None
    assert counted.closed_set.test == len(test)
    answers = list(protocol.answers(embedded(person), QUICK))
    assert all(row["person"] == row["nearest_person"] for row in answers)


@pytest.mark.parametrize(("options", "said"), [({"train": 1}, "between 0 and 1"), ({"neighbours": 0}, "can't vote")])
def test_a_closed_set_that_makes_no_sense(tmp_path: Path, options: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        PROTOCOLS["closed-set"](save_people(tmp_path, 3, 2), **options)
    with pytest.raises(ConfigError, match="two photos"):
        PROTOCOLS["closed-set"](save_people(tmp_path / "single", 3, 1))


def test_a_clustering_is_measured_as_bcubed_does(tmp_path: Path) -> None:
    protocol = PROTOCOLS["clustering"](save_people(tmp_path, 8, 4))
    person = people_of(protocol.photos)
    photos = embedded(person, noise=1.5, without=["Person 003/1.png"])
    settings = Settings(threshold=0.3, resamples=20)
    evaluation = protocol.evaluate(photos, settings)
    answers = list(protocol.answers(photos, settings))
    expected = bcubed([row["group"] for row in answers], [row["person"] for row in answers])
    assert evaluation.clustering is not None
    assert evaluation.clustering.bcubed_f.to_dict()["value"] == pytest.approx(expected.f)
    assert (evaluation.clustering.faces, evaluation.clustering.people) == (31, 8)
    group = {row["photo"]: row["group"] for row in answers}
    for error in evaluation.worst:
        if error.kind == "no face":
            assert error.first == "Person 003/1.png"
            continue
        assert error.second is not None
        assert (group[error.first] == group[error.second]) == (error.kind == "false match")


def test_a_photo_without_a_face_that_counts_is_a_group_of_its_own(tmp_path: Path) -> None:
    protocol = PROTOCOLS["clustering"](save_people(tmp_path, 8, 4))
    person = people_of(protocol.photos)
    photos = embedded(person, noise=1.5, without=["Person 003/1.png", "Person 003/2.png"])
    settings = Settings(threshold=0.3, resamples=20, failures_are_errors=True)
    measured = protocol.evaluate(photos, settings).clustering
    answers = list(protocol.answers(photos, settings))
    groups = [row["group"] for row in answers] + [1000, 1001]
    expected = bcubed(groups, [row["person"] for row in answers] + ["Person 003"] * 2)
    assert measured is not None
    assert measured.bcubed_f.to_dict()["value"] == pytest.approx(expected.f)
    assert (measured.faces, measured.people) == (32, 8)


def test_a_clustering_at_a_rate_compares_no_two_blurred_faces(tmp_path: Path) -> None:
    protocol = PROTOCOLS["clustering"](save_people(tmp_path, 3, 4), fmr=1e-3)
    person = {"a stranger's photo, left out": "nobody"} | people_of(protocol.photos)
    photos = embedded(person)
    photos = replace(photos, blurred=np.array(["Person 001" in name for name in photos.names]))
    at_a_rate, by_threshold = (
        {row["photo"]: row["group"] for row in protocol.answers(photos, settings)}
        for settings in (Settings(rule=calibration("f" * 64)), Settings(threshold=0.5))
    )
    of_first = [name for name in at_a_rate if "Person 001" in name]
    assert len({at_a_rate[name] for name in of_first}) == 4
    assert len({by_threshold[name] for name in of_first}) == 1
    assert len(set(at_a_rate.values())) == 6


def test_a_clustering_takes_its_threshold_from_the_calibration(tmp_path: Path) -> None:
    protocol = PROTOCOLS["clustering"](save_people(tmp_path, 4, 3), fmr=1e-3)
    rule = calibration("f" * 64)
    photos = embedded(people_of(protocol.photos))
    evaluation = protocol.evaluate(photos, Settings(rule=rule, resamples=20))
    assert evaluation.data.facts["threshold"] == pytest.approx(rule.threshold(1e-3).similarity)
    assert evaluation.calibration == rule.summary()
    with pytest.raises(CalibrationError, match="no calibration"):
        protocol.evaluate(photos, QUICK)
    few = embedded({name: who for name, who in people_of(protocol.photos).items() if who == "Person 001"})
    with pytest.raises(ConfigError, match="fewer than two people"):
        protocol.evaluate(few, Settings(rule=rule))
    assert np.isfinite(evaluation.data.facts["threshold"])
