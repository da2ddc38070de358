"""How rates and counts are written in the sentences of decisions and errors."""

import math

import numpy as np

from mien.decisions.rate import Rate


def rate_words(rate: float, like: float | None = None, digits: int = 2) -> str:
    """`rate` to a few significant digits: "5 %", "1.2 %", "0.1 %", "3.1e-5"; written as `like` would be, if given."""
    if rate == 0:
        return "0"
    if (rate if like is None else like) >= 0.000995:
        shown = digits if rate < 0.995 else 3
        return f"{np.format_float_positional(100 * rate, shown, unique=False, fractional=False, trim='-')} %"
    mantissa, exponent = f"{rate:.{digits - 1}e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def rate_rounded_up(rate: float) -> float:
    """The smallest number of two significant digits that is not below `rate`, so that it can be asked for."""
    if rate <= 0:
        return 0.0
    digits = 1 - math.floor(math.log10(rate))
    rounded = round(rate, digits)
    return rounded if rounded >= rate else round(rounded + 10.0**-digits, digits)


def counted(number: int, one: str, several: str = "") -> str:
    """A number of things: "1 face", "1,200 faces"; `several` where it isn't `one` with an s."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def interval_words(rate: Rate) -> str:
    """The interval of `rate`: "95 % interval 8e-5 to 1.3e-4"."""
    return f"95 % interval {span_words(rate)}"


def span_words(rate: Rate) -> str:
    """From where to where the interval of `rate` goes, both ends written as the rate is; of 0, as the upper end is.

    An end that would read as the rate itself has a digit more: a rate of 1 % goes up to 1.03 %, not to 1 %.
    """
    return " to ".join(_end_words(end, rate) for end in (rate.low, rate.high))


def _end_words(end: float, rate: Rate) -> str:
    like = rate.value or rate.high
    words = rate_words(end, like)
    return rate_words(end, like, digits=3) if end != rate.value and words == rate_words(rate.value) else words
