from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from mien.blas_threads import one_thread_a_product
from mien.errors import MissingExtraError
from mien.progress import track
from mien.training.classical.crops import grey_crops

SAMPLE = 100_000
"""Descriptors that the mixture is fitted to."""


class SiftFisherVectors(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Crops as Fisher vectors of dense SIFT (Simonyan, Parkhi, Vedaldi & Zisserman 2013, *Fisher vector faces*).

    SIFT descriptors (Lowe 2004) on a grid at several scales, square-rooted (Arandjelović & Zisserman 2012), reduced to
    64 dimensions and joined with their place in the crop; a Gaussian mixture of them; each crop's improved Fisher
    vector (Perronnin, Sánchez & Mensink 2010), whitened by principal components. Compare by cosine.

    Args:
        words: Gaussians of the mixture.
        components: Coordinates at the end.
        step: Between descriptors, in pixels.
        sizes: Diameters of the descriptors, in pixels.
        seed: Of the sample, the mixture and the decompositions.

    Raises:
        MissingExtraError: scikit-image is not installed.
    """

    def __init__(
        self,
        words: int = 32,
        components: int = 200,
        step: int = 6,
        sizes: tuple[float, ...] = (8.0, 12.0),
        seed: int = 0,
    ) -> None:
        self.words = words
        self.components = components
        self.step = step
        self.sizes = sizes
        self.seed = seed

    def fit(self, crops: NDArray[np.uint8], people: Any = None) -> Self:
        """Learn from (N, H, W) or (N, H, W, 3) uint8 crops, N above `components`; labels aren't used."""
        grey = grey_crops(crops)
        rng = np.random.default_rng(self.seed)
        some = grey[np.sort(rng.permutation(len(grey))[: SAMPLE // self._descriptors(grey[0]).shape[0] + 1])]
        described = [self._descriptors(crop) for crop in some]
        self.descriptors_ = PCA(64, random_state=self.seed).fit(np.concatenate(described))
        self.mixture_ = GaussianMixture(
            self.words, covariance_type="diag", reg_covar=1e-4, max_iter=50, tol=1e-2, random_state=self.seed
        )
        placed = [self._placed(crop, descriptors) for crop, descriptors in zip(some, described, strict=True)]
        self.mixture_.fit(np.concatenate(placed))
        self.pca_ = PCA(self.components, whiten=True, svd_solver="randomized", random_state=self.seed)
        self.pca_.fit(self._fisher_vectors(grey))
        return self

    def transform(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The coordinates of crops, (N, components) float32."""
        return np.asarray(self.pca_.transform(self._fisher_vectors(grey_crops(crops))), np.float32)

    def _fisher_vectors(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        try:
            from skimage.feature import fisher_vector
        except ImportError as error:
            raise MissingExtraError("classical", "making Fisher vectors") from error
        vectors = np.empty((len(grey), self.words * (1 + 2 * 66)), np.float32)
        with one_thread_a_product:  # the matrices of one crop are too small to share among threads
            for row, crop in enumerate(track(grey, "describing crops", len(grey))):
                vectors[row] = fisher_vector(self._placed(crop, self._descriptors(crop)), self.mixture_, improved=True)  # type: ignore[no-untyped-call]
        return vectors

    def _placed(self, crop: NDArray[np.uint8], descriptors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The descriptors of a crop, reduced, each with its place in [−½, ½]²: (descriptors, 66) float32."""
        place = np.tile(self._grid(crop) / np.array(crop.shape[::-1], np.float32) - 0.5, (len(self.sizes), 1))
        return np.concatenate([self.descriptors_.transform(descriptors), place], axis=1, dtype=np.float32)

    def _descriptors(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Square-rooted SIFT at every place of the grid and every size: (descriptors, 128) float32."""
        points = [cv2.KeyPoint(float(x), float(y), size, 0) for size in self.sizes for x, y in self._grid(crop)]
        found = cv2.SIFT.create().compute(crop, points)[1]
        assert found is not None
        return np.asarray(np.sqrt(found / np.maximum(found.sum(axis=1, keepdims=True), 1)), np.float32)

    def _grid(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        margin = int(max(self.sizes))
        rows, columns = (np.arange(margin, length - margin + 1, self.step) for length in crop.shape)
        return np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2).astype(np.float32)
