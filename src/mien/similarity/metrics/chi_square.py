"""Chi-square distance between histograms."""

from typing import ClassVar

import numpy as np

from mien.similarity.metric import Floats, Metric
from mien.similarity.non_negative import negative_amounts


class ChiSquare(Metric):
    """Symmetric chi-square distance between non-negative vectors: ½ Σ (aᵢ − bᵢ)² / (aᵢ + bᵢ), with 0/0 = 0.

    Distance from 0 to ½ Σ (aᵢ + bᵢ), so from 0 to 1 between histograms that sum to 1; similarity = −distance. (Other
    definitions in use leave out the ½, or divide by aᵢ alone.) Not a metric in the strict sense; its square root is.
    """

    name: ClassVar[str] = "chi_square"
    obeys_triangle: ClassVar[bool] = False

    def _complaint(self, vectors: Floats) -> str:
        return negative_amounts(vectors)

    def _value(self, a: Floats, b: Floats) -> Floats:
        difference = a - b
        # (a − b)·((a − b)/(a + b)) rather than (a − b)²/(a + b): the squares of tiny values would vanish.
        total = a + b
        np.copyto(total, 1, where=total == 0)
        share = np.divide(difference, total, out=total)
        return np.asarray(np.einsum("...i,...i->...", difference, share) / 2)


chi_square = ChiSquare()
