from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.evaluation.intervals.bootstrap import Replicates, share_limits
from mien.evaluation.intervals.proportions import monotone_limits
from mien.evaluation.measures.counted import Counted
from mien.evaluation.measures.json_ready import JsonFields
from mien.evaluation.measures.roc import Roc

Floats = NDArray[np.float64]

MOST_POINTS = 1000


@dataclass(frozen=True, eq=False)
class ErrorCurve(JsonFields):
    """False match and false non-match rates against the threshold, for plots: C points, at most about 1,000.

    The values are exact at their thresholds, the first of which accepts nothing and the last everything.

    Args:
        thresholds: (C,) falling.
        fmr: (C,) rising.
        fmr_low: (C,) lower ends of its 95 % intervals, pointwise.
        fmr_high: (C,) upper ends.
        fnmr: (C,) falling.
        fnmr_low: (C,) lower ends of its 95 % intervals, pointwise.
        fnmr_high: (C,) upper ends.
    """

    thresholds: Floats
    fmr: Floats
    fmr_low: Floats
    fmr_high: Floats
    fnmr: Floats
    fnmr_low: Floats
    fnmr_high: Floats


def curve_points(similarity: Floats) -> Floats:
    """(C,) the thresholds to draw, of those that replicates tell apart."""
    if len(similarity) <= MOST_POINTS:
        return similarity
    return similarity[np.linspace(0, len(similarity) - 1, MOST_POINTS).round().astype(np.int64)]


def drawn_curve(curve: Roc, thresholds: Floats) -> dict[str, Floats]:
    """FMR and FNMR (…, C + 1): at a threshold above all, and at each of `thresholds`."""
    points = points_of(curve, thresholds)
    return {"curve fmr": curve.fmr[..., points], "curve fnmr": curve.fnmr[..., points]}


def points_of(curve: Roc, thresholds: Floats) -> NDArray[np.int64]:
    """(C + 1,) the points of a curve that `thresholds` (C,) give, after the one that accepts nothing."""
    return np.concatenate([[0], np.searchsorted(-curve.similarity, -thresholds, side="right")])


def error_curve(counted: Counted, thresholds: Floats, exact: dict[str, Floats], drawn: Replicates) -> ErrorCurve:
    """The curve with its bands, from the measures that `drawn_curve` gave."""
    bands = []
    for name, fewest, most, lend, sign in (
        ("curve fmr", counted.sample.non_mated_people, counted.non_mated, True, 1),
        ("curve fnmr", counted.sample.mated_people, counted.mated, False, -1),
    ):
        low, high = share_limits(exact[name], drawn.variance(name), fewest=fewest, most=most, lend=lend)
        low, high = monotone_limits(low, high, rising=sign > 0)
        bands += [exact[name], low, high]
    return ErrorCurve(np.concatenate([counted.roc.threshold[:1], thresholds]), *bands)
