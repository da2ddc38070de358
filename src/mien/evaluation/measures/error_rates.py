from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mien.decisions.measured import RateCurve
from mien.evaluation.intervals.proportions import clopper_pearson_limits, effective_trials, monotone_limits
from mien.evaluation.scores.pair_scores import EDGES, PEOPLE_EDGES, PairScores

T = TypeVar("T", np.int64, np.float64)

FEWEST_ERRORS = 30
FEWEST_EFFECTIVE_ERRORS = 10


@dataclass(frozen=True, eq=False)
class MeasuredRates:
    """An error rate at every threshold of `EDGES`, with its interval over people.

    Args:
        curve: The rate and its interval, (4001,) each, monotone.
        errors: (4001,) int64, how many comparisons were wrong.
        effective_errors: (4001,) float64, how many independent wrong comparisons would tell as much.
    """

    curve: RateCurve
    errors: NDArray[np.int64]
    effective_errors: NDArray[np.float64]

    def trials_at(self, threshold: float) -> float:
        """As many independent comparisons would tell as much about the rate at a threshold."""
        known = np.flatnonzero(self.effective_errors > 0)
        at = known[np.abs(known - int(np.abs(EDGES - threshold).argmin())).argmin()]
        return float(self.effective_errors[at] / self.curve.value[at])

    @property
    def smallest_supported(self) -> float | None:
        """The smallest rate that the comparisons support; None if they support none.

        At least 30 errors must have been seen (Doddington et al. 2000: then the rate is known to ± 30 % with 90 %
        confidence), and because they share people, they must also tell as much as 10 independent ones: then the
        95 % interval reaches from about half to less than double the rate.
        """
        supported = (self.errors >= FEWEST_ERRORS) & (self.effective_errors >= FEWEST_EFFECTIVE_ERRORS)
        middle = int(np.abs(self.curve.value - 0.5).argmin())
        if not supported[middle]:
            return None
        towards_rare = slice(middle, None) if self.curve.falls() else slice(middle, None, -1)
        unbroken = np.logical_and.accumulate(supported[towards_rare])
        return float(self.curve.value[towards_rare][unbroken][-1])


def false_match_rates(scores: PairScores) -> MeasuredRates:
    """FMR(t) = P(similarity ≥ t | different people), every pair of people weighing the same.

    Pairs share people, so their number says little about how well the rate is known. It is a U-statistic of order two
    over the n people. With q_ij the share of false matches among the comparisons of the people i and j, p its mean, and
    u_i = Σ_j (q_ij − p), the variance of Σ_{i<j} q_ij is n(n−1)/(n−2)² Σ u_i² (Arvesen 1969, by Hájek's projection)
    less Σ_{i<j} (q_ij − p)², since each pair of people stands in two of the u (Aronow, Samii & Assenova 2015). The
    second term is known exactly where `scores` has every false match (`highest_non_mated`); elsewhere it is left out,
    which makes the interval wider, by little. By Hoeffding (1948) the effective number of comparisons is n/2 at least.
    Above the last false match it is taken to be what it was there.

    Raises:
        ValueError: If there are no non-mated comparisons.
    """
    comparisons = int(scores.non_mated.sum())
    if not comparisons:
        raise ValueError("no comparison of different people")
    n = len(scores.people)
    pairs = n * (n - 1) / 2
    errors = _at_or_above(scores.non_mated)
    rate = _exact_at_the_ends(_at_or_above(scores.non_mated_balanced) / pairs, errors)
    coarse = rate[::16]
    influence = _at_or_above(scores.non_mated_by_person) - coarse * (n - 1)
    binomial = coarse * (1 - coarse)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = n * (n - 1) / np.float64(n - 2) ** 2 * (influence**2).sum(axis=0) / pairs**2
    shared = np.maximum(_squares_of_pairs(scores) - coarse**2 * pairs, 0) / pairs**2
    variance = np.maximum(spread - shared, binomial / comparisons)
    effective = effective_trials(coarse, influence, variance, bounds=(n / 2, comparisons), lend=True)
    return _measured(errors, rate, effective, sign=-1)


def false_non_match_rates(scores: PairScores) -> MeasuredRates:
    """FNMR(t) = P(similarity < t | one person), every person weighing the same.

    Each person's share of missed comparisons is one observation; the interval is that of their mean. The effective
    number of comparisons is the number of people at least, and just that where no comparison or every one is missed:
    the next person may be missed always.

    Raises:
        ValueError: If there are no mated comparisons.
    """
    comparisons = int(scores.mated.sum())
    if not comparisons:
        raise ValueError("no comparison of two photos of one person")
    by_person = _at_or_above(scores.mated_by_person)
    by_person = by_person[by_person[:, 0] > 0]
    n = len(by_person)
    errors = comparisons - _at_or_above(scores.mated)
    rate = _exact_at_the_ends(1 - _at_or_above(scores.mated_balanced) / n, errors)
    coarse = rate[::16]
    influence = (1 - by_person) - coarse
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = (influence**2).sum(axis=0) / np.float64(n * (n - 1))
    variance = np.maximum(spread, coarse * (1 - coarse) / comparisons)
    effective = effective_trials(coarse, influence, variance, bounds=(n, comparisons), lend=False)
    return _measured(errors, rate, effective, sign=1)


def _squares_of_pairs(scores: PairScores) -> NDArray[np.float64]:
    """Σ_{i<j} q_ij² at each of `PEOPLE_EDGES`, 0 where not every false match is kept."""
    kept = scores.highest_non_mated
    people = np.sort(scores.person[kept.photos], axis=1)
    pair, index = np.unique(people[:, 0] * len(scores.people) + people[:, 1], return_inverse=True)
    photos = np.bincount(scores.person)
    comparisons = photos[pair // len(scores.people)] * photos[pair % len(scores.people)]
    all_kept = len(kept.similarity) == scores.non_mated.sum()
    sums = np.zeros(len(PEOPLE_EDGES))
    for at, edge in enumerate(PEOPLE_EDGES):
        if all_kept or edge > kept.similarity[-1]:
            wrong = int(np.searchsorted(-kept.similarity, -edge, side="right"))
            sums[at] = ((np.bincount(index[:wrong], minlength=len(pair)) / comparisons) ** 2).sum()
    return sums


def _exact_at_the_ends(rate: NDArray[np.float64], errors: NDArray[np.int64]) -> NDArray[np.float64]:
    """`rate`, a sum of rounded weights, made monotone in [0, 1] and exactly 0 and 1 where none or all are wrong."""
    rate = np.where(errors == 0, 0.0, np.where(errors == errors.max(), 1.0, np.clip(rate, 0, 1)))
    return np.maximum.accumulate(rate) if errors[0] <= errors[-1] else np.minimum.accumulate(rate)


def _measured(
    errors: NDArray[np.int64], rate: NDArray[np.float64], effective: NDArray[np.float64], sign: int
) -> MeasuredRates:
    trials = np.exp(np.interp(EDGES, PEOPLE_EDGES, np.log(effective)))
    low, high = clopper_pearson_limits(rate * trials, trials)
    low, high = monotone_limits(low, high, rising=sign > 0)
    curve = RateCurve(rate, np.clip(np.minimum(low, rate), 0, 1), np.clip(np.maximum(high, rate), 0, 1))
    return MeasuredRates(curve, errors, rate * trials)


def _at_or_above(histogram: NDArray[T]) -> NDArray[T]:
    """From counts per bin, along the last axis, the counts in the bin and all above it."""
    return np.cumsum(histogram[..., ::-1], axis=-1, dtype=histogram.dtype)[..., ::-1]
