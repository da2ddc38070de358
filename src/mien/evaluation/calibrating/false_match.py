from dataclasses import dataclass

import numpy as np

from mien.decisions.measured import RateCurve, TailModel
from mien.evaluation.calibrating.tail import FittedTail, fit_tail
from mien.evaluation.measures.error_rates import false_match_rates
from mien.evaluation.scores.pair_scores import PairScores

FEWEST_PAIRS = 2
"""A rate that so few pairs of people would make by themselves is not counted."""
REACHES_BELOW = 10.0
"""The smallest rate that is extrapolated is the smallest counted one over this."""
REJECTED = 0.01
"""A tail whose test has no greater p-value is not extrapolated from."""
LEAST_SHAPE = -0.5
"""Nor is one of no greater shape: it is a lump with an end, and the errors of its fit aren't known (Smith 1985)."""


@dataclass(frozen=True, eq=False)
class FalseMatches:
    """The false match rates of a calibration: counted where the comparisons support it, modelled a decade beyond.

    Args:
        curve: On `EDGES`, with its interval over people.
        smallest_counted: The smallest rate that is supported by counting; None if none is.
        smallest_modelled: The smallest that the tail supports beyond; None if it supports none.
        tail: The model; None where too little is known for one.
    """

    curve: RateCurve
    smallest_counted: float | None
    smallest_modelled: float | None
    tail: TailModel | None


def measure_false_matches(scores: PairScores, *, seed: int = 0) -> FalseMatches:
    """Count false matches, and model those too rare to be counted.

    A rate is supported by counting if there are 30 false matches that tell as much as 10 independent ones, and if it is
    not below that of `FEWEST_PAIRS` pairs of people who always match: such pairs (twins, one person under two names)
    are so rare that a smaller rate hangs on whether there is one. Beyond, a tail is fitted (`fit_tail`). On people whom
    it had not seen (`python -m benchmarks transfer`) its interval was right a decade below the counted rates.

    Args:
        scores: Of all pairs.
        seed: Of the draws for the tail's test.

    Raises:
        ValueError: If there are no non-mated comparisons.
    """
    counted = false_match_rates(scores)
    smallest, people = counted.smallest_supported, len(scores.people)
    if smallest is None:
        return FalseMatches(counted.curve, None, None, None)
    smallest = max(smallest, FEWEST_PAIRS * 2 / (people * (people - 1)))
    tail = fit_tail(scores, counted, smallest, seed=seed)
    if tail is None:
        return FalseMatches(counted.curve, smallest, None, None)
    if tail.model.p_value <= REJECTED or tail.model.shape <= LEAST_SHAPE:
        return FalseMatches(counted.curve, smallest, None, tail.model)
    curve, modelled = _extended(counted.curve, smallest, tail)
    return FalseMatches(curve, smallest, modelled, tail.model)


def _extended(counted: RateCurve, smallest: float, tail: FittedTail) -> tuple[RateCurve, float | None]:
    """The curve, modelled below `smallest`, and how far down it goes; farther, only the upper end is stated."""
    value, low, high = counted.value.copy(), counted.low.copy(), counted.high.copy()
    model, reached = tail.curve, smallest / REACHES_BELOW
    beyond = np.flatnonzero(value < smallest)
    value[beyond] = np.minimum(model.value[beyond], smallest)
    within = beyond[value[beyond] >= reached]
    if not len(within):
        return counted, None
    low[beyond] = np.where(value[beyond] >= reached, model.low[beyond], 0.0)
    high[beyond] = np.minimum.accumulate(model.high[beyond])  # a rate is no greater than at any lower threshold
    # A counted interval and a modelled one need not meet: each reaches as far as the other where it must.
    low = np.minimum.accumulate(np.minimum(low, value))
    high = np.maximum.accumulate(np.maximum(high, value)[::-1])[::-1]
    return RateCurve(value, low, np.minimum(high, 1.0)), float(value[within[-1]])
