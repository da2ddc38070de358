"""Euclidean distance."""

from typing import ClassVar

import numpy as np

from mien.similarity.metric import Floats, Metric
from mien.similarity.metrics.squared_euclidean import all_squared_distances, squared_distances


class Euclidean(Metric):
    """Straight-line distance: √Σ (aᵢ − bᵢ)².

    Distance from 0 upwards (at most 2 between unit vectors, where it is √(2 − 2·cosine)); similarity = −distance,
    from −∞ to 0. Nearly equal vectors keep their digits, in all pairs too.
    """

    name: ClassVar[str] = "euclidean"
    obeys_triangle: ClassVar[bool] = True

    def _value(self, a: Floats, b: Floats) -> Floats:
        return np.sqrt(squared_distances(a, b))

    def _all_values(self, a: Floats, b: Floats) -> Floats:
        squares = all_squared_distances(a, b)
        return np.sqrt(squares, out=squares)


euclidean = Euclidean()
