from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA

from mien.training.classical.crops import pixel_rows


class Eigenfaces(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Crops as coordinates along the principal components of crops (Turk & Pentland 1991), whitened.

    Compare the coordinates by cosine. Whitening keeps the first ones, which are mostly light, from deciding.

    Args:
        components: How many coordinates.
        side: Crops are shrunk to this many pixels a side.
        seed: Of the randomised decomposition.

    Attributes:
        pca_: The fitted decomposition; a row of ``pca_.components_`` as a (side, side) picture is an eigenface.
    """

    def __init__(self, components: int = 200, side: int = 64, seed: int = 0) -> None:
        self.components = components
        self.side = side
        self.seed = seed

    def fit(self, crops: NDArray[np.uint8], people: Any = None) -> Self:
        """Learn the components from (N, H, W) or (N, H, W, 3) uint8 crops, N above `components`; labels aren't used."""
        self.pca_ = PCA(self.components, whiten=True, svd_solver="randomized", random_state=self.seed)
        self.pca_.fit(pixel_rows(crops, self.side))
        return self

    def transform(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The coordinates of crops, (N, components) float32."""
        return np.asarray(self.pca_.transform(pixel_rows(crops, self.side)), np.float32)
