"""How a measure is written on a page: no more digits than its interval supports, and a refusal in its own words."""

import math
from dataclasses import dataclass
from typing import Literal

from mien.decisions.rate import Rate
from mien.decisions.wording import rate_words, span_words
from mien.evaluation.measures.estimate import Estimate, Measure, Unsupported

Unit = Literal["share", "number", "difference of shares", "difference of numbers"]
"""A share in [0, 1] is written in percent, the difference of two in percentage points, anything else plainly."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one place of a table or under a heading.

    Args:
        value: "99.48 %"; "" where there is a refusal.
        interval: "99.1 to 99.7 %"; "" where there is none.
        refusal: Why there is no value.
        note: What belongs to it, such as the threshold.
    """

    value: str
    interval: str = ""
    refusal: str = ""
    note: str = ""


def cell(measure: Measure, unit: Unit, note: str = "") -> Cell:
    """A measure with its interval, or why there is none."""
    if isinstance(measure, Unsupported):
        return Cell("", refusal=measure.reason)
    if unit == "share":
        return _share(measure, note)
    scale, after = (100, " points") if unit == "difference of shares" else (1, "")
    sign = "" if unit == "number" else "+"
    value, low, high = (_plain(number) for number in _rounded(measure, scale, sign))
    return Cell(value + after, f"{low} to {high}", note=note)


def similarity_words(similarity: float) -> str:
    """A similarity or threshold in the scores' own unit: "0.3630", "−12.5"."""
    return f"{similarity:{'.4f' if 1e-3 <= abs(similarity) < 10 else '.4g'}}".replace("-", "−")


def _share(measure: Estimate, note: str) -> Cell:
    if 0 < measure.value < 1e-4:
        rate = Rate(measure.value, measure.low, measure.high)
        return Cell(rate_words(rate.value), span_words(rate), note=note)
    value, low, high = _rounded(measure, 100, "")
    return Cell(f"{value} %", f"{low} to {high} %", note=note)


def _rounded(measure: Estimate, scale: float, sign: str) -> list[str]:
    """The value and both ends with as many places as give the interval's width two digits, 4 at the most."""
    numbers = [scale * number for number in (measure.value, measure.low, measure.high)]
    width = numbers[2] - numbers[1]
    if width <= 0:
        return [f"{number:{sign}.4g}" for number in numbers]
    places = min(4, max(0, 1 - math.floor(math.log10(width))))
    return [f"{number:{sign}.{places}f}" for number in numbers]


def _plain(number: str) -> str:
    """With a minus sign instead of a hyphen, and no sign before a zero."""
    return (number.lstrip("+-") if float(number) == 0 else number).replace("-", "−")
