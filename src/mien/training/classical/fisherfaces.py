from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline, make_pipeline

from mien.training.classical.crops import pixel_rows


class Fisherfaces(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Crops as coordinates that differ between people and not within one (Belhumeur, Hespanha & Kriegman 1997).

    Principal components first, so that the scatter within people can be inverted; then linear discriminants, whose
    scatter within people is the identity. Compare the coordinates by cosine.

    Args:
        principal: How many principal components; fewer where there are fewer crops than that and people together.
        side: Crops are shrunk to this many pixels a side.
        shrinkage: Of the scatter within people towards a multiple of the identity, in [0, 1].
        seed: Of the randomised decomposition.

    Attributes:
        pipeline_: The fitted steps.
    """

    def __init__(self, principal: int = 300, side: int = 64, shrinkage: float = 0.1, seed: int = 0) -> None:
        self.principal = principal
        self.side = side
        self.shrinkage = shrinkage
        self.seed = seed

    def fit(self, crops: NDArray[np.uint8], people: Sequence[Any] | NDArray[Any]) -> Self:
        """Learn from crops of people with several each.

        Args:
            crops: (N, H, W) or (N, H, W, 3) uint8.
            people: (N,) whose each is; two people at least, and more crops than people.

        Raises:
            ValueError: If there are too few.
        """
        spare = len(crops) - len(np.unique(np.asarray(people)))
        if spare < 1:
            raise ValueError(f"{len(crops)} crops of as many people say nothing about the scatter within a person")
        self.pipeline_: Pipeline = make_pipeline(
            PCA(min(self.principal, spare), svd_solver="randomized", random_state=self.seed),
            LinearDiscriminantAnalysis(solver="eigen", shrinkage=self.shrinkage),
        )
        self.pipeline_.fit(pixel_rows(crops, self.side), np.asarray(people))
        return self

    def transform(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The coordinates of crops, float32: (N, fewer than there were people), at most `principal`."""
        return np.asarray(self.pipeline_.transform(pixel_rows(crops, self.side)), np.float32)
