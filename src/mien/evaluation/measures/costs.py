"""How good log-likelihood ratios are, beyond the order that they put comparisons in."""

import math

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]

BINS = 15
"""Bins of the calibration error, equally wide in probability."""


def cllr_of(ratio: Floats, mated: Floats, non_mated: Floats) -> Floats:
    """Cost in bits (Brümmer & du Preez 2006, eq. 8): half a mean of log₂(1 + 1/LR) and half one of log₂(1 + LR).

    Args:
        ratio: (T,) natural log-likelihood ratios.
        mated: (…, T) how many mated comparisons have each; whatever their sum, they weigh half.
        non_mated: (…, T) how many non-mated comparisons have each.

    Returns:
        (…) costs: 0 is perfect, 1 says nothing.
    """
    costs = _mean(mated, np.logaddexp(0, -ratio)) + _mean(non_mated, np.logaddexp(0, ratio))
    return np.asarray(costs / (2 * np.log(2)))


def min_cllr(mated: Floats, non_mated: Floats) -> Floats:
    """The least Cllr of any map that keeps the order: of the map by pooling adjacent violators, fitted to these scores.

    Args:
        mated: (…, T) how many mated comparisons have each similarity, falling.
        non_mated: (…, T) how many non-mated comparisons do.

    Returns:
        (…) costs in bits, from 0 to 1.
    """
    shape, bins = mated.shape[:-1], mated.shape[-1]
    rows = zip(*(kind.reshape(math.prod(shape), bins) for kind in (mated, non_mated)), strict=True)
    return np.array([_pooled_cost(*row) for row in rows]).reshape(shape)


def calibration_error(ratio: Floats, mated: Floats, non_mated: Floats) -> Floats:
    """Expected calibration error of P(one person | similarity) at a prior of ½ (Naeini et al. 2015).

    Mated and non-mated comparisons weigh half each. Over `BINS` equally wide bins of the probability: the mean, by
    weight, of |mean probability − share of mated comparisons|.

    Args:
        ratio: (T,) natural log-likelihood ratios.
        mated: (…, T) how many mated comparisons have each.
        non_mated: (…, T) how many non-mated comparisons have each.

    Returns:
        (…) errors, from 0 to 1.
    """
    probability = expit(ratio)
    member = np.minimum((probability * BINS).astype(np.int64), BINS - 1)[:, None] == np.arange(BINS)
    with np.errstate(invalid="ignore", divide="ignore"):
        one = mated / (2 * mated.sum(axis=-1, keepdims=True))
        other = non_mated / (2 * non_mated.sum(axis=-1, keepdims=True))
    gap = (one + other) * probability - one
    return np.asarray(np.abs(gap @ member).sum(axis=-1))


def _mean(weight: Floats, value: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((weight @ value) / weight.sum(axis=-1))


def _pooled_cost(mated: Floats, non_mated: Floats) -> float:
    if not (mated.sum() > 0 and non_mated.sum() > 0):
        return float("nan")
    mated, non_mated = mated[::-1] / mated.sum(), non_mated[::-1] / non_mated.sum()
    weight = mated + non_mated
    filled = weight > 0
    mated, non_mated, weight = mated[filled], non_mated[filled], weight[filled]
    share = np.clip(scipy.optimize.isotonic_regression(mated / weight, weights=weight).x, 0, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = np.where(mated > 0, mated * -np.log2(share), 0) + np.where(
            non_mated > 0, non_mated * -np.log2(1 - share), 0
        )
    return float(bits.sum() / 2)
