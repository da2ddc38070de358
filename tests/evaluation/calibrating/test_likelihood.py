from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from mien.evaluation import EDGES, PairScores, cllr, fit_likelihood, score_all_pairs
from mien.evaluation.calibrating.likelihood import isotonic, logistic

CENTRES = np.minimum(EDGES + 1 / 4000, 1)


def shares_of(similarity: NDArray[np.float64]) -> NDArray[np.float64]:
    histogram = np.histogram(similarity, [*EDGES, 2])[0]
    return np.asarray(histogram / histogram.sum())


def normal_scores(seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    mated, non_mated = rng.normal(0.5, 0.1, 3000), rng.normal(0.1, 0.1, 20_000)
    return np.clip(mated, -1, 1), np.clip(non_mated, -1, 1)


def people_scores(people: int = 60, photos: int = 4, noise: float = 0.8, seed: int = 0) -> PairScores:
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), photos)
    rows = rng.standard_normal((people, 32))[person] + noise * rng.standard_normal((len(person), 32))
    return score_all_pairs(rows.astype(np.float32), [f"{number:03d}" for number in person])


def test_logistic_is_scikit_learns() -> None:
    mated, non_mated = normal_scores()
    similarity = np.concatenate([mated, non_mated])[:, None]
    truth = np.r_[np.ones(len(mated)), np.zeros(len(non_mated))]
    weights = np.r_[np.full(len(mated), 1 / len(mated)), np.full(len(non_mated), 1 / len(non_mated))]
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(similarity, truth, weights * 20_000)
    expected = theirs.coef_[0, 0] * CENTRES + theirs.intercept_[0]
    np.testing.assert_allclose(logistic(shares_of(mated), shares_of(non_mated)), expected, rtol=0.02, atol=0.05)


def test_logistic_finds_the_line_of_two_normal_distributions() -> None:
    mated, non_mated = normal_scores()
    ratio = logistic(shares_of(mated), shares_of(non_mated))
    truth = stats.norm.logpdf(CENTRES, 0.5, 0.1) - stats.norm.logpdf(CENTRES, 0.1, 0.1)
    inside = (CENTRES > 0.1) & (CENTRES < 0.5)
    np.testing.assert_allclose(ratio[inside], truth[inside], atol=1.0)


def test_isotonic_passes_through_the_steps_of_scikit_learn() -> None:
    mated, non_mated = (shares_of(kind) for kind in normal_scores())
    filled = mated + non_mated > 0
    share = (mated / np.maximum(mated + non_mated, 1e-300))[filled]
    theirs = IsotonicRegression().fit(CENTRES[filled], share, (mated + non_mated)[filled]).predict(CENTRES[filled])
    mine = 1 / (1 + np.exp(-isotonic(mated, non_mated)[filled]))
    assert (np.diff(mine) >= -1e-12).all()
    inside = (theirs > 0.02) & (theirs < 0.98)
    assert np.abs(mine - theirs)[inside].max() < 0.2
    steps = np.flatnonzero(np.diff(theirs)) + 1
    for block in np.split(np.arange(len(theirs)), steps)[1:-1]:
        assert mine[block].min() - 1e-9 <= theirs[block[0]] <= mine[block].max() + 1e-9


def test_cllr_is_its_definition() -> None:
    scores = people_scores()
    knots = (np.array([0.0, 1.0]), np.array([-5.0, 7.0]))
    ratio = np.exp(np.interp(CENTRES, *knots))
    mated = scores.mated_balanced / scores.mated_balanced.sum()
    non_mated = scores.non_mated_balanced / scores.non_mated_balanced.sum()
    expected = (mated @ np.log2(1 + 1 / ratio) + non_mated @ np.log2(1 + ratio)) / 2
    assert cllr(knots, scores) == pytest.approx(expected)
    assert cllr((np.array([0.0]), np.array([0.0])), scores) == pytest.approx(1)


def test_the_map_increases_says_something_and_keeps_within_the_data() -> None:
    scores, halves = people_scores(), (people_scores(seed=1), people_scores(seed=2))
    found = fit_likelihood(scores, halves)
    assert set(found.cllr) == {"logistic", "isotonic"}
    assert found.cllr[found.method] == min(found.cllr.values()) < 0.5
    assert found.log_likelihood_ratio[0] < -1
    assert found.log_likelihood_ratio[-1] > 1
    # 60 people: nothing rarer than about 1 in 20 mated or 1 in 60·59/2 non-mated comparisons was ever seen
    assert found.log_likelihood_ratio[-1] < np.log(60 * 59 / 2)
    assert found.log_likelihood_ratio[0] > np.log(1 / 60)
    assert len(found.similarity) < 402


def test_more_people_allow_more_certainty() -> None:
    few, many = (fit_likelihood(people_scores(people, noise=0.4), None) for people in (20, 200))
    assert few.log_likelihood_ratio[-1] < many.log_likelihood_ratio[-1]
    assert few.log_likelihood_ratio[0] > many.log_likelihood_ratio[0]


def test_too_few_people_to_halve_get_the_logistic_map() -> None:
    found = fit_likelihood(people_scores(), None)
    assert (found.method, found.cllr) == ("logistic", {})


def test_similarities_that_say_nothing_give_a_ratio_near_1() -> None:
    scores = people_scores(people=200)
    scores = replace(scores, mated_balanced=scores.non_mated_balanced * 200 / scores.non_mated_balanced.sum())
    found = fit_likelihood(scores, None)
    assert np.abs(found.log_likelihood_ratio).max() < 0.3


def test_all_equal_similarities_do_not_break_it() -> None:
    found = fit_likelihood(score_all_pairs(np.ones((8, 3), np.float32), list("aabbccdd")), None)
    assert np.isfinite(found.log_likelihood_ratio).all()
