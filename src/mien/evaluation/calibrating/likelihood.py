from collections.abc import Callable

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.special import expit

from mien.decisions.measured import LikelihoodMap
from mien.evaluation.measures.error_rates import MeasuredRates, false_match_rates, false_non_match_rates
from mien.evaluation.scores.pair_scores import EDGES, STEP, PairScores

Knots = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Similarities and log-likelihood ratios, both increasing."""

_CENTRES = np.minimum(EDGES + STEP / 2, 1)


def fit_likelihood(scores: PairScores, halves: tuple[PairScores, PairScores] | None) -> LikelihoodMap:
    """Fit the map from similarity to log-likelihood ratio that says most about people it was not fitted to.

    Two maps are tried: `logistic` and `isotonic`. Each is fitted to one half of the people, judged by Cllr on the other
    half, and the other way round; the better one is then fitted to everybody.

    Args:
        scores: Of all people; must have mated and non-mated comparisons.
        halves: Of two halves of the people apart, both with mated and non-mated comparisons; None where there are too
            few people to halve: then the logistic map is taken, which has the fewer parameters.
    """
    costs: dict[str, float] = {}
    if halves is not None:
        one, other = halves
        for method, fit in _METHODS.items():
            costs[method] = (cllr(_fitted(fit, one), other) + cllr(_fitted(fit, other), one)) / 2
    method = min(costs, key=lambda name: costs[name]) if costs else "logistic"
    similarity, ratio = _fitted(_METHODS[method], scores)
    return LikelihoodMap(method, similarity, ratio, costs)


def cllr(knots: Knots, scores: PairScores) -> float:
    """Cost of log-likelihood ratios, in bits (Brümmer & du Preez 2006, eq. 8): 0 is perfect, 1 says nothing.

    Half the mean of log₂(1 + 1/LR) over mated, half that of log₂(1 + LR) over non-mated comparisons, people balanced.
    """
    ratio = np.interp(_CENTRES, *knots)
    mated, non_mated = _shares(scores)
    return float((mated @ np.logaddexp(0, -ratio) + non_mated @ np.logaddexp(0, ratio)) / (2 * np.log(2)))


def logistic(mated: NDArray[np.float64], non_mated: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-likelihood ratio a·s + b at each bin: logistic regression, both kinds weighing the same (Brümmer 2006).

    Args:
        mated: (4001,) the bins' shares of the mated comparisons, with sum 1.
        non_mated: (4001,) of the non-mated ones, with sum 1.
    """

    def cost(line: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        ratio = line[0] * _CENTRES + line[1]
        loss = mated @ np.logaddexp(0, -ratio) + non_mated @ np.logaddexp(0, ratio)
        pull = non_mated * expit(ratio) - mated * expit(-ratio)
        ridge = 1e-8 * line[0] ** 2  # keeps the slope finite where the two kinds do not overlap
        return float(loss + ridge), np.array([pull @ _CENTRES + 2e-8 * line[0], pull.sum()])

    line = scipy.optimize.minimize(cost, np.array([1.0, 0.0]), jac=True, method="BFGS").x
    return np.asarray(max(float(line[0]), 0.0) * _CENTRES + line[1])


def isotonic(mated: NDArray[np.float64], non_mated: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-likelihood ratio at each bin by pooling adjacent violators (Zadrozny & Elkan 2002), made continuous.

    The steps of the pooled fit are joined by straight lines between the middles of the steps, each middle at the mean
    similarity of the comparisons in it.

    Args:
        mated: (4001,) the bins' shares of the mated comparisons, with sum 1.
        non_mated: (4001,) of the non-mated ones, with sum 1.
    """
    weight = mated + non_mated
    filled = weight > 0
    weight, centre, share = weight[filled], _CENTRES[filled], (mated / np.maximum(mated + non_mated, 1e-300))[filled]
    fit = scipy.optimize.isotonic_regression(share, weights=weight)
    starts = fit.blocks[:-1]
    middle = np.add.reduceat(weight * centre, starts) / np.add.reduceat(weight, starts)
    share = fit.x[starts]
    with np.errstate(divide="ignore"):
        ratio = np.log(share) - np.log1p(-share)
    return np.asarray(np.interp(_CENTRES, middle, np.clip(ratio, -700, 700)))


_METHODS: dict[str, Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]] = {
    "logistic": logistic,
    "isotonic": isotonic,
}


def _fitted(
    fit: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]], scores: PairScores
) -> Knots:
    """The map at every tenth bin, within what the data supports, without the knots that a straight line replaces."""
    ratio = fit(*_shares(scores))[::10]
    low, high = _supported(false_match_rates(scores), false_non_match_rates(scores))
    ratio = np.clip(ratio, low, high).round(4)
    bend = np.flatnonzero(np.abs(np.diff(ratio, 2)) > 1e-9) + 1
    keep = np.concatenate([[0], bend, [len(ratio) - 1]])
    return _CENTRES[::10][keep], ratio[keep]


def _supported(false_match: MeasuredRates, false_non_match: MeasuredRates) -> tuple[float, float]:
    """The least and the greatest log-likelihood ratio that the counts support.

    For no threshold t can P(s ≥ t | one person) / P(s ≥ t | different people) be shown to be greater than
    (1 − FNMR(t)) / FMR.high(t), nor its counterpart below t to be smaller than FNMR.high(t) / (1 − FMR(t)); an answer
    outside these would claim more than the comparisons can tell (after the bound of Vergeer et al. 2016).
    """
    with np.errstate(divide="ignore"):
        most = np.log1p(-false_non_match.curve.value) - np.log(false_match.curve.high)
        least = np.log(false_non_match.curve.high) - np.log1p(-false_match.curve.value)
    return min(0.0, float(least.min())), max(0.0, float(most.max()))


def _shares(scores: PairScores) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return (
        scores.mated_balanced / scores.mated_balanced.sum(),
        scores.non_mated_balanced / scores.non_mated_balanced.sum(),
    )
