"""Squared Euclidean distance."""

from typing import ClassVar

import numpy as np

from mien.similarity.metric import Floats, Metric

_CLOSE = 1e-6
"""Below this share of ‖a‖² + ‖b‖² the expanded form has lost too many of float64's digits to be trusted."""
_PAIRS_AT_ONCE = 16_384


class SquaredEuclidean(Metric):
    """Squared straight-line distance: Σ (aᵢ − bᵢ)².

    Distance from 0 upwards; similarity = −distance, from −∞ to 0. Not a metric in the strict sense: the triangle
    inequality fails.
    """

    name: ClassVar[str] = "squared_euclidean"
    obeys_triangle: ClassVar[bool] = False

    def _value(self, a: Floats, b: Floats) -> Floats:
        return squared_distances(a, b)

    def _all_values(self, a: Floats, b: Floats) -> Floats:
        return all_squared_distances(a, b)


def squared_distances(a: Floats, b: Floats) -> Floats:
    """Σ (aᵢ − bᵢ)² along the last axis of (…, D) and (…, D), by subtraction: no digit is lost."""
    difference = a - b
    return np.asarray(np.einsum("...i,...i->...", difference, difference))


def all_squared_distances(a: Floats, b: Floats) -> Floats:
    """Σ (aᵢ − bᵢ)² of every pair of (N, D) and (M, D) as (N, M) float64.

    ‖a‖² + ‖b‖² − 2·a·b is one matrix product, but subtracts nearly equal numbers where a ≈ b. Distances don't change
    when everything moves, so the vectors are first moved to around zero; the pairs that are still close are computed
    by subtraction.
    """
    a, b = a.astype(np.float64, copy=False), b.astype(np.float64, copy=False)
    if len(b):
        centre = b.mean(axis=0)
        moved_a, moved_b = a - centre, b - centre
    else:
        moved_a, moved_b = a, b
    lengths = np.einsum("ij,ij->i", moved_a, moved_a)[:, None] + np.einsum("ij,ij->i", moved_b, moved_b)
    with np.errstate(invalid="ignore"):  # inf − inf, mended below
        squares: Floats = moved_a @ moved_b.T
        squares *= -2
        squares += lengths
        lengths *= _CLOSE
        doubtful = ~(squares >= lengths) | np.isinf(lengths)
    rows, columns = np.nonzero(doubtful)
    for start in range(0, len(rows), _PAIRS_AT_ONCE):
        row, column = rows[start : start + _PAIRS_AT_ONCE], columns[start : start + _PAIRS_AT_ONCE]
        squares[row, column] = squared_distances(a[row], b[column])
    return squares


squared_euclidean = SquaredEuclidean()
