import hashlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.decisions import Calibration, EncoderIdentity, identify, verify
from mien.errors import CalibrationError
from mien.evaluation import (
    calibrate,
    false_match_rates,
    false_non_match_rates,
    list_sha256,
    measure_false_matches,
    score_all_pairs,
)

ENCODER = EncoderIdentity("made-up", "e" * 64)


def photos_of(people: int, photos: int, noise: float = 0.5, seed: int = 0) -> tuple[NDArray[np.float32], list[str]]:
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), photos)
    rows = rng.standard_normal((people, 24))[person] + noise * rng.standard_normal((len(person), 24))
    return rows.astype(np.float32), [f"person {number:03d}" for number in person]


def calibrated(embeddings: NDArray[np.float32], people: list[str]) -> Calibration:
    return calibrate(embeddings, people, name="made-up", encoder=ENCODER, data="nobody", command="mien calibrate")


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return calibrated(*photos_of(120, 3))


def test_it_states_what_it_was_made_of(calibration: Calibration) -> None:
    assert (calibration.people, calibration.photos, calibration.mated) == (120, 360, 120 * 3)
    assert calibration.non_mated == 120 * 119 // 2 * 9
    assert calibration.data.mated_people == 120
    assert calibration.encoder == ENCODER
    assert calibration.score == {"metric": "cosine"}
    assert set(calibration.made) == {"date", "command", "version"}


def test_its_rates_are_the_measured_ones(calibration: Calibration) -> None:
    scores = score_all_pairs(*photos_of(120, 3))
    false_match, false_non_match = false_match_rates(scores), false_non_match_rates(scores)
    for similarity in (-0.5, 0.0, 0.3, 0.6):
        at = round((similarity + 1) * 2000)
        for stated, measured in (
            (calibration.fmr(similarity), false_match),
            (calibration.fnmr(similarity), false_non_match),
        ):
            assert stated.value == pytest.approx(measured.curve.value[at], rel=1e-5)
            assert stated.low == pytest.approx(measured.curve.low[at], rel=1e-5, abs=1e-12)
            assert stated.high == pytest.approx(measured.curve.high[at], rel=1e-5)
    assert calibration.smallest_fmr == pytest.approx(measure_false_matches(scores).smallest_counted, rel=1e-5)


def test_the_smallest_rate_can_be_asked_for_and_a_smaller_one_not(calibration: Calibration) -> None:
    counted, smallest = calibration.smallest_fmr, calibration.smallest_supported_fmr
    assert counted is not None
    assert smallest is not None
    assert 1e-4 < counted < 1e-2
    assert counted / 11 < smallest < counted / 9
    assert calibration.threshold(smallest).fmr.value == pytest.approx(smallest)
    assert calibration.threshold(smallest).high < 0.95
    with pytest.raises(CalibrationError, match="not supported"):
        calibration.threshold(smallest * 0.99)


def test_a_rate_that_is_modelled_says_so(calibration: Calibration) -> None:
    assert calibration.smallest_fmr is not None
    counted, modelled = (verify(0.9, calibration, fmr=calibration.smallest_fmr * times) for times in (1.1, 0.5))
    assert "extrapolated" not in counted.reason
    assert modelled.reason.endswith("people (nobody), and extrapolated from the most alike of them")
    assert counted.fmr is not None
    assert modelled.fmr is not None
    assert modelled.fmr.high / modelled.fmr.value > counted.fmr.high / counted.fmr.value


def test_decisions_on_other_people_are_wrong_as_often_as_stated(calibration: Calibration) -> None:
    embeddings, people = photos_of(300, 2, seed=1)
    similarity = score_all_pairs(embeddings, people)
    threshold = calibration.threshold(0.01)
    at = round((threshold.similarity + 1) * 2000)
    assert false_match_rates(similarity).curve.value[at] == pytest.approx(0.01, rel=0.25)
    assert verify(0.9, calibration, fmr=0.01).decision == "match"
    assert verify(0.0, calibration, fmr=0.01).decision == "no_match"


def test_a_stranger_matches_somebody_no_more_often_than_asked(calibration: Calibration) -> None:
    embeddings, _ = photos_of(520, 1, seed=2)
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    similarity = unit[20:] @ unit[:20].T
    named = 0
    for row in similarity:
        candidates = [(str(person), float(alike)) for person, alike in enumerate(row)]
        named += identify(candidates, 20, calibration, fpir=0.1).decision != "unknown"
    assert 0.05 < named / 500 < 0.14


def test_it_survives_the_file(calibration: Calibration, tmp_path: Path) -> None:
    calibration.save(tmp_path / "a.json")
    assert Calibration.load(tmp_path / "a.json") == calibration
    assert (tmp_path / "a.json").stat().st_size < 200_000


def test_the_same_photos_in_another_order_give_the_same_list_hash() -> None:
    expected = hashlib.sha256(b"a/1.jpg\na/2.jpg\n").hexdigest()
    assert list_sha256(["a/2.jpg", "a/1.jpg"]) == list_sha256(["a/1.jpg", "a/2.jpg"]) == expected


def test_a_list_of_names_that_are_no_unicode_has_a_hash() -> None:
    assert len({list_sha256([name]) for name in ("\udcff.jpg", "\udcfe.jpg", ".jpg")}) == 3


def test_one_photo_a_person_calibrates_false_matches_only() -> None:
    strangers = calibrated(*photos_of(100, 1))
    assert (strangers.mated, strangers.false_non_match, strangers.likelihood) == (0, None, None)
    assert strangers.threshold(0.05).fmr.value == pytest.approx(0.05)
    assert verify(0.9, strangers, fmr=0.05).probability is None


def test_two_photos_of_two_people_support_nothing() -> None:
    tiny = calibrated(np.eye(2, 5, dtype=np.float32), ["a", "b"])
    assert tiny.smallest_fmr is None
    with pytest.raises(CalibrationError, match="1 non-mated comparison of 2 people"):
        tiny.threshold(0.5)


@pytest.mark.parametrize("people", [[], ["a"], ["a", "a"]])
def test_a_false_match_takes_two_people(people: list[str]) -> None:
    with pytest.raises(CalibrationError) as caught:
        calibrated(np.ones((len(people), 4), np.float32), people)
    assert caught.value.code == "calibration.too-few-people"


def test_what_does_not_fit_is_a_mistake() -> None:
    embeddings, people = photos_of(3, 2)
    with pytest.raises(ValueError, match="names for"):
        calibrate(embeddings, people, name="", encoder=ENCODER, data="", photos=["a.jpg"])
    with pytest.raises(ValueError, match="not finite"):
        calibrated(embeddings * np.nan, people)
