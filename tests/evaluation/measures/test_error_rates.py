from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from mien.evaluation import EDGES, MeasuredRates, PairScores, false_match_rates, false_non_match_rates, score_all_pairs


def drawn_people(
    rng: np.random.Generator, count: int, photos: NDArray[np.int64]
) -> tuple[NDArray[np.float32], list[str]]:
    """Photos of people some of whom resemble everybody, the more the farther they lie along one direction."""
    centres = rng.standard_normal((count, 8))
    centres[:, 0] += np.abs(rng.standard_normal(count))
    person = np.repeat(np.arange(count), photos)
    rows = centres[person] + 0.6 * rng.standard_normal((len(person), 8))
    return rows.astype(np.float32), [f"{number:05d}" for number in person]


def some_scores(people: int = 40, seed: int = 0) -> tuple[PairScores, NDArray[np.float32], list[str]]:
    rng = np.random.default_rng(seed)
    embeddings, names = drawn_people(rng, people, rng.integers(1, 6, people))
    return score_all_pairs(embeddings, names), embeddings, names


def at(threshold: float) -> int:
    return round((threshold + 1) * 2000)


def test_the_false_match_rate_is_the_mean_over_pairs_of_people() -> None:
    scores, embeddings, names = some_scores()
    rates = false_match_rates(scores)
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    similarity, labels = unit @ unit.T, np.array(names)
    for threshold in (-0.2, 0.1, 0.4, 0.7):
        false = similarity >= threshold
        shares = [false[np.ix_(labels == a, labels == b)].mean() for a, b in combinations(scores.people, 2)]
        assert rates.curve.value[at(threshold)] == pytest.approx(np.mean(shares), abs=2e-5)
        different = np.triu(labels[:, None] != labels[None, :])
        assert abs(int(rates.errors[at(threshold)]) - int((false & different).sum())) <= 1


def test_the_false_non_match_rate_is_the_mean_over_people() -> None:
    scores, embeddings, names = some_scores()
    rates = false_non_match_rates(scores)
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    similarity, labels = unit @ unit.T, np.array(names)
    for threshold in (0.3, 0.6, 0.8):
        shares = []
        for person in scores.people:
            own = similarity[np.ix_(labels == person, labels == person)]
            if len(own) > 1:
                shares.append((own[np.triu_indices(len(own), 1)] < threshold).mean())
        assert rates.curve.value[at(threshold)] == pytest.approx(np.mean(shares), abs=1e-3)


def test_rates_and_intervals_are_monotone_and_end_at_0_and_1() -> None:
    for seed in range(5):
        scores = some_scores(people=12, seed=seed)[0]
        falling, rising = false_match_rates(scores).curve, false_non_match_rates(scores).curve
        assert falling.falls()
        assert rising.rises()
        assert (falling.value[0], rising.value[0]) == (1, 0)
        assert (falling.value[-1], rising.value[-1]) == (0, 1)
        assert falling.high[-1] > 0
        assert rising.low[-1] < 1


def test_the_variance_is_that_of_a_bootstrap_over_people() -> None:
    scores, embeddings, names = some_scores(people=150)
    rates = false_match_rates(scores)
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    labels = np.array(names)
    threshold = 0.4
    index = np.unique(labels, return_inverse=True)[1]
    member = np.eye(150)[index]
    share = member.T @ (unit @ unit.T >= threshold) @ member / np.outer(member.sum(axis=0), member.sum(axis=0))
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(2000):
        times = rng.multinomial(150, np.full(150, 1 / 150)).astype(float)
        pairs = np.outer(times, times)
        np.fill_diagonal(pairs, 0)  # a person drawn twice is no pair of people
        drawn.append((pairs * share).sum() / pairs.sum())
    rate, effective = rates.curve.value[at(threshold)], rates.effective_errors[at(threshold)]
    assert np.sqrt(rate * (1 - rate) * rate / effective) == pytest.approx(np.std(drawn), rel=0.08)


def test_the_interval_does_not_shrink_with_more_photos_of_the_same_people() -> None:
    few, many = (
        false_match_rates(score_all_pairs(*drawn_people(np.random.default_rng(3), 30, np.full(30, photos))))
        for photos in (2, 40)
    )
    threshold = at(0.3)
    widths = [float(rates.curve.high[threshold] - rates.curve.low[threshold]) for rates in (few, many)]
    assert 0.6 < widths[1] / widths[0] < 1.4


def test_people_with_one_photo_each_and_no_likeness_are_independent_comparisons() -> None:
    rng = np.random.default_rng(0)
    embeddings = rng.standard_normal((300, 64)).astype(np.float32)
    rates = false_match_rates(score_all_pairs(embeddings, [str(number) for number in range(300)]))
    threshold = at(0.3)
    count, expected = int(rates.errors[threshold]), 300 * 299 / 2
    exact = stats.binomtest(count, int(expected)).proportion_ci(method="exact")
    assert rates.curve.low[threshold] == pytest.approx(exact.low, rel=0.1)
    assert rates.curve.high[threshold] == pytest.approx(exact.high, rel=0.1)


def test_what_is_supported_needs_30_errors_that_tell_as_much_as_10() -> None:
    grid = np.linspace(1, 0, len(EDGES))
    curve = false_match_rates(some_scores()[0]).curve
    curve = replace(curve, value=grid, low=grid, high=grid)
    errors = np.round(grid * 4000).astype(np.int64)
    assert MeasuredRates(curve, errors, grid * 4000).smallest_supported == pytest.approx(30 / 4000)
    assert MeasuredRates(curve, errors, grid * 400).smallest_supported == pytest.approx(10 / 400)
    assert MeasuredRates(curve, errors, grid * 15).smallest_supported is None


def test_two_brothers_with_most_of_the_photos_do_not_set_the_rate() -> None:
    rng = np.random.default_rng(0)
    embeddings, names = drawn_people(rng, 60, np.full(60, 2))
    brothers = np.tile(embeddings[:1], (60, 1)) + 0.1 * rng.standard_normal((60, 8)).astype(np.float32)
    scores = score_all_pairs(np.concatenate([embeddings, brothers]), [*names, *["a brother", "another"] * 30])
    rates = false_match_rates(scores)
    plain = np.cumsum(scores.non_mated[::-1])[::-1] / scores.non_mated.sum()
    assert plain[at(0.95)] > 0.05
    assert rates.curve.value[at(0.95)] < 0.01


@pytest.mark.parametrize("photos", ["ab", "abc", "aabb"])
def test_two_or_three_people_say_next_to_nothing(photos: str) -> None:
    embeddings = np.random.default_rng(0).standard_normal((len(photos), 4)).astype(np.float32)
    rates = false_match_rates(score_all_pairs(embeddings, list(photos)))
    assert rates.smallest_supported is None
    assert (rates.curve.high - rates.curve.low).max() > 0.9
    assert not np.isnan(rates.curve.high).any()


def test_all_equal_similarities_are_no_error_or_all() -> None:
    scores = score_all_pairs(np.ones((8, 3), np.float32), list("aabbccdd"))
    rates = false_match_rates(scores)
    assert set(rates.curve.value.tolist()) <= {0.0, 1.0}
    assert rates.curve.low[0] > 0
    assert false_non_match_rates(scores).curve.value[at(0.9)] == 0


def test_without_comparisons_there_is_no_rate() -> None:
    with pytest.raises(ValueError, match="different people"):
        false_match_rates(score_all_pairs(np.ones((2, 3), np.float32), list("aa")))
    with pytest.raises(ValueError, match="one person"):
        false_non_match_rates(score_all_pairs(np.ones((2, 3), np.float32), list("ab")))


@pytest.mark.slow
@pytest.mark.parametrize("people", [60, 200])
def test_a_95_percent_interval_over_people_covers_the_truth_so_often(people: int) -> None:
    """Coverage in 250 draws: 93 to 97 % within what 250 draws can tell (± 3 %); where few errors are seen, more."""
    rng = np.random.default_rng(people)
    fresh = [drawn_people(rng, 1_000_000, np.ones(1_000_000, np.int64))[0] for _ in range(2)]
    one, other = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in fresh)
    strangers = np.einsum("ij,ij->i", one, other)
    thresholds = [int(np.ceil((np.quantile(strangers, 1 - rate) + 1) * 2000)) for rate in (0.3, 0.1, 0.01)]
    truth = [float((strangers >= EDGES[threshold]).mean()) for threshold in thresholds]
    covered = np.zeros((250, 3), bool)
    for draw in range(250):
        scores = score_all_pairs(*drawn_people(rng, people, np.minimum(rng.geometric(0.4, people), 12)), extremes=5000)
        curve = false_match_rates(scores).curve
        covered[draw] = [
            curve.low[threshold] <= rate <= curve.high[threshold]
            for threshold, rate in zip(thresholds, truth, strict=True)
        ]
    share = covered.mean(axis=0)
    assert ((share >= 0.90) & (share <= 0.99)).all(), share
