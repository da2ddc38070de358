import numpy as np
import pytest
from scipy import stats

from mien.evaluation import EDGES, Extremes, PairScores, false_match_rates, fit_tail, score_all_pairs
from mien.evaluation.calibrating.tail import _without_common_people


def scores_of_strangers(people: int, seed: int = 0) -> PairScores:
    embeddings = np.random.default_rng(seed).standard_normal((people, 24)).astype(np.float32)
    return score_all_pairs(embeddings, [f"{number:04d}" for number in range(people)])


@pytest.mark.slow
def test_the_tail_of_strangers_fits_and_is_bounded() -> None:
    scores = scores_of_strangers(700)
    false_match = false_match_rates(scores)
    tail = fit_tail(scores, false_match)
    assert tail is not None
    assert tail.p_value >= 0.05
    assert tail.shape < 0  # a cosine ends at 1
    start = int(np.searchsorted(EDGES, tail.start))
    assert tail.rate == pytest.approx(false_match.curve.value[start])
    assert tail.exceedances == false_match.errors[start]
    for beyond in (0.05, 0.1):
        at = start + round(beyond * 2000)
        modelled = tail.rate * stats.genpareto.sf(beyond, tail.shape, scale=tail.scale)
        assert modelled == pytest.approx(false_match.curve.value[at], rel=0.35)
    assert fit_tail(scores, false_match) == tail


def test_too_few_people_have_no_tail() -> None:
    scores = scores_of_strangers(30)
    assert fit_tail(scores, false_match_rates(scores)) is None


def test_a_tail_longer_than_the_kept_comparisons_is_not_tried() -> None:
    embeddings = np.random.default_rng(0).standard_normal((300, 24)).astype(np.float32)
    scores = score_all_pairs(embeddings, [str(number) for number in range(300)], extremes=20)
    assert fit_tail(scores, false_match_rates(scores)) is None


def test_no_person_is_drawn_twice_and_nobody_free_is_left() -> None:
    rng = np.random.default_rng(0)
    people = rng.integers(0, 60, (200, 2))
    people = people[people[:, 0] != people[:, 1]]
    drawn = _without_common_people(people, rng)
    seen = people[drawn].ravel().tolist()
    assert len(seen) == len(set(seen))
    for at in set(range(len(people))) - set(drawn):
        assert set(people[at].tolist()) & set(seen)


def test_equal_similarities_have_no_tail() -> None:
    scores = score_all_pairs(np.ones((200, 3), np.float32), [str(number) for number in range(200)])
    assert isinstance(scores.highest_non_mated, Extremes)
    assert fit_tail(scores, false_match_rates(scores)) is None
