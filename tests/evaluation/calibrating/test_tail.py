import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from mien.evaluation import FittedTail, PairScores, false_match_rates, fit_tail, score_all_pairs
from mien.evaluation.calibrating.tail import MODEL_ERROR, _without_common_people, survival


def scores_of_strangers(people: int, seed: int = 0, *, extremes: int = 100_000) -> PairScores:
    embeddings = np.random.default_rng(seed).standard_normal((people, 24)).astype(np.float32)
    return score_all_pairs(embeddings, [f"{number:04d}" for number in range(people)], extremes=extremes)


def fitted(scores: PairScores, smallest: float, seed: int = 0) -> FittedTail:
    tail = fit_tail(scores, false_match_rates(scores), smallest, seed=seed)
    assert tail is not None
    return tail


def test_it_is_the_most_likely_one_by_scipy() -> None:
    scores = scores_of_strangers(500)
    model = fitted(scores, 1e-3).model
    similarity = scores.highest_non_mated.similarity.astype(np.float64)
    excess = similarity[similarity >= model.start] - model.start
    shape, _, scale = stats.genpareto.fit(excess, floc=0)
    assert len(excess) == model.exceedances
    assert (model.shape, model.scale) == pytest.approx((shape, scale), abs=0.01)
    assert model.rate == pytest.approx(len(excess) / (500 * 499 / 2))


def test_the_tail_of_strangers_fits_is_bounded_and_tells_rarer_rates() -> None:
    tail, truth = fitted(scores_of_strangers(300), 1e-3), false_match_rates(scores_of_strangers(3000, seed=1)).curve
    assert tail.model.p_value >= 0.05
    assert tail.model.shape < 0  # a cosine ends at 1
    for rate in (1e-3, 1e-4):
        at = int(np.searchsorted(-truth.value, -rate))
        assert tail.curve.low[at] < truth.value[at] < tail.curve.high[at]
        assert tail.curve.value[at] == pytest.approx(truth.value[at], rel=0.6)


@pytest.mark.parametrize("rate", [3e-3, 1e-3, 5e-4])
def test_its_interval_is_as_wide_as_the_estimates_of_other_people_differ(rate: float) -> None:
    truth = false_match_rates(scores_of_strangers(3000, 99)).curve.value
    at = int(np.searchsorted(-truth, -rate))
    curves = [fitted(scores_of_strangers(150, seed), 2e-3).curve for seed in range(40)]
    differ = np.std([np.log(curve.value[at]) for curve in curves])
    half = np.median([np.log(curve.high[at] / curve.value[at]) for curve in curves])
    assert np.sqrt(half**2 - np.log(MODEL_ERROR) ** 2) / 1.96 == pytest.approx(differ, rel=0.35)
    assert sum(curve.low[at] <= truth[at] <= curve.high[at] for curve in curves) >= 36


def test_photos_of_the_same_face_say_nothing_more() -> None:
    embeddings = np.random.default_rng(0).standard_normal((150, 24)).astype(np.float32)
    people = [f"{number:04d}" for number in range(150)]
    once, thrice = score_all_pairs(embeddings, people), score_all_pairs(np.repeat(embeddings, 3, 0), sorted(people * 3))
    first, second = fitted(once, 2e-3), fitted(thrice, 2e-3)
    assert (second.model.shape, second.model.scale) == pytest.approx((first.model.shape, first.model.scale), abs=1e-3)
    assert second.curve.high == pytest.approx(first.curve.high, rel=0.01)
    assert second.model.tested == first.model.tested


def test_a_model_that_does_not_fit_is_told_by_its_p_value() -> None:
    """Many people have a double, so that there is a lump in the tail."""
    rng = np.random.default_rng(0)
    embeddings = rng.standard_normal((300, 24))
    embeddings[:160] = np.repeat(embeddings[:80], 2, 0) + 0.1 * rng.standard_normal((160, 24))
    tail = fitted(score_all_pairs(embeddings.astype(np.float32), [f"{number:03d}" for number in range(300)]), 2e-3)
    assert tail.model.p_value < 0.01


def test_a_tail_longer_than_the_kept_comparisons_is_tested_where_they_are() -> None:
    whole, short = fitted(scores_of_strangers(300), 1e-3), fitted(scores_of_strangers(300, extremes=100), 1e-3)
    assert short.model.p_value >= 0.05
    assert short.model.tested < whole.model.tested
    assert (short.model.shape, short.curve.value[3000]) == (whole.model.shape, whole.curve.value[3000])
    assert short.curve.high[3000] >= whole.curve.high[3000]  # pairs that stand in two people's sums stay in both


def test_too_few_people_have_no_tail() -> None:
    scores = scores_of_strangers(30)
    assert fit_tail(scores, false_match_rates(scores), 5e-3) is None


@pytest.mark.parametrize("smallest", [0.02, 0.5, 1.0])
def test_what_is_common_is_no_tail(smallest: float) -> None:
    scores = scores_of_strangers(200)
    assert fit_tail(scores, false_match_rates(scores), smallest) is None


def test_equal_similarities_have_no_tail() -> None:
    scores = score_all_pairs(np.ones((200, 3), np.float32), [str(number) for number in range(200)])
    assert fit_tail(scores, false_match_rates(scores), 1e-3) is None


def test_the_same_seed_gives_the_same() -> None:
    scores = scores_of_strangers(200)
    assert fitted(scores, 2e-3).model == fitted(scores, 2e-3).model
    assert fitted(scores, 2e-3).model != fitted(scores, 2e-3, seed=1).model


@given(st.floats(-0.9, 2), st.floats(1e-3, 10), st.lists(st.floats(0, 10), min_size=1, max_size=20))
def test_survival_is_scipys(shape: float, scale: float, excess: list[float]) -> None:
    assume(shape == 0 or abs(shape) > 1e-6)  # between them scipy loses all digits
    expected = stats.genpareto.sf(excess, shape, scale=scale)
    assert survival(np.array(excess), shape, scale) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_no_person_is_drawn_twice_and_nobody_free_is_left() -> None:
    people = np.random.default_rng(0).integers(0, 60, (200, 2))
    people = people[people[:, 0] != people[:, 1]]
    drawn = _without_common_people(people)
    seen = people[drawn].ravel().tolist()
    assert len(seen) == len(set(seen))
    for at in set(range(len(people))) - set(drawn):
        assert set(people[at].tolist()) & set(seen)
