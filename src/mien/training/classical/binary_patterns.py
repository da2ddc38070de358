from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from mien.errors import MissingExtraError
from mien.training.classical.crops import grey_crops

PATTERNS = 59
"""Kinds of uniform pattern of eight neighbours, all others counting as one."""


class BinaryPatterns(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Crops as histograms of local binary patterns, a histogram a cell of a grid (Ahonen, Hadid & Pietikäinen 2006).

    Compare them by chi-square (`mien.similarity.chi_square`), the paper's choice. It learns nothing.

    Args:
        grid: Cells a side.
        radius: Of the circle on which eight neighbours lie, in pixels.

    Raises:
        MissingExtraError: scikit-image is not installed.
    """

    def __init__(self, grid: int = 7, radius: int = 2) -> None:
        self.grid = grid
        self.radius = radius

    def fit(self, crops: NDArray[np.uint8], people: Any = None) -> Self:
        """Nothing is to be learnt."""
        return self

    def transform(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The histograms of (N, H, W) or (N, H, W, 3) crops: (N, grid² · 59) float32; each cell's sums to 1/grid²."""
        try:
            from skimage.feature import local_binary_pattern
        except ImportError as error:
            raise MissingExtraError("classical", "describing local binary patterns") from error
        grey = grey_crops(crops)
        rows, columns = (
            np.minimum(np.arange(length) * self.grid // length, self.grid - 1) for length in grey.shape[1:]
        )
        cell = rows[:, None] * self.grid + columns[None, :]
        share = 1 / np.bincount(cell.ravel()) / self.grid**2
        histograms = np.empty((len(grey), self.grid**2 * PATTERNS), np.float32)
        for histogram, crop in zip(histograms, grey, strict=True):
            codes = local_binary_pattern(crop, 8, self.radius, "nri_uniform").astype(np.int64)  # type: ignore[no-untyped-call]
            histogram[:] = np.bincount((cell * PATTERNS + codes).ravel(), share[cell].ravel(), minlength=len(histogram))
        return histograms
