import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.evaluation.measures.estimate import Estimate, Unsupported
from mien.evaluation.reports.measure_words import Cell, cell, similarity_words

three = st.lists(st.floats(0, 1), min_size=3, max_size=3).map(sorted)


@pytest.mark.parametrize(
    ("measure", "unit", "value", "interval"),
    [
        (Estimate(0.99483, 0.99227, 0.99661), "share", "99.48 %", "99.23 to 99.66 %"),
        (Estimate(0.5, 0.4, 0.6), "share", "50 %", "40 to 60 %"),
        (Estimate(0.0, 0.0, 0.00123), "share", "0.00 %", "0.00 to 0.12 %"),
        (Estimate(1.0, 1.0, 1.0), "share", "100 %", "100 to 100 %"),
        (Estimate(3.1e-5, 1.2e-5, 6.6e-5), "share", "3.1e-5", "1.2e-5 to 6.6e-5"),
        (Estimate(3.1e-5, 0.0, 1.2e-2), "share", "3.1e-5", "0 to 1.2e-2"),
        (Estimate(5.5, 5.32, 5.66), "number", "5.50", "5.32 to 5.66"),
        (Estimate(-12.3, -15.6, -9.1), "number", "−12.3", "−15.6 to −9.1"),
        (Estimate(-0.0052, -0.0082, -0.0023), "difference of shares", "−0.52 points", "−0.82 to −0.23"),
        (Estimate(0.0, -0.001, 0.001), "difference of numbers", "0.0000", "−0.0010 to +0.0010"),
    ],
)
def test_no_more_digits_than_the_interval_supports(measure: Estimate, unit: str, value: str, interval: str) -> None:
    assert cell(measure, unit) == Cell(value, interval)  # type: ignore[arg-type]


@given(three)
def test_rounding_moves_nothing_by_more_than_a_tenth_of_the_interval(ends: list[float]) -> None:
    low, value, high = ends
    shown = cell(Estimate(value, low, high), "share")
    if "e" in shown.value:
        return
    numbers = [float(number) for number in re.findall(r"[\d.]+", f"{shown.value} {shown.interval}")]
    width = 100 * (high - low)
    allowed = (max(0.05 * width, 5e-5) if width else 100 * 1e-4) + 1e-9
    for number, exact in zip(numbers, (value, low, high), strict=True):
        assert abs(number - 100 * exact) <= allowed


def test_a_refusal_keeps_its_words() -> None:
    shown = cell(Unsupported("not supported by 3 comparisons"), "share", note="threshold 0.5")
    assert shown == Cell("", refusal="not supported by 3 comparisons")


@pytest.mark.parametrize(
    ("similarity", "words"),
    [(0.363, "0.3630"), (-0.25, "−0.2500"), (-12.5, "−12.5"), (3e-5, "3e−05"), (0.0, "0"), (123456.0, "1.235e+05")],
)
def test_similarities_on_any_scale(similarity: float, words: str) -> None:
    assert similarity_words(similarity) == words
