"""What a metric is: one way to say how alike two vectors are."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.floating[Any]]


class Metric(ABC):
    """One way to say how alike two vectors are, as a similarity (greater = more alike) and as a distance.

    A metric compares along the last axis. It accumulates in float64 and answers in the precision it was asked in:
    float32 vectors give float32, float64 gives float64, half precision and booleans give float32, integers as NumPy
    promotes them with float32.

    A new metric is one file with `_value` (and `_all_values` where a matrix product is faster), and one line in
    `mien.similarity.registry.METRICS`.

    Attributes:
        name: What the registry calls it.
        obeys_triangle: Whether its distance satisfies the triangle inequality.
    """

    name: ClassVar[str]
    obeys_triangle: ClassVar[bool]

    def distance(self, a: ArrayLike, b: ArrayLike) -> Floats:
        """The distance of each vector of `a` from its counterpart in `b`.

        Args:
            a: (…, D) vectors.
            b: (…, D) vectors; the leading axes broadcast against those of `a`.

        Returns:
            (…) distances, 0 or greater.

        Raises:
            ValueError: The shapes don't fit, or a value is NaN, infinite or outside the metric's domain.
            TypeError: The values are not real numbers.
        """
        a, b = self._checked(a, b)
        return self._as_distance(self._paired(a, b))

    def similarity(self, a: ArrayLike, b: ArrayLike) -> Floats:
        """The similarity of each vector of `a` to its counterpart in `b`: as `distance`, but greater = more alike."""
        a, b = self._checked(a, b)
        return self._as_similarity(self._paired(a, b))

    def prepared(self, vectors: ArrayLike) -> Floats:
        """`vectors` as a floating-point array that this metric can compare.

        Raises:
            ValueError: There is no axis to compare along, or a value is NaN, infinite or outside the metric's domain.
            TypeError: The values are not real numbers.
        """
        array = np.asarray(vectors)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{self.name}: vectors of real numbers are needed, not of {array.dtype}.")
        if array.ndim == 0:
            raise ValueError(f"{self.name}: a vector has at least one axis; this is the single number {array}.")
        array = array.astype(np.result_type(array, np.float32), copy=False)
        if not _all_finite(array):
            raise ValueError(f"{self.name}: a vector holds NaN or infinity, which is like nothing and unlike nothing.")
        if complaint := self._complaint(array):
            raise ValueError(f"{self.name}: {complaint}")
        return array

    def all_values(self, a: Floats, b: Floats, *, distances: bool = False) -> Floats:
        """Every vector of `a` against every vector of `b` in one piece; both `prepared`, of one dtype and width.

        Args:
            a: (N, D) vectors.
            b: (M, D) vectors.
            distances: Distances instead of similarities.

        Returns:
            (N, M) values of the dtype of `a`. `mien.similarity.all_pairs` is the public way here, in bounded memory.
        """
        with np.errstate(over="ignore", under="ignore"):
            values = self._all_values(a, b).astype(a.dtype, copy=False)
        return self._as_distance(values) if distances else self._as_similarity(values)

    @abstractmethod
    def _value(self, a: Floats, b: Floats) -> Floats:
        """The metric's own value of float64 vectors (…, D) and (…, D) that broadcast."""

    def _all_values(self, a: Floats, b: Floats) -> Floats:
        """The metric's own values (N, M) of (N, D) and (M, D)."""
        values = np.empty((len(a), len(b)), a.dtype)
        b = b.astype(np.float64, copy=False)
        for row, vector in enumerate(a.astype(np.float64, copy=False)):
            values[row] = self._value(vector, b)
        return values

    def _complaint(self, vectors: Floats) -> str:
        """What the metric is not defined for in `vectors`, as a sentence; "" if nothing."""
        return ""

    def _as_distance(self, value: Floats) -> Floats:
        return value

    def _as_similarity(self, value: Floats) -> Floats:
        return -value

    def _checked(self, a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
        return same_width(self, self.prepared(a), self.prepared(b))

    def _paired(self, a: Floats, b: Floats) -> Floats:
        with np.errstate(over="ignore", under="ignore"):
            value = self._value(a.astype(np.float64, copy=False), b.astype(np.float64, copy=False))
            return np.asarray(value).astype(a.dtype)


class ShareMetric(Metric):
    """A metric whose own value is a similarity with 1 as its greatest; its distance is 1 − similarity."""

    def _as_distance(self, value: Floats) -> Floats:
        return 1 - value

    def _as_similarity(self, value: Floats) -> Floats:
        return value


def same_width(metric: Metric, a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """`a` and `b` in their common precision, if their vectors are equally long; ValueError if not."""
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(f"{metric.name}: vectors of {a.shape[-1]} and of {b.shape[-1]} values can't be compared.")
    dtype = np.result_type(a, b)
    return a.astype(dtype, copy=False), b.astype(dtype, copy=False)


def _all_finite(array: Floats) -> bool:
    # One sum is cheaper than one boolean per value, and is finite unless a value is not or the sum itself overflows.
    with np.errstate(over="ignore", invalid="ignore"):
        total = array.sum()
    return bool(np.isfinite(total) or np.isfinite(array).all())
