from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from mien.decisions.rate import Rate

CONFIDENCE = 0.95
_ROUNDING = 1e-9
"""Influences of people so much smaller than a rate's deviation are sums of rounding errors."""


def clopper_pearson(errors: float, trials: float, confidence: float = CONFIDENCE) -> Rate:
    """The exact interval of a binomial rate (Clopper & Pearson 1934): never covers less than `confidence`.

    Args:
        errors: How many of the trials failed; an effective number may be fractional.
        trials: How many there were, above 0.
        confidence: Of the two-sided interval.

    Raises:
        ValueError: If not 0 ≤ errors ≤ trials, or trials is 0.
    """
    _check(errors, trials)
    low, high = clopper_pearson_limits(errors, trials, confidence)
    return _rate(errors / trials, low, high)


def wilson(errors: float, trials: float, confidence: float = CONFIDENCE) -> Rate:
    """The score interval of a binomial rate (Wilson 1927): covers `confidence` on average, shorter than exact.

    Args:
        errors: How many of the trials failed.
        trials: How many there were, above 0.
        confidence: Of the two-sided interval.

    Raises:
        ValueError: If not 0 ≤ errors ≤ trials, or trials is 0.
    """
    _check(errors, trials)
    z2 = scipy.stats.norm.isf((1 - confidence) / 2) ** 2
    rate = errors / trials
    centre = (rate + z2 / (2 * trials)) / (1 + z2 / trials)
    half = np.sqrt(z2 * (rate * (1 - rate) / trials + z2 / (4 * trials**2))) / (1 + z2 / trials)
    return _rate(rate, centre - half, centre + half)


def clopper_pearson_limits(
    errors: ArrayLike, trials: ArrayLike, confidence: float = CONFIDENCE
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`clopper_pearson` of many rates at once: lower and upper limits, of the arguments' common shape."""
    k, n = np.broadcast_arrays(np.asarray(errors, np.float64), np.asarray(trials, np.float64))
    outside = (1 - confidence) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(k > 0, scipy.stats.beta.ppf(outside, k, n - k + 1), 0.0)
        high = np.where(k < n, scipy.stats.beta.isf(outside, k + 1, n - k), 1.0)
    return low, high


def monotone_limits(
    low: NDArray[np.float64], high: NDArray[np.float64], *, rising: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pointwise limits of a monotone rate, widened until they are as monotone: they may wobble where it does not."""
    way = slice(None, None, 1 if rising else -1)
    return np.minimum.accumulate(low[way][::-1])[::-1][way], np.maximum.accumulate(high[way])[way]


def effective_trials(
    rate: NDArray[np.float64],
    influence: NDArray[np.float64],
    variance: NDArray[np.float64],
    bounds: tuple[float, float],
    *,
    lend: bool,
) -> NDArray[np.float64]:
    """How many independent trials would know each rate as well as the clustered ones do (Korn & Graubard 1998).

    n_eff = p(1 − p)/V, within what is possible, and then times (z/t)², where t is Student's quantile at the degrees of
    freedom that V itself has, by Satterthwaite's 2(Σu²)²/(Σu⁴ − (Σu²)²/n) over the people's influences u, at most
    n − 1: few people, or few who decide, make V uncertain.
    Where a rate is 0 or 1, where all people are alike but for rounding, or where there is one person only, no variance
    shows, and something else has to be said.

    Args:
        rate: (G,) the rates p.
        influence: (n, G) how far each person pulls each rate, in any unit.
        variance: (G,) the variances V.
        bounds: The least and the greatest that n_eff can be, by how the comparisons were made.
        lend: Where no variance shows, take n_eff from the nearest rate where it does, instead of the least.

    Returns:
        (G,) effective numbers of trials, above 0.
    """
    people = len(influence)
    squares, fourths = (influence**2).sum(axis=0), (influence**4).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = np.clip(rate * (1 - rate) / variance, *bounds)
        freedom = 2 * squares**2 / (fourths - squares**2 / people)
    most = max(people - 1, 1)
    freedom = np.clip(np.nan_to_num(freedom, nan=most, posinf=most), 1, most)
    effective *= (scipy.stats.norm.isf(0.025) / scipy.stats.t.isf(0.025, freedom)) ** 2
    alike = squares <= _ROUNDING**2 * people**2 * rate * (1 - rate)
    shows = (rate > 0) & (rate < 1) & ~alike & (variance > 0) & (people > 1)
    if lend and shows.any():
        known = np.flatnonzero(shows)
        return np.asarray(effective[known[np.abs(np.arange(len(rate))[:, None] - known).argmin(axis=1)]])
    return np.where(shows, effective, bounds[0])


def _check(errors: float, trials: float) -> None:
    if not (trials > 0 and 0 <= errors <= trials):
        raise ValueError(f"{errors} errors in {trials} trials are no rate")


def _rate(value: float, low: Any, high: Any) -> Rate:
    return Rate(value, min(max(float(low), 0.0), value), max(min(float(high), 1.0), value))
