import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.decisions import Rate
from mien.decisions.wording import counted, interval_words, rate_rounded_up, rate_words


@pytest.mark.parametrize(
    "numbers", [(0.5, 0.6, 0.7), (0.5, 0.1, 0.4), (1.1, 1, 1.2), (-0.1, -0.2, 0), (math.nan, 0, 1)]
)
def test_a_rate_lies_in_its_interval_and_in_0_to_1(numbers: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="not a rate"):
        Rate(*numbers)


def test_best_of_several_is_wrong_at_most_in_proportion() -> None:
    assert Rate(0.1, 0.05, 0.4).best_of(4) == Rate(0.4, 0.2, 1.0)


def test_any_of_independent_ones() -> None:
    rate = Rate(0.1, 0.0, 1.0).any_of(3)
    assert rate.value == pytest.approx(1 - 0.9**3)
    assert (rate.low, rate.high) == (0, 1)


def test_any_of_very_many_very_rare_ones_keeps_its_digits() -> None:
    assert Rate(1e-17, 0, 1e-16).any_of(1000).value == pytest.approx(1e-14, rel=1e-9)


@given(st.floats(0, 1), st.integers(1, 10**6))
def test_independent_ones_are_wrong_less_than_the_union_bound(value: float, comparisons: int) -> None:
    rate = Rate(value, 0, 1)
    assert rate.any_of(comparisons).value <= rate.best_of(comparisons).value * (1 + 1e-12)


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (0, "0"),
        (1, "100 %"),
        (0.999, "99.9 %"),
        (0.5, "50 %"),
        (0.012, "1.2 %"),
        (1e-3, "0.1 %"),
        (9.9e-4, "9.9e-4"),
        (3.14e-5, "3.1e-5"),
    ],
)
def test_words(rate: float, words: str) -> None:
    assert rate_words(rate) == words


def test_a_rounding_error_does_not_change_the_words() -> None:
    assert rate_words(math.nextafter(0.01, 0)) == rate_words(0.01) == "1 %"
    assert rate_words(math.nextafter(1e-4, 0)) == "1e-4"


def test_interval_words() -> None:
    assert interval_words(Rate(1e-4, 8e-5, 1.3e-4)) == "95 % interval 8e-5 to 1.3e-4"


def test_the_ends_of_an_interval_are_written_as_its_rate_is() -> None:
    assert interval_words(Rate(1.2e-3, 8e-4, 1.6e-3)) == "95 % interval 0.08 % to 0.16 %"
    assert interval_words(Rate(9e-4, 8e-4, 1.2e-3)) == "95 % interval 8e-4 to 1.2e-3"
    assert interval_words(Rate(0.5, 0, 1)) == "95 % interval 0 to 100 %"
    assert interval_words(Rate(0, 0, 0.037)) == "95 % interval 0 to 3.7 %"
    assert interval_words(Rate(0, 0, 3e-5)) == "95 % interval 0 to 3e-5"
    assert interval_words(Rate(0.01, 0.0097, 0.0103)) == "95 % interval 0.97 % to 1.03 %"
    assert interval_words(Rate(1e-4, 9.98e-5, 1.02e-4)) == "95 % interval 9.98e-5 to 1.02e-4"
    assert interval_words(Rate(0.05, 1.8e-7, 0.28)) == "95 % interval 0.000018 % to 28 %"
    assert interval_words(Rate(1, 0.999, 1)) == "95 % interval 99.9 % to 100 %"


@given(st.floats(1e-12, 1))
def test_rounding_up_never_comes_out_below_and_keeps_two_digits(rate: float) -> None:
    rounded = rate_rounded_up(rate)
    assert rate <= rounded <= rate * 1.11
    assert float(f"{rounded:.1e}") == pytest.approx(rounded, rel=1e-12)


def test_one_is_not_several() -> None:
    assert [counted(number, "face") for number in (0, 1, 1200)] == ["0 faces", "1 face", "1,200 faces"]
    assert counted(1, "person", "people") == "1 person"
    assert counted(2, "person", "people") == "2 people"
