"""Drift on people made up, whose population is known to be the calibration's or another."""

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from made_calibration import made_calibration
from mien.decisions import Calibration, EncoderIdentity
from mien.evaluation import Drift, calibrate, drift_of_people, drift_of_probes, score_all_pairs

WIDTH = 64


def photos_of(people: int, photos: int, *, like: float = 0.0, seed: int = 0) -> tuple[NDArray[np.float32], list[str]]:
    """Photos of people who resemble each other the more, the greater `like` is."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), photos)
    faces = rng.standard_normal((people, WIDTH)) + like * np.random.default_rng(99).standard_normal(WIDTH)
    rows = faces[person] + 0.5 * rng.standard_normal((len(person), WIDTH))
    return rows.astype(np.float32), person.astype(str).tolist()


def of_people(calibration: Calibration, people: int, like: float = 0.0, seed: int = 0) -> Drift:
    return drift_of_people(calibration, score_all_pairs(*photos_of(people, 2, like=like, seed=seed)))


def of_probes(calibration: Calibration, *, mated: bool, like: float = 0.0, seed: int = 0) -> Drift:
    """100 probes of people in a gallery of 100, or of strangers."""
    embeddings, people = photos_of(200, 3, like=like, seed=seed)
    person = np.array([int(name) for name in people])
    templates = (person < 100) & (np.arange(600) % 3 > 0)
    probes = (person < 100 if mated else person >= 100) & (np.arange(600) % 3 == 0)
    owners = person[templates].astype(str).tolist()
    return drift_of_probes(calibration, embeddings[probes], embeddings[templates], owners)


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return calibrate(*photos_of(400, 2, seed=7), name="seven", encoder=EncoderIdentity("e", "e" * 64), data="made up")


@pytest.fixture(scope="module")
def alike() -> Calibration:
    return calibrate(*photos_of(300, 2, like=0.5), name="a", encoder=EncoderIdentity("e", "e" * 64), data="alike")


def test_the_same_population_seldom_raises_an_alarm(calibration: Calibration) -> None:
    alarms = [of_people(calibration, 60, seed=seed).drifted for seed in range(100, 160)]
    assert np.mean(alarms) <= 0.05


def test_people_who_are_more_alike_are_noticed(calibration: Calibration) -> None:
    for seed in range(5):
        drift = of_people(calibration, 60, like=0.4, seed=seed)
        assert drift.drifted
        assert drift.reason.startswith("drifted: where seven states a false match rate of 0.1 %")


def test_people_who_are_less_alike_are_noticed_too(alike: Calibration) -> None:
    drift = of_people(alike, 100)
    assert drift.drifted
    assert drift.rates[1].ratio.high < 1


def test_the_interval_of_the_ratio_holds_the_true_one(calibration: Calibration) -> None:
    many = score_all_pairs(*photos_of(1500, 1, like=0.3, seed=5))
    rates = [of_people(calibration, 80, like=0.3, seed=seed).rates[1] for seed in range(200, 240)]
    threshold = rates[0].threshold
    at = round((threshold + 1) * 2000)
    true = many.non_mated[at:].sum() / many.non_mated.sum() / rates[0].stated.value
    assert np.mean([rate.ratio.low <= true <= rate.ratio.high for rate in rates]) >= 0.9


def test_a_few_people_leave_it_open(calibration: Calibration) -> None:
    drift = of_people(calibration, 3, like=0.5)
    assert not drift.drifted
    assert drift.reason == "no rate to see a drift at: what seven states, 3 people can't confirm or deny"
    assert of_people(calibration, 60).reason.startswith("no drift seen: where seven states")


@pytest.mark.parametrize(("people", "like"), [(12, 3.0), (20, 20.0), (30, 60.0)])
def test_a_great_drift_is_seen_among_few_people(calibration: Calibration, people: int, like: float) -> None:
    assert all(of_people(calibration, people, like=like, seed=seed).drifted for seed in range(3))


def test_few_people_who_own_the_false_matches_raise_no_alarm(calibration: Calibration) -> None:
    alarms = 0
    for seed in range(40):
        embeddings, people = photos_of(60, 1, seed=seed)
        embeddings[:2] = embeddings[2] + 0.1 * embeddings[:2]  # three doubles: 3 of 1,770 pairs, at any threshold
        alarms += drift_of_people(calibration, score_all_pairs(embeddings, people)).drifted
    assert alarms <= 2


def test_one_probe_raises_no_alarm(calibration: Calibration) -> None:
    embeddings, people = photos_of(200, 1, like=0.5)
    for probe in range(10):
        drift = drift_of_probes(calibration, embeddings[probe : probe + 1], embeddings[10:], people[10:])
        assert drift.rates == ()


@pytest.mark.parametrize("mated", [True, False])
def test_probes_of_the_same_population_raise_no_alarm(calibration: Calibration, mated: bool) -> None:
    assert not any(of_probes(calibration, mated=mated, seed=seed).drifted for seed in range(20))


@pytest.mark.parametrize("mated", [True, False])
def test_probes_who_are_more_alike_are_noticed(calibration: Calibration, mated: bool) -> None:
    assert all(of_probes(calibration, mated=mated, like=0.5, seed=seed).drifted for seed in range(5))


def test_who_is_found_is_left_out(calibration: Calibration) -> None:
    embeddings, people = photos_of(100, 1)
    drift = drift_of_probes(calibration, embeddings, embeddings, people)
    units = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    others = (units @ units.T)[~np.eye(100, dtype=bool)]
    for rate in drift.rates:
        assert rate.observed.value == pytest.approx((others >= rate.threshold).mean(), abs=1e-12)
        assert rate.observed.low <= rate.observed.value <= rate.observed.high


@pytest.mark.parametrize("mated", [True, False])
def test_probes_who_are_less_alike_are_noticed_too(alike: Calibration, mated: bool) -> None:
    drift = of_probes(alike, mated=mated)
    assert drift.drifted
    assert drift.rates[1].ratio.high < 1


def test_rates_below_one_false_match_a_probe_are_not_looked_at(calibration: Calibration) -> None:
    assert [round(rate.stated.value, 3) for rate in of_probes(calibration, mated=True).rates] == [0.1, 0.01]


def test_it_is_json_ready(calibration: Calibration) -> None:
    content = json.loads(json.dumps(of_people(calibration, 60).to_dict(), allow_nan=False))
    assert content["calibration"] == "seven"
    assert content["rates"]
    assert [rate["drifted"] for rate in content["rates"]] == [False] * len(content["rates"])


def test_a_stranger_who_is_not_found_counts_with_everybody(calibration: Calibration) -> None:
    probes, _ = photos_of(40, 1, seed=1)
    templates, people = photos_of(100, 2, seed=2)
    a, b = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (probes, templates))
    for rate in drift_of_probes(calibration, probes, templates, people).rates:
        assert rate.observed.value == pytest.approx(((a @ b.T) >= rate.threshold).mean(), abs=2e-4)


def test_a_calibration_that_supports_nothing_can_show_nothing() -> None:
    drift = of_people(made_calibration(smallest_fmr=None), 5)
    assert drift.rates == ()
    assert drift.reason == "no rate to see a drift at: what made-up states, 5 people can't confirm or deny"


def test_a_stream_without_probes_or_others_is_a_mistake(calibration: Calibration) -> None:
    embeddings, people = photos_of(4, 1)
    for probes, templates, owners in (
        (embeddings[:0], embeddings, people),
        (embeddings, embeddings[:1], people[:1]),
        (embeddings, embeddings, people[:2]),
    ):
        with pytest.raises(ValueError, match="probes"):
            drift_of_probes(calibration, probes, templates, owners)
