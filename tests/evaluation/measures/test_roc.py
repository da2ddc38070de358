import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from mien.evaluation.measures import roc
from mien.evaluation.measures.counted import count_listed
from mien.evaluation.measures.roc import Roc

Floats = NDArray[np.float64]


def curve_of(similarity: Floats, mated: NDArray[np.bool_], *, failures_are_errors: bool = True) -> Roc:
    return count_listed(similarity, mated, None, failures_are_errors=failures_are_errors).roc


@st.composite
def scores(draw: st.DrawFn, ties: bool = True) -> tuple[Floats, NDArray[np.bool_]]:
    """Similarities with many ties, one comparison of each kind at least."""
    count = draw(st.integers(2, 60))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    mated = rng.permutation(np.arange(count) < draw(st.integers(1, count - 1)))
    if ties:
        return rng.integers(-5, 5, count) / 4 + mated / 2, mated
    return 2.0 * rng.permutation(count) + (count | 1) * mated, mated


@given(scores())
def test_the_curve_is_scikit_learns(given: tuple[Floats, NDArray[np.bool_]]) -> None:
    similarity, mated = given
    curve = curve_of(similarity, mated)
    fmr, tmr, thresholds = roc_curve(mated, similarity, drop_intermediate=False)
    np.testing.assert_array_equal(curve.fmr, fmr)
    np.testing.assert_array_equal(curve.tmr, tmr)
    np.testing.assert_array_equal(curve.threshold[1:], thresholds[1:])
    precision, recall, _ = precision_recall_curve(mated, similarity)
    np.testing.assert_allclose(curve.precision[1:], precision[-2::-1], atol=1e-12)
    assert roc.auc(curve) == pytest.approx(roc_auc_score(mated, similarity), abs=1e-12)
    assert roc.average_precision(curve) == pytest.approx(average_precision_score(mated, similarity), abs=1e-12)
    assert roc.precision_at_recall(curve, 0.95) == pytest.approx(precision[recall >= 0.95].max(), abs=1e-12)
    assert roc.recall_at_precision(curve, 0.95) == pytest.approx(recall[precision >= 0.95].max(), abs=1e-12)


@given(scores())
def test_values_by_counting_each_threshold(given: tuple[Floats, NDArray[np.bool_]]) -> None:
    similarity, mated = given
    curve = curve_of(similarity, mated)
    one, other = similarity[mated], similarity[~mated]
    u = stats.mannwhitneyu(one, other).statistic
    assert roc.auc(curve) == pytest.approx(u / (len(one) * len(other)), abs=1e-12)
    thresholds = [*np.unique(similarity), np.inf]
    assert curve.accuracy.max() == pytest.approx(max(((similarity >= t) == mated).mean() for t in thresholds))
    for rate in (0.5, 0.1, 0.01):
        lowest = min(t for t in thresholds if (other >= t).mean() <= rate)
        found = roc.at_point(curve.tmr, roc.point_at_fmr(curve, rate))
        assert found == pytest.approx((one >= lowest).mean())
    for threshold in (-0.4, 0.0, 0.25, 0.8):
        point = curve.point(threshold)
        assert curve.fmr[point] == pytest.approx((other >= threshold).mean())
        assert curve.fnmr[point] == pytest.approx((one < threshold).mean())
    if len(one) > 1 and len(other) > 1 and one.std() + other.std() > 0:
        expected = abs(one.mean() - other.mean()) / np.sqrt((one.var() + other.var()) / 2)
        assert roc.d_prime(curve) == pytest.approx(expected, abs=1e-9)


@given(scores(ties=False))
def test_the_equal_error_rate_lies_on_the_curve_between_two_points(given: tuple[Floats, NDArray[np.bool_]]) -> None:
    curve = curve_of(*given)
    rate, threshold = (float(number) for number in roc.equal_error_rate(curve))
    fnmr_there = np.interp(rate, curve.fmr, curve.fnmr) if np.all(np.diff(curve.fmr) > 0) else rate
    assert fnmr_there == pytest.approx(rate)
    point = curve.point(threshold)
    assert curve.fmr[point] <= rate + 1e-12
    assert curve.fnmr[point] >= rate - 1e-12


def test_the_equal_error_rate_of_two_normals() -> None:
    grid = np.arange(0.5, 100_000) / 100_000
    similarity = np.concatenate([stats.norm.ppf(grid) + 2, stats.norm.ppf(grid)])
    rate, threshold = roc.equal_error_rate(curve_of(similarity, np.arange(200_000) < 100_000))
    assert rate == pytest.approx(stats.norm.cdf(-1), abs=1e-5)
    assert threshold == pytest.approx(1, abs=1e-4)


@given(scores(), st.sampled_from([np.exp, np.arctan, lambda x: 3 * x - 7, lambda x: x**3 + x]))
def test_a_rising_map_of_the_similarities_changes_no_rate(given: tuple[Floats, NDArray[np.bool_]], rising) -> None:  # type: ignore[no-untyped-def]
    similarity, mated = given
    one, other = curve_of(similarity, mated), curve_of(rising(similarity), mated)
    np.testing.assert_array_equal(one.fmr, other.fmr)
    np.testing.assert_array_equal(one.tmr, other.tmr)


@given(scores())
def test_exchanging_the_kinds_turns_the_area_and_keeps_the_equal_error_rate(
    given: tuple[Floats, NDArray[np.bool_]],
) -> None:
    similarity, mated = given
    one, turned, mirrored = (
        curve_of(similarity, mated),
        curve_of(similarity, ~mated),
        curve_of(-similarity, ~mated),
    )
    assert roc.auc(turned) == pytest.approx(1 - roc.auc(one), abs=1e-12)
    assert roc.auc(mirrored) == pytest.approx(roc.auc(one), abs=1e-12)
    assert roc.equal_error_rate(mirrored)[0] == pytest.approx(roc.equal_error_rate(one)[0], abs=1e-12)


@given(scores())
def test_rates_are_monotone_and_reach_both_ends(given: tuple[Floats, NDArray[np.bool_]]) -> None:
    curve = curve_of(*given)
    assert (np.diff(curve.fmr) >= 0).all()
    assert (np.diff(curve.fnmr) <= 0).all()
    assert (curve.fmr[0], curve.fmr[-1], curve.fnmr[0], curve.fnmr[-1]) == (0, 1, 1, 0)


def test_all_equal_similarities_tell_nothing() -> None:
    curve = curve_of(np.full(10, 0.5), np.arange(10) < 4)
    assert roc.auc(curve) == 0.5
    assert roc.equal_error_rate(curve)[0] == pytest.approx(0.5)
    assert np.isnan(roc.d_prime(curve))


def test_kinds_apart_are_told_apart() -> None:
    curve = curve_of(np.arange(10.0), np.arange(10) >= 5)
    assert [float(roc.auc(curve)), float(roc.equal_error_rate(curve)[0]), curve.accuracy.max()] == [1, 0, 1]
    assert 4 < curve.threshold[curve.accuracy.argmax()] <= 5


def test_a_failure_is_below_every_threshold() -> None:
    similarity = np.array([0.9, 0.8, np.nan, 0.1, 0.2, np.nan])
    mated = np.arange(6) < 3
    curve = curve_of(similarity, mated)
    lowest = curve_of(np.nan_to_num(similarity, nan=-9), mated)
    assert roc.auc(curve) == roc.auc(lowest) == pytest.approx(6.5 / 9)
    assert curve.fnmr[-1] == pytest.approx(1 / 3)
    assert curve.fmr[-1] == pytest.approx(2 / 3)
    assert curve.accuracy.max() == pytest.approx(5 / 6)
    assert roc.precision_at_recall(curve, 0.95) == 0
    left_out = curve_of(similarity, mated, failures_are_errors=False)
    assert [float(roc.auc(left_out)), left_out.fnmr[-1], left_out.fmr[-1]] == [1, 0, 1]


@given(scores(), st.integers(0, 1000))
def test_replicates_are_measured_as_each_by_itself(given: tuple[Floats, NDArray[np.bool_]], seed: int) -> None:
    curve = curve_of(*given)
    times = np.random.default_rng(seed).integers(0, 3, (4, 2, len(curve.similarity)))
    mated, non_mated = 1 + times[:, 0] * curve.mated, 1 + times[:, 1] * curve.non_mated
    none = np.zeros(4)
    together = Roc(curve.similarity, mated, non_mated, none, none)
    for row in range(4):
        alone = Roc(curve.similarity, mated[row], non_mated[row], none[0], none[0])
        for measure in (roc.auc, roc.average_precision, roc.d_prime, lambda c: roc.equal_error_rate(c)[0]):
            assert measure(together)[row] == pytest.approx(float(measure(alone)), nan_ok=True)
