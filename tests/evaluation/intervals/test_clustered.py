import numpy as np
import pytest

from mien.evaluation.intervals.clustered import clustered_shares
from mien.evaluation.intervals.proportions import clopper_pearson


def test_one_trial_a_person_is_clopper_pearson() -> None:
    hits = (np.arange(400) < 37).astype(np.float64)[:, None]
    share, low, high = clustered_shares(hits, np.arange(400))
    exact = clopper_pearson(37, 400)
    assert (share[0], low[0], high[0]) == pytest.approx((exact.value, exact.low, exact.high), rel=0.01)


def test_people_who_always_hit_or_never_are_one_trial_each() -> None:
    person = np.repeat(np.arange(80), 10)
    share, low, high = clustered_shares((person < 20).astype(np.float64)[:, None], person)
    exact = clopper_pearson(20, 80)
    assert (share[0], low[0], high[0]) == pytest.approx((exact.value, exact.low, exact.high), rel=0.02)


def test_several_kinds_of_hit_are_measured_each_by_itself() -> None:
    rng = np.random.default_rng(0)
    hits, person = rng.random((90, 3)), rng.integers(0, 20, 90)
    together = clustered_shares(hits, person)
    for kind in range(3):
        alone = clustered_shares(hits[:, [kind]], person)
        for end in range(3):
            assert together[end][kind] == pytest.approx(alone[end][0])


@pytest.mark.parametrize("hit", [0.0, 1.0])
def test_where_all_agree_the_people_count(hit: float) -> None:
    share, low, high = clustered_shares(np.full((300, 1), hit), np.repeat(np.arange(30), 10))
    assert share[0] == hit
    assert high[0] - low[0] == pytest.approx(clopper_pearson(0, 30).high, rel=0.15)


def test_one_person_says_next_to_nothing_and_nobody_nothing() -> None:
    _, low, high = clustered_shares(np.array([[0.0], [1.0]]), np.zeros(2, np.int64))
    assert high[0] - low[0] > 0.9
    assert all(end.shape == (0,) for end in clustered_shares(np.empty((0, 0)), np.empty(0, np.int64)))
