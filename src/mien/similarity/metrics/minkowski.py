"""Minkowski distance of order p."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mien.similarity.metric import Floats, Metric


@dataclass(frozen=True)
class Minkowski(Metric):
    """Distance of order p: (Σ |aᵢ − bᵢ|ᵖ)^(1/p).

    Distance from 0 upwards; similarity = −distance, from −∞ to 0. p = 1 is Manhattan, p = 2 Euclidean, p = ∞ the
    greatest single difference (Chebyshev).

    Args:
        p: The order, 1 or greater: below 1 the triangle inequality fails, and the "distance" with it.

    Raises:
        ValueError: `p` is below 1 or NaN.
    """

    p: float = 3.0
    name: ClassVar[str] = "minkowski"
    obeys_triangle: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.p >= 1:
            raise ValueError(f"minkowski: the order p must be 1 or greater, not {self.p}.")

    def _value(self, a: Floats, b: Floats) -> Floats:
        difference = np.abs(a - b)
        largest = difference.max(axis=-1, initial=0)
        if np.isinf(self.p):
            return np.asarray(largest)
        # Powers of shares of the largest difference neither overflow nor all vanish, however great p is.
        shares = difference / np.where(largest == 0, 1, largest)[..., None]
        return np.asarray(largest * (shares**self.p).sum(axis=-1) ** (1 / self.p))


minkowski = Minkowski()
