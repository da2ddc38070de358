import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mien.evaluation import clopper_pearson, wilson
from mien.evaluation.intervals.proportions import effective_trials

counts = st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_equal_to_scipy(count: tuple[int, int], confidence: float) -> None:
    errors, trials = count
    test = stats.binomtest(errors, trials)
    for interval, method in ((clopper_pearson, "exact"), (wilson, "wilson")):
        mine, theirs = interval(errors, trials, confidence), test.proportion_ci(confidence, method)  # type: ignore[arg-type]
        assert mine.value == errors / trials
        assert (mine.low, mine.high) == pytest.approx((theirs.low, theirs.high), rel=1e-7, abs=1e-12)


def test_nothing_seen_gives_the_rule_of_three() -> None:
    assert clopper_pearson(0, 10_000, 0.90).high == pytest.approx(3e-4, rel=2e-3)
    assert clopper_pearson(0, 10).low == 0
    assert clopper_pearson(10, 10).high == 1


def test_an_effective_number_may_be_fractional() -> None:
    low, middle, high = (clopper_pearson(k, 20.0).high for k in (1, 1.5, 2))
    assert low < middle < high


@pytest.mark.parametrize(("errors", "trials"), [(1, 0), (-1, 5), (6, 5), (math.nan, 5), (1, math.nan)])
def test_no_rate(errors: float, trials: float) -> None:
    for interval in (clopper_pearson, wilson):
        with pytest.raises(ValueError, match="no rate"):
            interval(errors, trials)


def test_effective_trials_of_independent_people_is_their_number() -> None:
    rng = np.random.default_rng(0)
    wrong = (rng.random((10_000, 1)) < 0.2).astype(float)
    rate = wrong.mean(axis=0)
    influence = wrong - rate
    variance = (influence**2).sum(axis=0) / (10_000 * 9_999)
    effective = effective_trials(rate, influence, variance, bounds=(1, 10**9), lend=False)
    assert effective == pytest.approx([10_000], rel=0.01)


def test_effective_trials_stay_within_what_is_possible_and_shrink_with_few_people() -> None:
    influence = np.array([[0.5], [-0.5], [0.5], [-0.5]])
    rate, student = np.array([0.5]), (stats.norm.isf(0.025) / stats.t.isf(0.025, 3)) ** 2
    for variance, expected in ((1e-9, 7), (1e9, 2)):
        effective = effective_trials(rate, influence, np.array([variance]), bounds=(2, 7), lend=False)
        assert effective == pytest.approx([expected * student])


def test_rounding_and_one_person_show_no_variance() -> None:
    rate, variance, rounding = np.array([0.25]), np.array([1e-32]), np.array([1e-14, -1e-14, 0])
    for influence in (rounding[:, None], np.array([[0.25]])):
        effective = effective_trials(rate, influence, variance, bounds=(2, 1000), lend=False)
        assert effective.tolist() == [2]


def test_where_no_error_shows_the_neighbour_lends_or_the_least_holds() -> None:
    influence = np.array([[0.0, 0.5, 0.0], [0.0, -0.5, 0.0]])
    rate, variance = np.array([1.0, 0.5, 0.0]), np.array([0.0, 0.01, 0.0])
    lent = effective_trials(rate, influence, variance, bounds=(2, 100), lend=True)
    assert lent[0] == lent[1] == lent[2]
    least = effective_trials(rate, influence, variance, bounds=(2, 100), lend=False)
    assert (least[0], least[2]) == (2, 2)
    assert (effective_trials(np.zeros(3), influence * 0, variance, bounds=(2, 100), lend=True) == 2).all()
