import numpy as np
import pytest
from numpy.typing import NDArray

from mien.evaluation import EDGES, PairScores, false_match_rates, measure_false_matches, score_all_pairs


def scores_of(people: int, photos: int = 1, seed: int = 0, noise: float = 0.5) -> PairScores:
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), photos)
    rows = rng.standard_normal((people, 24))[person] + noise * rng.standard_normal((len(person), 24))
    return score_all_pairs(rows.astype(np.float32), [f"{number:04d}" for number in person])


def at(curve: NDArray[np.float64], rate: float) -> int:
    return int(np.searchsorted(-curve, -rate))


def test_what_can_be_counted_is_counted() -> None:
    scores = scores_of(200)
    rates, counted = measure_false_matches(scores), false_match_rates(scores)
    assert rates.smallest_counted == counted.smallest_supported
    above = counted.curve.value >= (rates.smallest_counted or 1)
    assert (rates.curve.value[above] == counted.curve.value[above]).all()
    assert (rates.curve.high[above] >= counted.curve.high[above]).all()


def test_a_decade_beyond_is_modelled_and_right_among_other_people() -> None:
    rates, truth = measure_false_matches(scores_of(200)), false_match_rates(scores_of(3000, seed=1)).curve.value
    assert rates.smallest_counted is not None
    assert rates.smallest_modelled == pytest.approx(rates.smallest_counted / 10, rel=0.1)
    for rate in (rates.smallest_counted / 2, rates.smallest_counted / 5):
        place = at(rates.curve.value, rate)
        assert rates.curve.low[place] < truth[place] < rates.curve.high[place]
        assert rates.curve.high[place] > 1.3 * rates.curve.value[place]
    assert rates.curve.falls()


def test_beyond_that_only_an_upper_end_is_known() -> None:
    rates = measure_false_matches(scores_of(200))
    assert rates.smallest_modelled is not None
    beyond = rates.curve.value < rates.smallest_modelled * (1 - 1e-9)
    assert (rates.curve.low[beyond] == 0).all()
    assert 0 < rates.curve.high[-1] < rates.smallest_modelled


def test_a_rate_below_two_pairs_of_people_is_not_counted_however_many_photos() -> None:
    few = scores_of(40, photos=12, noise=2)
    assert false_match_rates(few).smallest_supported == pytest.approx(2.7e-4, rel=0.1)
    assert measure_false_matches(few).smallest_counted == pytest.approx(4 / (40 * 39))


def test_two_people_support_nothing() -> None:
    rates = measure_false_matches(scores_of(2))
    assert (rates.smallest_counted, rates.smallest_modelled, rates.tail) == (None, None, None)


def with_doubles(doubles: int) -> PairScores:
    """300 people, some of whom have a double under another name: a lump of high similarities."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((300, 24))
    rows[: 2 * doubles] = np.repeat(rows[:doubles], 2, 0) + 0.1 * rng.standard_normal((2 * doubles, 24))
    return score_all_pairs(rows.astype(np.float32), [f"{number:03d}" for number in range(300)])


def test_a_tail_that_does_not_fit_is_told_and_not_used() -> None:
    rates = measure_false_matches(with_doubles(40))
    assert rates.tail is not None
    assert rates.tail.p_value <= 0.01
    assert rates.smallest_modelled is None


def test_a_lump_that_its_test_lets_pass_is_not_used() -> None:
    rates = measure_false_matches(with_doubles(60))
    assert rates.tail is not None
    assert rates.tail.p_value > 0.01
    assert rates.tail.shape < -0.5
    assert rates.smallest_modelled is None


def test_where_everybody_has_a_double_counting_is_all_there_is() -> None:
    scores = with_doubles(150)
    rates = measure_false_matches(scores)
    assert rates.smallest_modelled is None
    assert rates.curve.value[-1] == false_match_rates(scores).curve.value[-1] == 0
    assert EDGES[at(rates.curve.value, 1e-3)] > 0.9
