"""The trade between false matches and false non-matches, and what can be read off it.

Everything works along the last axis, so that many bootstrap replicates of one curve are measured at once.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Roc:
    """Comparisons counted at each different similarity; leading axes (…) hold replicates.

    A *point* p = 0 … T of the curve is the decision to accept the p highest similarities: at point 0 nothing matches.

    Args:
        similarity: (T,) falling, all different.
        mated: (…, T) weight of the mated comparisons of each similarity.
        non_mated: (…, T) weight of the non-mated ones.
        mated_failed: (…) weight of mated comparisons that match at no threshold, because a face was not found.
        non_mated_failed: (…) weight of non-mated ones.
    """

    similarity: Floats
    mated: Floats
    non_mated: Floats
    mated_failed: Floats
    non_mated_failed: Floats

    @cached_property
    def threshold(self) -> Floats:
        """(T + 1,) the threshold of each point, falling; that of point 0 is just above the highest similarity."""
        above = np.nextafter(self.similarity[:1], np.inf) if len(self.similarity) else np.zeros(1)
        return np.concatenate([above, self.similarity])

    @cached_property
    def mated_accepted(self) -> Floats:
        """(…, T + 1) weight of the mated comparisons that match."""
        return _accumulated(self.mated)

    @cached_property
    def non_mated_accepted(self) -> Floats:
        """(…, T + 1) weight of the non-mated comparisons that match."""
        return _accumulated(self.non_mated)

    @cached_property
    def mated_total(self) -> Floats:
        """(…) weight of all mated comparisons."""
        return np.asarray(self.mated_accepted[..., -1] + self.mated_failed)

    @cached_property
    def non_mated_total(self) -> Floats:
        """(…) weight of all non-mated comparisons."""
        return np.asarray(self.non_mated_accepted[..., -1] + self.non_mated_failed)

    @cached_property
    def tmr(self) -> Floats:
        """(…, T + 1) true match rate = 1 − FNMR = recall."""
        return _share(self.mated_accepted, self.mated_total)

    @cached_property
    def fnmr(self) -> Floats:
        """(…, T + 1) false non-match rate."""
        return _share(self.mated_total[..., None] - self.mated_accepted, self.mated_total)

    @cached_property
    def fmr(self) -> Floats:
        """(…, T + 1) false match rate."""
        return _share(self.non_mated_accepted, self.non_mated_total)

    @cached_property
    def precision(self) -> Floats:
        """(…, T + 1) share of the matches that are right; 1 at point 0, where there are none."""
        accepted = self.mated_accepted + self.non_mated_accepted
        with np.errstate(invalid="ignore"):
            return np.where(accepted > 0, self.mated_accepted / accepted, 1.0)

    @cached_property
    def accuracy(self) -> Floats:
        """(…, T + 1) share of the comparisons decided rightly."""
        right = self.mated_accepted + (self.non_mated_total[..., None] - self.non_mated_accepted)
        return _share(right, self.mated_total + self.non_mated_total)

    def point(self, threshold: float) -> int:
        """The point of the curve that a threshold gives: how many of the similarities are at or above it."""
        return int(np.searchsorted(-self.similarity, -threshold, side="right"))


def auc(roc: Roc) -> Floats:
    """(…) area under the curve of TMR over FMR = P(mated > non-mated) + ½ P(equal) (Mann & Whitney 1947)."""
    fmr, tmr = _closed(roc.fmr), _closed(roc.tmr)
    return np.asarray((np.diff(fmr) * (tmr[..., 1:] + tmr[..., :-1])).sum(axis=-1) / 2)


def average_precision(roc: Roc) -> Floats:
    """(…) Σ (R_p − R_{p−1}) P_p, without interpolation; scikit-learn's definition. A failed comparison is no recall."""
    return np.asarray((np.diff(roc.tmr) * roc.precision[..., 1:]).sum(axis=-1))


def equal_error_rate(roc: Roc) -> tuple[Floats, Floats]:
    """Where FMR = FNMR on the straight lines between the points of the curve, and the threshold there.

    Returns:
        (…) the rate, and (…) the threshold, linear between the thresholds of the two points.
    """
    fmr, fnmr = _closed(roc.fmr), _closed(roc.fnmr, last=0)
    threshold = np.append(roc.threshold, roc.threshold[-1])
    after = np.maximum((fmr >= fnmr).argmax(axis=-1), 1)[..., None]
    before = after - 1
    gap = fmr - fnmr
    below, above = np.take_along_axis(gap, before, -1), np.take_along_axis(gap, after, -1)
    with np.errstate(invalid="ignore"):
        way = -below / (above - below)
    start, end = np.take_along_axis(fmr, before, -1), np.take_along_axis(fmr, after, -1)
    rate = start + way * (end - start)
    return rate[..., 0], ((1 - way) * threshold[before] + way * threshold[after])[..., 0]


def precision_at_recall(roc: Roc, recall: float) -> Floats:
    """(…) the best precision of the thresholds whose recall is `recall` or more; 0 if failures leave none."""
    return np.asarray(np.where(roc.tmr >= recall, roc.precision, 0.0).max(axis=-1))


def recall_at_precision(roc: Roc, precision: float) -> Floats:
    """(…) the best recall of the thresholds whose precision is `precision` or more."""
    return np.asarray(np.where(roc.precision >= precision, roc.tmr, 0.0).max(axis=-1))


def point_at_fmr(roc: Roc, fmr: float) -> NDArray[np.int64]:
    """(…) the point with the lowest threshold whose false match rate is `fmr` or less."""
    return np.asarray((roc.fmr <= fmr * (1 + 1e-12)).sum(axis=-1) - 1).clip(0)


def at_point(rate: Floats, point: NDArray[np.int64]) -> Floats:
    """(…) the rate (…, T + 1) of each replicate at its own point (…)."""
    return np.asarray(np.take_along_axis(rate, point[..., None], -1)[..., 0])


def d_prime(roc: Roc) -> Floats:
    """(…) |μ₁ − μ₀| / √((σ₀² + σ₁²)/2) of the similarities (Green & Swets 1966; Daugman 2000); failures left out."""
    moments = []
    # Small numbers, whose squares lose no digits, and neither overflow nor vanish.
    scaled = roc.similarity / (np.abs(roc.similarity).max(initial=0) or 1)
    offset = scaled - scaled[len(scaled) // 2 : len(scaled) // 2 + 1]
    offset = offset / (np.abs(offset).max(initial=0) or 1)
    for weight in (roc.mated, roc.non_mated):
        with np.errstate(invalid="ignore", divide="ignore"):
            mean, square = (weight @ power / weight.sum(axis=-1) for power in (offset, offset**2))
        moments.append((mean, np.maximum(square - mean**2, 0)))
    (mated, mated_variance), (non_mated, non_mated_variance) = moments
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.abs(mated - non_mated) / np.sqrt((mated_variance + non_mated_variance) / 2))


def _accumulated(weight: Floats) -> Floats:
    return np.concatenate([np.zeros((*weight.shape[:-1], 1)), np.cumsum(weight, axis=-1)], axis=-1)


def _share(part: Floats, total: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return part / total[..., None]


def _closed(rate: Floats, last: float = 1) -> Floats:
    """`rate` with a last point where all match, failures too: they tie below every similarity."""
    return np.concatenate([rate, np.full((*rate.shape[:-1], 1), last)], axis=-1)
