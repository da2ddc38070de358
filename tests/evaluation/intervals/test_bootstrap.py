import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from mien.evaluation.intervals.bootstrap import (
    Counts,
    Sample,
    by_person,
    independent,
    listed,
    replicates,
    share_limits,
)
from mien.evaluation.intervals.proportions import clopper_pearson

Floats = NDArray[np.float64]


def shares(counts: Counts) -> dict[str, Floats]:
    """The shares of the first bin."""
    mated, non_mated = counts
    return {"mated": mated[:, 0] / mated.sum(axis=1), "non-mated": non_mated[:, 0] / non_mated.sum(axis=1)}


def all_pairs_of(likeable: NDArray[np.bool_]) -> tuple[Sample, Floats]:
    """Everybody compared once with everybody; a pair is in bin 0 if both are likeable, and (S, S) whether it is."""
    i, j = np.triu_indices(len(likeable), 1)
    hit = likeable[i] & likeable[j]
    everyone = np.arange(len(likeable))
    return (
        listed(2, np.where(likeable, 0, 1), everyone, np.where(hit, 0, 1), np.stack([i, j], axis=1)),
        np.outer(likeable, likeable).astype(np.float64),
    )


def of_pairs(hit: NDArray[np.bool_], people: NDArray[np.int64]) -> Sample:
    """Pairs of people who are all compared with themselves too, in bin 0."""
    everyone = np.unique(people)
    return listed(2, np.zeros(len(everyone), np.int64), everyone, np.where(hit, 0, 1), people)


def dyadic_variance(hit: Floats) -> float:
    """Of the mean over pairs: Σ over pairs of pairs that share a person (Aronow, Samii & Assenova 2015)."""
    n = len(hit)
    i, j = np.triu_indices(n, 1)
    residual = hit[i, j] - hit[i, j].mean()
    by_one = np.array([residual[(i == person) | (j == person)].sum() for person in range(n)])
    return float((by_one**2).sum() - (residual**2).sum()) / len(i) ** 2


def test_independent_comparisons_have_the_binomial_variance() -> None:
    drawn = replicates(independent(np.array([30, 70]), np.array([5, 495])), shares, resamples=20_000, seed=0)
    assert drawn.variance("mated") == pytest.approx(0.3 * 0.7 / 100, rel=0.05)
    assert drawn.variance("non-mated") == pytest.approx(0.01 * 0.99 / 500, rel=0.05)
    assert drawn.interval("mated", 0.3, 1000) == pytest.approx(
        tuple(stats.binom(100, 0.3).ppf([0.025, 0.975]) / 100), abs=0.011
    )


def test_mated_comparisons_have_the_variance_of_whole_people() -> None:
    rng = np.random.default_rng(0)
    photos = rng.integers(1, 9, 60)
    person = np.repeat(np.arange(60), photos)
    hit = np.repeat(rng.random(60) < 0.4, photos)
    sample = listed(2, np.where(hit, 0, 1), person, np.array([0, 1]), np.array([[0, 1], [1, 2]]))
    drawn = replicates(sample, shares, resamples=4000, seed=1)
    influence = np.bincount(person, hit - hit.mean()) / len(hit)
    assert drawn.variance("mated") == pytest.approx((influence**2).sum(), rel=0.15)
    assert drawn.variance("mated") > 3 * hit.mean() * (1 - hit.mean()) / len(hit)


def test_non_mated_comparisons_have_the_dyadic_variance() -> None:
    sample, hit = all_pairs_of(np.random.default_rng(0).random(50) < 0.5)
    drawn = replicates(sample, shares, resamples=4000, seed=2)
    assert drawn.variance("non-mated") == pytest.approx(dyadic_variance(hit), rel=0.15)


@pytest.mark.parametrize("seed", range(3))
def test_pairs_that_share_nobody_are_independent(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hit = rng.random(400) < 0.2
    drawn = replicates(of_pairs(hit, np.arange(800).reshape(400, 2)), shares, resamples=4000, seed=seed)
    binomial = hit.mean() * (1 - hit.mean()) / 400
    assert drawn.variance("non-mated") == pytest.approx(binomial, rel=0.3)
    assert drawn.people["non-mated"].var() > 2 * binomial  # which alone would be far too wide


def test_a_pair_of_people_compared_often_is_one_pair() -> None:
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(400).reshape(200, 2), 10, axis=0)
    hit = np.repeat(rng.random(200) < 0.3, 10)
    drawn = replicates(of_pairs(hit, people), shares, resamples=4000, seed=0)
    assert drawn.variance("non-mated") == pytest.approx(hit.mean() * (1 - hit.mean()) / 200, rel=0.3)


def test_a_draw_without_mated_comparisons_tells_nothing() -> None:
    people = np.array([[one, one + 1] for one in range(10)])
    sample = listed(2, np.array([0, 1]), np.array([0, 1]), np.zeros(10, np.int64), people)

    def best(counts: Counts) -> dict[str, Floats]:
        """Defined, but meaningless, where nothing mated was drawn."""
        mated, _ = counts
        return {"best": np.where(mated[:, :1] / mated.sum(axis=1, keepdims=True) >= 0.5, 0.7, 0.0)}

    drawn = replicates(sample, best, resamples=500, seed=0).people["best"]
    assert 0.15 < np.isnan(drawn).mean() < 0.35  # a quarter of the halves hold neither of two people
    drawn_of_all = replicates(listed(2, np.array([0, 1]), np.array([0, 1]), np.array([], np.int64), people[:0]), best,
        resamples=500, seed=0).people["best"]  # fmt: skip
    assert np.isfinite(drawn_of_all).all(), "there is nothing non-mated to be drawn"


def test_histograms_per_person_give_the_variance_of_the_comparisons_themselves() -> None:
    likeable = np.random.default_rng(3).random(60) < 0.5
    sample, hit = all_pairs_of(likeable)
    off_diagonal = hit * (1 - np.eye(60))
    hits = off_diagonal.sum(axis=1)
    histograms = by_person(
        sample.mated,
        sample.non_mated,
        np.array([0, 1]),
        np.stack([likeable, ~likeable], axis=1).astype(np.float64),
        np.stack([hits, 59 - hits], axis=1),
    )
    one, other = (replicates(kind, shares, resamples=4000, seed=4) for kind in (sample, histograms))
    assert other.variance("non-mated") == pytest.approx(one.variance("non-mated"), rel=0.15)
    assert other.variance("mated") == pytest.approx(one.variance("mated"), rel=0.1)


def test_a_replicate_keeps_how_many_comparisons_there_are_of_either_kind() -> None:
    sample, _ = all_pairs_of(np.arange(20) < 9)
    totals = replicates(
        sample, lambda counts: {"all": counts[0].sum(axis=1), "not": counts[1].sum(axis=1)}, resamples=50, seed=0
    )
    np.testing.assert_allclose(totals.people["all"], 20)
    np.testing.assert_allclose(totals.people["not"], 190)


def test_the_same_seed_draws_the_same_people_whatever_the_bins() -> None:
    rng = np.random.default_rng(0)
    people = np.stack([np.arange(300), (np.arange(300) + 7) % 300], axis=1)
    place = rng.integers(0, 2, 300)
    few, many = (
        replicates(listed(bins, place[:300], np.arange(300), place, people), shares, resamples=900, seed=5)
        for bins in (2, 2000)
    )
    for name in ("mated", "non-mated"):
        np.testing.assert_allclose(few.people[name], many.people[name])
    apart = few.minus(many)
    assert apart.about(0.0, "mated", 300) == (0, 0, 1)


def test_replicates_without_a_kind_are_left_out() -> None:
    sample = listed(2, np.array([0, 1]), np.array([0, 1]), np.array([0, 1, 0]), np.array([[0, 1], [1, 2], [2, 3]]))
    drawn = replicates(sample, shares, resamples=200, seed=0)
    assert np.isnan(drawn.people["mated"]).any()
    assert np.isfinite(drawn.variance("mated"))
    low, high = drawn.interval("mated", 0.5, 4)
    assert low < 0.5 < high


def test_no_variance_comes_from_one_replicate() -> None:
    with pytest.raises(ValueError, match="1 replicates"):
        replicates(independent(np.array([1]), np.array([1])), shares, resamples=1, seed=0)


@pytest.mark.parametrize("errors", [1, 3, 40, 500])
def test_limits_of_independent_trials_are_clopper_pearsons(errors: int) -> None:
    share = np.array([errors / 1000])
    low, high = share_limits(share, share * (1 - share) / 1000, fewest=1000, most=1000)
    exact = clopper_pearson(errors, 1000)
    assert (low[0], high[0]) == pytest.approx((exact.low, exact.high), rel=0.01)


def test_limits_where_no_error_was_seen() -> None:
    none = np.zeros(1)
    high = share_limits(none, none, fewest=50, most=10_000)[1][0]
    assert high == pytest.approx(clopper_pearson(0, 50).high, rel=0.1)
    lent = share_limits(np.array([0.1, 0.0]), np.array([0.1 * 0.9 / 400, 0.0]), fewest=50, most=10_000, lend=True)
    assert lent[1][1] == pytest.approx(clopper_pearson(0, 400).high, rel=0.1)


def test_a_bias_moves_the_limits_but_not_off_the_share_or_the_scale() -> None:
    share, variance = np.array([0.99]), np.array([1e-5])
    plain = share_limits(share, variance, fewest=500, most=1000)
    moved = share_limits(share, variance, bias=0.003, fewest=500, most=1000)
    assert moved[0][0] < plain[0][0]
    assert share[0] <= moved[1][0] < plain[1][0]
    far = share_limits(share, variance, bias=-0.5, fewest=500, most=1000)
    assert far[0][0] < 0.9
    assert far[1][0] == 1
