import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score

from made_calibration import made_calibration
from mien.evaluation import Comparisons, Estimate, Measure, Unsupported, score_all_pairs, verification_measures
from mien.evaluation.measures.verification import RATES


def value(measure: Measure) -> float:
    assert isinstance(measure, Estimate), measure
    return measure.value


def drawn(count: int, seed: int = 0, *, people: int | None = None) -> Comparisons:
    """Half mated; similarities with ties; pairs of `people`, if any."""
    rng = np.random.default_rng(seed)
    mated = np.arange(count) % 2 == 0
    similarity = rng.normal(np.where(mated, 0.5, 0.1), 0.15).clip(-1, 1).round(3)
    if people is None:
        return Comparisons(similarity, mated)
    one = rng.integers(0, people, count)
    other = np.where(mated, one, (one + rng.integers(1, people, count)) % people)
    return Comparisons(similarity, mated, np.stack([one, other], axis=1))


def measures_in(result: Any) -> list[Measure]:
    if isinstance(result, Estimate | Unsupported):
        return [result]
    parts = result.values() if isinstance(result, Mapping) else vars(result).values()
    return [found for part in parts if not isinstance(part, int | float | tuple | None) for found in measures_in(part)]


@pytest.mark.parametrize("people", [None, 150])
def test_values_are_scikit_learns(people: int | None) -> None:
    scores = drawn(4000, people=people)
    measures = verification_measures(scores, threshold=0.3, resamples=20)
    assert value(measures.auc) == pytest.approx(roc_auc_score(scores.mated, scores.similarity), abs=1e-12)
    at, decided = measures.at_threshold, scores.similarity >= 0.3
    assert at is not None
    for measure, function in (
        (at.accuracy, accuracy_score),
        (at.precision, precision_score),
        (at.recall, recall_score),
        (at.f1, f1_score),
    ):
        assert value(measure) == pytest.approx(function(scores.mated, decided), abs=1e-12)
    assert value(at.fmr) == pytest.approx(decided[~scores.mated].mean(), abs=1e-12)
    assert value(at.fnmr) == pytest.approx(1 - decided[scores.mated].mean(), abs=1e-12)
    assert measures.best_threshold is not None
    best = (scores.similarity >= measures.best_threshold) == scores.mated
    assert value(measures.accuracy) == pytest.approx(best.mean(), abs=1e-12)


def test_rates_are_given_as_far_as_30_comparisons_support_them() -> None:
    measures = verification_measures(drawn(6000), resamples=20)
    assert set(measures.tar_at_far) == set(measures.fnmr_at_fmr) == set(measures.threshold_at_fmr) == set(RATES)
    assert isinstance(measures.tar_at_far["1e-2"], Estimate)
    assert measures.tar_at_far["1e-3"] == Unsupported(
        "not supported by 3,000 non-mated comparisons: a rate of 1e-3 needs 30,000"
    )
    for rate in ("1e-1", "1e-2"):
        threshold = value(measures.threshold_at_fmr[rate])
        scores = drawn(6000)
        assert (scores.similarity[~scores.mated] >= threshold).mean() <= float(rate)
        missed = (scores.similarity[scores.mated] < threshold).mean()
        assert value(measures.fnmr_at_fmr[rate]) == pytest.approx(missed, abs=1e-12)
        assert value(measures.tar_at_far[rate]) == pytest.approx(1 - missed, abs=1e-12)

    one = Comparisons(np.array([0.9, 0.1]), np.array([True, False]))
    refused = verification_measures(one, resamples=20).tar_at_far["1e-1"]
    assert refused == Unsupported("not supported by 1 non-mated comparison: a rate of 1e-1 needs 300")


@settings(max_examples=25)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 1000), st.booleans(), st.booleans())
def test_every_value_lies_in_its_interval_however_few_comparisons_there_are(
    mated: int, non_mated: int, seed: int, with_people: bool, failures: bool
) -> None:
    rng = np.random.default_rng(seed)
    kind = np.arange(mated + non_mated) < mated
    similarity = rng.integers(-3, 4, len(kind)) / 4 + kind / 4
    similarity[rng.random(len(kind)) < 0.1] = np.nan
    one = rng.integers(0, 5, len(kind))
    people = np.stack([one, np.where(kind, one, (one + 1) % 5)], axis=1) if with_people else None
    measures = verification_measures(
        Comparisons(similarity, kind, people),
        threshold=0.1,
        calibration=made_calibration(),
        failures_are_errors=failures,
        resamples=30,
    )
    shares = ("auc", "eer", "accuracy", "average_precision", "precision_at_recall_095", "min_cllr")
    for name in shares:
        measure = getattr(measures, name)
        assert isinstance(measure, Unsupported) or 0 <= measure.low <= measure.value <= measure.high, name
    curve = measures.curve
    for low, rate, high in (
        (curve.fmr_low, curve.fmr, curve.fmr_high),
        (curve.fnmr_low, curve.fnmr, curve.fnmr_high),
    ):
        if not np.isnan(rate).any():
            assert ((low >= 0) & (low <= rate) & (rate <= high) & (high <= 1)).all()
    json.dumps(measures.to_dict(), allow_nan=False)


def test_the_curve_has_its_exact_ends_and_few_points() -> None:
    scores = drawn(40_000)
    scores = Comparisons(scores.similarity + np.arange(40_000) * 1e-8, scores.mated)
    curve = verification_measures(scores, resamples=20).curve
    assert 500 < len(curve.thresholds) <= 1001
    assert (np.diff(curve.thresholds) < 0).all()
    assert (curve.fmr[0], curve.fnmr[0], curve.fmr[-1], curve.fnmr[-1]) == (0, 1, 1, 0)
    assert curve.thresholds[-1] == scores.similarity.min()
    assert curve.fmr_high[0] > 0
    for point in (1, 100, 400):
        at = scores.similarity >= curve.thresholds[point]
        assert curve.fmr[point] == pytest.approx(at[~scores.mated].mean(), abs=1e-12)
        assert curve.fnmr[point] == pytest.approx(1 - at[scores.mated].mean(), abs=1e-12)
    for rising in (curve.fmr, curve.fmr_low, curve.fmr_high, -curve.fnmr, -curve.fnmr_low, -curve.fnmr_high):
        assert (np.diff(rising) >= 0).all()


def test_bins_of_the_replicates_hardly_change_the_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = drawn(3000, people=400)
    scores = Comparisons(scores.similarity + np.arange(3000) * 1e-7, scores.mated, scores.people)
    coarse = verification_measures(scores, resamples=500)
    monkeypatch.setattr("mien.evaluation.measures.counted.MOST_BINS", 10_000)
    fine = verification_measures(scores, resamples=500)
    for name in ("auc", "eer", "accuracy", "average_precision", "min_cllr"):
        one, other = getattr(coarse, name), getattr(fine, name)
        assert one.value == other.value
        assert one.high - one.low == pytest.approx(other.high - other.low, rel=0.05)


def test_all_pairs_by_histograms_are_the_listed_ones_to_a_bin() -> None:
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(60), rng.integers(1, 6, 60))
    vectors = (rng.standard_normal((60, 8))[person] + 0.5 * rng.standard_normal((len(person), 8))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    i, j = np.triu_indices(len(person), 1)
    similarity = (vectors @ vectors.T)[i, j].astype(np.float64)
    listed = Comparisons(similarity, person[i] == person[j], np.stack([person[i], person[j]], axis=1))
    binned = score_all_pairs(vectors, [f"{number:02d}" for number in person])
    one, other = (verification_measures(scores, threshold=0.5, resamples=1000) for scores in (listed, binned))
    assert (one.mated, one.non_mated) == (other.mated, other.non_mated)
    for name in ("auc", "eer", "accuracy", "average_precision", "d_prime", "min_cllr"):
        a, b = getattr(one, name), getattr(other, name)
        assert a.value == pytest.approx(b.value, abs=2e-3), name
        assert a.high - a.low == pytest.approx(b.high - b.low, rel=0.35 if name == "accuracy" else 0.2), name
    assert one.at_threshold is not None
    assert other.at_threshold is not None
    for name in ("fmr", "fnmr", "accuracy"):
        a, b = getattr(one.at_threshold, name), getattr(other.at_threshold, name)
        assert a.value == pytest.approx(b.value, abs=1e-3), name
        assert a.high - a.low == pytest.approx(b.high - b.low, rel=0.2), name
    assert other.mated_histogram[0].sum() == other.mated
    assert other.non_mated_histogram[0].sum() == other.non_mated


def test_failures_are_counted_and_count_as_errors_only_where_asked() -> None:
    scores = drawn(2000)
    similarity = scores.similarity.copy()
    similarity[:10] = np.nan
    scores = Comparisons(similarity, scores.mated)
    plain, strict = (verification_measures(scores, failures_are_errors=asked, resamples=20) for asked in (False, True))
    assert (plain.mated, plain.non_mated, plain.mated_failed, plain.non_mated_failed) == (995, 995, 5, 5)
    assert (strict.mated, strict.non_mated, strict.mated_failed, strict.non_mated_failed) == (1000, 1000, 5, 5)
    assert strict.curve.fnmr[-1] == pytest.approx(0.005)
    assert strict.curve.fmr[-1] == pytest.approx(0.995)
    assert plain.curve.fnmr[-1] == 0


def test_likelihood_ratios_need_a_calibration_of_mated_comparisons() -> None:
    scores = drawn(400)
    for calibration in (None, made_calibration(mated=False)):
        measures = verification_measures(scores, calibration=calibration, resamples=20)
        assert isinstance(measures.cllr, Unsupported)
        assert isinstance(measures.calibration_error, Unsupported)
    measures = verification_measures(scores, calibration=made_calibration(), resamples=20)
    assert value(measures.cllr) >= value(measures.min_cllr)
    ratio = 20 * scores.similarity.clip(-0.4, 0.8) - 4
    cost = np.logaddexp(0, np.where(scores.mated, -ratio, ratio)) / np.log(2)
    assert value(measures.cllr) == pytest.approx((cost[scores.mated].mean() + cost[~scores.mated].mean()) / 2)


@pytest.mark.parametrize("kind", [True, False])
def test_one_kind_of_comparison_alone_supports_nothing(kind: bool) -> None:
    scores = Comparisons(np.array([0.1, 0.2]), np.full(2, kind))
    measures = verification_measures(scores, threshold=0.15, resamples=5)
    assert isinstance(measures.auc, Unsupported)
    assert "no non-mated comparisons" in measures.auc.reason if kind else "no mated" in measures.auc.reason
    assert measures.eer_threshold is None


def test_no_comparisons_at_all() -> None:
    measures = verification_measures(Comparisons(np.empty(0), np.empty(0, bool)), resamples=5)
    assert isinstance(measures.auc, Unsupported)
    json.dumps(measures.to_dict(), allow_nan=False)


def test_no_error_leaves_an_interval_that_allows_some() -> None:
    mated = np.arange(200) < 100
    measures = verification_measures(Comparisons(mated.astype(np.float64), mated), threshold=0.5, resamples=50)
    assert measures.at_threshold is not None
    fmr, auc = measures.at_threshold.fmr, measures.auc
    assert isinstance(fmr, Estimate)
    assert isinstance(auc, Estimate)
    assert (fmr.value, auc.value) == (0, 1)
    assert 0.03 < fmr.high < 0.05
    assert auc.low < 0.99


def test_the_same_seed_gives_the_same_and_another_seed_another_interval() -> None:
    scores = drawn(500, people=60)
    one, same, other = (verification_measures(scores, resamples=100, seed=seed).to_dict() for seed in (1, 1, 2))
    assert one == same
    assert one["auc"] != other["auc"]
    assert one["auc"]["value"] == other["auc"]["value"]


def test_people_with_many_comparisons_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    effect = rng.normal(0, 0.2, 40)
    person = rng.integers(0, 40, 4000)
    mated = np.arange(4000) < 2000
    other = np.where(mated, person, (person + rng.integers(1, 40, 4000)) % 40)
    noise: NDArray[np.float64] = rng.normal(0, 0.1, 4000)
    similarity = np.where(mated, 0.5 + effect[person], 0.25 * (effect[person] + effect[other])) + noise
    known, unknown = (
        verification_measures(Comparisons(similarity, mated, people), resamples=200).auc
        for people in (np.stack([person, other], axis=1), None)
    )
    assert isinstance(known, Estimate)
    assert isinstance(unknown, Estimate)
    assert known.high - known.low > 3 * (unknown.high - unknown.low)


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1.0, 1e100])
def test_no_scale_of_similarities_is_too_small_or_great(scale: float) -> None:
    plain = drawn(400)
    scaled = Comparisons(plain.similarity * scale, plain.mated)
    one, other = (verification_measures(scores, resamples=20) for scores in (plain, scaled))
    assert value(other.d_prime) == pytest.approx(value(one.d_prime), rel=1e-9)
    assert other.eer_threshold == pytest.approx(one.eer_threshold * scale if one.eer_threshold else None, rel=1e-9)
    assert other.mated_histogram[0].sum() == 200


@pytest.mark.parametrize("pair", [(0.5, np.nextafter(0.5, 1)), (5e-324, 1e-323), (1e17, 1e17), (0.0, 0.0)])
def test_similarities_too_close_for_a_histogram(pair: tuple[float, float]) -> None:
    found = verification_measures(Comparisons(np.array(pair), np.array([False, True])), resamples=20)
    assert (found.mated_histogram[0].sum(), found.non_mated_histogram[0].sum()) == (1, 1)
    assert (np.diff(found.mated_histogram[1]) > 0).all()


def test_intervals_stay_where_the_measure_can_be() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        scores = Comparisons(rng.normal(size=30), np.arange(30) < 11)
        found = verification_measures(scores, resamples=50)
        for measure, most in ((found.d_prime, np.inf), (found.min_cllr, 1)):
            assert isinstance(measure, Estimate)
            assert 0 <= measure.low <= measure.high <= most


def test_all_pairs_of_one_photo_are_none() -> None:
    found = verification_measures(score_all_pairs(np.ones((1, 8), np.float32), ["a"]), resamples=20)
    assert found.auc == Unsupported("there are no mated comparisons")


def test_rates_of_one_kind_need_no_comparison_of_the_other() -> None:
    scores = drawn(200)
    for kind, known, refused in ((scores.mated, "fnmr", "fmr"), (~scores.mated, "fmr", "fnmr")):
        only = Comparisons(scores.similarity[kind], scores.mated[kind])
        at = verification_measures(only, threshold=0.3, resamples=50).at_threshold
        assert at is not None
        expected = (only.similarity >= 0.3).mean()
        assert value(getattr(at, known)) == pytest.approx(expected if known == "fmr" else 1 - expected)
        assert getattr(at, known).low < value(getattr(at, known)) < getattr(at, known).high
        assert isinstance(getattr(at, refused), Unsupported)
        assert isinstance(at.accuracy, Unsupported)


def test_few_mated_people_leave_the_precision_open_but_not_absurd() -> None:
    rng = np.random.default_rng(0)
    person = np.array([[a, b] for a in range(40) for b in range(a + 1, 40)])
    similarity, mated = rng.normal(0.1, 0.1, len(person)), np.zeros(len(person), np.bool_)
    one = np.repeat(np.arange(4), 10)
    scores = Comparisons(
        np.concatenate([similarity, rng.normal(0.4, 0.05, len(one))]),
        np.concatenate([mated, np.ones(len(one), np.bool_)]),
        np.concatenate([person, np.stack([one, one], axis=1)]),
    )
    precision = verification_measures(scores, resamples=400).precision_at_recall_095
    assert isinstance(precision, Estimate)
    assert precision.low > 0.5, "draws that hold none of the four have no precision of 0 or 1"


def test_a_half_of_two_people_tells_nothing() -> None:
    rng = np.random.default_rng(0)
    person = np.repeat([0, 1], 20)
    i, j = np.triu_indices(40, 1)
    mated = person[i] == person[j]
    measures = verification_measures(
        Comparisons(rng.normal(0.6 * mated, 0.2), mated, np.stack([person[i], person[j]], axis=1)), resamples=50
    )
    for measure in (measures.d_prime, measures.threshold_at_fmr["1e-1"]):
        assert isinstance(measure, Unsupported)
        assert "too few people" in measure.reason
    assert isinstance(measures.auc, Estimate)
    assert measures.auc.high - measures.auc.low > 0.5


def test_costs_that_no_draw_changes_have_no_interval() -> None:
    mated = np.arange(400) % 2 == 0
    people = np.repeat(np.arange(200), 2)
    apart = Comparisons(mated.astype(np.float64), mated, np.stack([people, people + ~mated], axis=1))
    same = Comparisons(np.zeros(400), mated, np.stack([people, people + ~mated], axis=1))
    for scores in (apart, same):
        found = verification_measures(scores, resamples=50).min_cllr
        assert isinstance(found, Unsupported)
        assert "same in every draw" in found.reason


@pytest.mark.parametrize(("asked", "counted"), [(0.30012, 0.3005), (0.3005, 0.3005), (-2.0, -1.0), (1.5, 1.5)])
def test_all_pairs_state_the_threshold_that_they_are_counted_at(asked: float, counted: float) -> None:
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(30), 4)
    vectors = rng.normal(size=(30, 24))[person] + rng.normal(size=(120, 24))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    scores = score_all_pairs(vectors, [f"{number:02d}" for number in person])
    at = verification_measures(scores, threshold=asked, resamples=20).at_threshold
    assert at is not None
    assert at.threshold == counted
    i, j = np.triu_indices(120, 1)
    similarity = np.einsum("nd,nd->n", vectors[i].astype(np.float64), vectors[j])
    apart = person[i] != person[j]
    assert value(at.fmr) == pytest.approx((similarity[apart] >= counted).mean(), abs=1e-9)
    assert value(at.fnmr) == pytest.approx((similarity[~apart] < counted).mean(), abs=1e-9)


@pytest.mark.parametrize(("count", "apart", "truth"), [(300, 0.8, 0.0019), (300, 2.0, 0.543), (100, 3.0, 0.908)])
def test_a_recall_that_a_handful_of_comparisons_decide_is_covered(count: int, apart: float, truth: float) -> None:
    """Truths are those of 300 times as many comparisons; by its variance over draws 62 to 95 % were covered."""
    held = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        similarity = np.concatenate([rng.normal(apart, 1, count), rng.normal(0, 1, count)])
        measures = verification_measures(Comparisons(similarity, np.arange(2 * count) < count), resamples=60)
        recall = measures.recall_at_precision_095
        assert isinstance(recall, Estimate)
        held.append(recall.low <= truth <= recall.high)
    assert np.mean(held) >= 0.93


def test_a_precision_that_is_surely_reached_leaves_the_recall_its_own_interval() -> None:
    """Mated and non-mated comparisons stand apart: the precision is out of question, and only the recall is unsure."""
    similarity = np.concatenate([np.linspace(0.5, 0.9, 1000), np.linspace(-0.3, 0.3, 1000)])
    measures = verification_measures(Comparisons(similarity, np.arange(2000) < 1000), resamples=100)
    recall = measures.recall_at_precision_095
    assert isinstance(recall, Estimate)
    assert recall.value == recall.high == 1
    assert recall.low == pytest.approx(1 - 3.7e-3, abs=2e-4)  # Clopper–Pearson of none in 1,000


@pytest.mark.parametrize(
    ("mated", "whose"),
    [([0.05], None), ([0.05, 0.06], None), ([0.05], [0]), ([0.05, 0.06], [0, 1]), ([0.05] * 5, [0] * 5)],
)
def test_one_or_two_people_leave_nearly_everything_open(mated: list[float], whose: list[int] | None) -> None:
    """How alike two photos of others are can't be told from them, however many non-mated comparisons there are."""
    rng = np.random.default_rng(0)
    similarity = np.concatenate([mated, rng.normal(0, 0.1, 3000)])
    is_mated = np.arange(len(similarity)) < len(mated)
    people = None
    if whose is not None:
        one = np.concatenate([whose, rng.integers(2, 100, 3000)])
        people = np.stack([one, np.where(is_mated, one, one + 100)], axis=1)
    found = verification_measures(Comparisons(similarity, is_mated, people), threshold=0, resamples=50)
    assert found.at_threshold is not None
    for share in (found.auc, found.eer, found.accuracy, found.average_precision, found.at_threshold.f1):
        assert isinstance(share, Estimate)
        assert share.low < 0.01
        assert share.high > 0.99
    for measure in (found.d_prime, found.min_cllr):
        assert isinstance(measure, Unsupported)
    threshold = found.threshold_at_fmr["1e-1"]
    assert isinstance(threshold, Estimate), "the non-mated comparisons alone decide it"


@pytest.mark.parametrize(("people", "enough"), [(9, False), (12, True)])
def test_a_map_fits_few_people_too_well(people: int, enough: bool) -> None:
    """Simulated, the least Cllr's interval held the truth in 76 to 83 % of sets of 8 to 15 people."""
    rng = np.random.default_rng(1)
    similarity = np.concatenate([rng.normal(0.3, 0.2, people), rng.normal(0, 0.2, 3000)])
    found = verification_measures(Comparisons(similarity, np.arange(len(similarity)) < people), resamples=50)
    assert isinstance(found.min_cllr, Estimate) == enough
    assert isinstance(found.d_prime, Estimate)
