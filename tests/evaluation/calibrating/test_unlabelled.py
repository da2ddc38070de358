"""Photos without labels: what they give is judged with the labels that the calibration did not see."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.decisions import Calibration, EncoderIdentity
from mien.errors import CalibrationError
from mien.evaluation import calibrate, calibrate_unlabelled
from mien.evaluation.calibrating import unlabelled

WIDTH = 128


def photos_of(
    people: int, photos: int, *, noise: float = 0.6, like: float = 0.0, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Photos scattered around people, who are scattered around `like` times one face that all resemble."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), photos)
    faces = rng.standard_normal((people, WIDTH)) + like * np.random.default_rng(99).standard_normal(WIDTH)
    rows = faces[person] + noise * rng.standard_normal((len(person), WIDTH))
    return rows.astype(np.float32), person


def strangers_alike(count: int, spread: float, seed: int) -> NDArray[np.float32]:
    """One photo of each of many people, whom ten traits tell apart above all: some pairs look like one person."""
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((count, WIDTH)) * np.where(np.arange(WIDTH) < 10, spread, 1)).astype(np.float32)


def got(calibration: Calibration, fmr: float, strangers: NDArray[np.float32]) -> float:
    """The share of pairs of these strangers at or above the threshold, over the asked rate."""
    units = strangers / np.linalg.norm(strangers, axis=1, keepdims=True)
    similarity = (units @ units.T)[np.triu_indices(len(units), 1)]
    return float((similarity >= calibration.threshold(fmr).similarity).mean() / fmr)


@pytest.fixture(scope="module")
def known() -> Calibration:
    embeddings, person = photos_of(300, 2, seed=7)
    return calibrate(
        embeddings, person.astype(str).tolist(), name="known", encoder=EncoderIdentity("e", "e" * 64), data="known"
    )


def measured(embeddings: NDArray[np.float32], known: Calibration, **options: object) -> Calibration:
    return calibrate_unlabelled(embeddings, known, name="own", data="found", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("people", "photos"), [(100, 6), (250, 2), (500, 1)])
@pytest.mark.parametrize("like", [0.0, 0.25])
def test_other_people_match_as_often_as_asked(known: Calibration, people: int, photos: int, like: float) -> None:
    calibration = measured(photos_of(people, photos, like=like, seed=1)[0], known)
    others = photos_of(1200, 1, like=like, seed=2)[0]
    assert 0.67 < got(calibration, 0.01, others) < 1.5
    if like:
        assert got(known, 0.01, others) > 1.5


def test_what_it_says_of_itself(known: Calibration) -> None:
    embeddings, _ = photos_of(100, 5, seed=1)
    calibration = measured(embeddings, known, photos=["a", "b"], photos_without_face=3, command="mien calibrate")
    assert calibration.encoder == known.encoder
    assert (calibration.people, calibration.photos, calibration.data.photos_without_face) == (100, 500, 3)
    assert 0.99 * 100 * 99 // 2 * 25 < calibration.non_mated <= 100 * 99 // 2 * 25
    assert (calibration.mated, calibration.false_non_match, calibration.likelihood) == (0, None, None)
    assert calibration.data.name == "found, unlabelled"
    assert calibration.made["command"] == "mien calibrate"


def test_groups_that_are_sure_give_the_rates_that_labels_give(known: Calibration) -> None:
    embeddings, person = photos_of(80, 5, noise=0.3, seed=3)
    calibration = measured(embeddings, known)
    units = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    first, second = np.triu_indices(len(units), 1)
    non_mated = (units @ units.T)[first, second][person[first] != person[second]]
    for similarity in (-0.1, 0.0, 0.1):
        rate = calibration.fmr(similarity)
        assert rate.value == pytest.approx((non_mated >= similarity).mean(), rel=0.02)
        assert rate.low < rate.value < rate.high


def test_it_survives_the_file(known: Calibration, tmp_path: Path) -> None:
    calibration = measured(photos_of(300, 1, seed=1)[0], known)
    calibration.save(tmp_path / "own.json")
    assert Calibration.load(tmp_path / "own.json") == calibration


@pytest.mark.parametrize("spread", [1.5, 2.0, 2.5])
def test_strangers_more_alike_than_the_known_ones_match_as_often_as_asked(known: Calibration, spread: float) -> None:
    others = strangers_alike(1200, spread, seed=2)
    calibration = measured(strangers_alike(500, spread, seed=1), known)
    assert 0.67 < got(calibration, 0.01, others) < 1.5
    assert got(known, 0.01, others) > got(calibration, 0.01, others)


@pytest.mark.parametrize("spread", [3.0, 4.0, 6.0, 12.0])
def test_strangers_as_alike_as_one_persons_photos_are_refused(known: Calibration, spread: float) -> None:
    assert got(known, 0.01, strangers_alike(1200, spread, seed=2)) > 5
    with pytest.raises(CalibrationError, match="a folder for each") as caught:
        measured(strangers_alike(500, spread, seed=1), known)
    assert caught.value.code in {"calibration.unclear-people", "calibration.unlike-known"}


@pytest.mark.parametrize("noise", [1.4, 1.8, 2.2])
def test_where_people_are_hardly_known_again_it_errs_on_the_safe_side(known: Calibration, noise: float) -> None:
    calibration = measured(photos_of(60, 8, noise=noise, seed=1)[0], known)
    others = photos_of(1200, 1, noise=noise, seed=2)[0]
    assert got(calibration, 0.02, others) < 1.2


@pytest.mark.parametrize("photos", [0, 1, 2, 3, 30])
def test_few_photos_are_refused(known: Calibration, photos: int) -> None:
    with pytest.raises(CalibrationError) as caught:
        measured(photos_of(max(photos, 1), 1)[0][:photos], known)
    assert caught.value.code == "calibration.too-few-photos"


def test_many_photos_of_few_people_are_too_few(known: Calibration) -> None:
    with pytest.raises(CalibrationError, match="photos fall into 4 groups"):
        measured(photos_of(4, 50)[0], known)


def test_a_rate_that_the_groups_do_not_support_is_refused(known: Calibration) -> None:
    calibration = measured(photos_of(150, 2, seed=1)[0], known)
    with pytest.raises(CalibrationError, match="not supported"):
        calibration.threshold(1e-6)


def test_faces_of_one_photo_are_different_people(known: Calibration) -> None:
    embeddings, _ = photos_of(200, 1, seed=1)
    twins = embeddings + 0.1 * np.random.default_rng(0).standard_normal(embeddings.shape).astype(np.float32)
    both, together = np.concatenate([embeddings, twins]), np.tile(np.arange(200), 2)
    assert measured(both, known).fmr(0.8).high < 200 / (400 * 399 / 2)
    assert measured(both, known, photo_of_face=together).fmr(0.8).value == pytest.approx(
        200 / (400 * 399 / 2), rel=0.05
    )


def test_more_photos_than_needed_are_sampled(known: Calibration, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unlabelled, "MOST_PHOTOS", 300)
    embeddings, _ = photos_of(600, 1, seed=1)
    one, again, other = (measured(embeddings, known, seed=seed) for seed in (0, 0, 1))
    assert one.photos == 300
    assert one == again != other


@pytest.mark.parametrize("broken", [0.0, np.nan, np.inf])
def test_embeddings_that_are_none_are_a_mistake(known: Calibration, broken: float) -> None:
    embeddings, _ = photos_of(50, 1)
    embeddings[3] = broken
    with pytest.raises(ValueError, match="zero or not finite"):
        measured(embeddings, known)
