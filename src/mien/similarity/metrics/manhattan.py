"""Manhattan distance."""

from typing import ClassVar

import numpy as np

from mien.similarity.metric import Floats, Metric


class Manhattan(Metric):
    """City-block distance: Σ |aᵢ − bᵢ|.

    Distance from 0 upwards; similarity = −distance, from −∞ to 0.
    """

    name: ClassVar[str] = "manhattan"
    obeys_triangle: ClassVar[bool] = True

    def _value(self, a: Floats, b: Floats) -> Floats:
        difference = a - b
        return np.asarray(np.abs(difference, out=difference).sum(axis=-1))


manhattan = Manhattan()
