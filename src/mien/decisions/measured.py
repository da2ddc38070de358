"""What a calibration is made of."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.decisions.rate import Rate


@dataclass(frozen=True, slots=True)
class EncoderIdentity:
    """Which encoder made the embeddings: its name and the hash that a model card's `identity()` gives."""

    name: str
    identity: str

    def to_dict(self) -> dict[str, str]:
        """The encoder as the JSON of decisions names it: name, sha256."""
        return {"name": self.name, "sha256": self.identity}


@dataclass(frozen=True, slots=True)
class CalibrationData:
    """The photos behind a calibration.

    Args:
        name: What the set is called, such as ``"lfw"``.
        people: How many different people are in it.
        photos: How many embeddings were compared.
        photos_without_face: How many photos more had no face, and so no part in any rate.
        mated: Comparisons of two photos of one person.
        non_mated: Comparisons of two photos of different people.
        mated_people: How many people have two photos or more.
        list_sha256: SHA-256 over the list of photos; "" if no list was given.
    """

    name: str
    people: int
    photos: int
    photos_without_face: int
    mated: int
    non_mated: int
    mated_people: int
    list_sha256: str


@dataclass(frozen=True, slots=True)
class TailModel:
    """Generalised Pareto distribution of the highest non-mated similarities.

    P(s ≥ t) = rate · (1 + shape·(t − start)/scale)^(−1/shape) for t ≥ start (Pickands 1975).
    It describes the tail; no threshold is taken from it beyond what the comparisons themselves support.

    Args:
        start: The similarity where the tail begins.
        rate: The false match rate at `start`.
        shape: ξ of the distribution; below 0 the tail ends at start − scale/shape.
        scale: σ of the distribution, above 0.
        exceedances: How many comparisons are in the tail.
        tested: How many of them, no person in two of them, the test was made on.
        statistic: Anderson–Darling statistic of the test.
        p_value: Its p-value by parametric bootstrap; below 0.05 the model does not fit.
    """

    start: float
    rate: float
    shape: float
    scale: float
    exceedances: int
    tested: int
    statistic: float
    p_value: float


@dataclass(frozen=True, eq=False)
class RateCurve:
    """An error rate at each similarity of a grid, with its pointwise 95 % interval: three float64 arrays (G,)."""

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def __post_init__(self) -> None:
        if not self.low.shape == self.value.shape == self.high.shape:
            raise ValueError("an error rate and its interval are not as long")
        inside = (self.low >= 0) & (self.low <= self.value) & (self.value <= self.high) & (self.high <= 1)
        if not inside.all():
            raise ValueError("an error rate lies outside its interval or outside [0, 1]")

    def at(self, similarity: float, grid: NDArray[np.float64]) -> Rate:
        """The rate at `similarity`, linear between the points of the grid."""
        low, value, high = (float(np.interp(similarity, grid, curve)) for curve in (self.low, self.value, self.high))
        return Rate(min(max(value, low), high), low, high)

    def falls(self) -> bool:
        """Whether the rate and its interval never increase with the similarity."""
        return all(bool((np.diff(curve) <= 0).all()) for curve in (self.value, self.low, self.high))

    def rises(self) -> bool:
        """Whether the rate and its interval never decrease with the similarity."""
        return all(bool((np.diff(curve) >= 0).all()) for curve in (self.value, self.low, self.high))


@dataclass(frozen=True, eq=False)
class LikelihoodMap:
    """Similarity to natural log-likelihood ratio: linear between knots, constant (capped) outside them.

    Args:
        method: How it was fitted: ``"logistic"`` or ``"isotonic"``.
        similarity: (K,) increasing.
        log_likelihood_ratio: (K,) never decreasing.
        cllr: Cost of each method tried, in bits, on people that it was not fitted to; 0 is perfect, 1 says nothing.
    """

    method: str
    similarity: NDArray[np.float64]
    log_likelihood_ratio: NDArray[np.float64]
    cllr: Mapping[str, float]

    def __post_init__(self) -> None:
        same_length = self.similarity.shape == self.log_likelihood_ratio.shape
        if not same_length or self.similarity.ndim != 1 or not len(self.similarity):
            raise ValueError("a map to log-likelihood ratios needs as many ratios as similarities, and one at least")
        if not np.isfinite([self.similarity, self.log_likelihood_ratio]).all():
            raise ValueError("a map to log-likelihood ratios holds what is no number")
        if (np.diff(self.similarity) <= 0).any() or (np.diff(self.log_likelihood_ratio) < 0).any():
            raise ValueError("a map to log-likelihood ratios must increase")

    def __call__(self, similarity: float) -> float:
        """The log-likelihood ratio of `similarity`."""
        return float(np.interp(similarity, self.similarity, self.log_likelihood_ratio))
