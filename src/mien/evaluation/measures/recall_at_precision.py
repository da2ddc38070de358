"""The interval of the best recall at a precision, which a handful of comparisons may decide.

That recall is a maximum over thresholds and jumps from draw to draw where few comparisons reach the precision, so that
neither the spread of its replicates nor its own variance says how far off it may be. Whether *one* threshold has the
precision can be told well, though. So the recall is between that of the last threshold that surely has it and that of
the last one that may: a test, "the precision here is P", turned into an interval (Neyman 1937).
"""

import numpy as np
import scipy
from numpy.typing import NDArray

from mien.evaluation.intervals.proportions import CONFIDENCE
from mien.evaluation.measures.curves import ErrorCurve, points_of
from mien.evaluation.measures.estimate import Estimate, Measure
from mien.evaluation.measures.estimating import Estimating
from mien.evaluation.measures.roc import Roc

Floats = NDArray[np.float64]

PRECISION = 0.95
_RECALL, _SURPLUS = "recall_at_precision_095", "surplus"


def surplus(curve: Roc, thresholds: Floats) -> dict[str, Floats]:
    """(…, C + 1) by how many the right matches exceed their share `PRECISION` of all, at the points of a drawn curve.

    It is 0 or more where the precision is reached and, unlike that, a sum over comparisons.
    """
    points = points_of(curve, thresholds)
    right, wrong = curve.mated_accepted[..., points], curve.non_mated_accepted[..., points]
    return {_SURPLUS: right * (1 - PRECISION) - wrong * PRECISION}


def recall_estimate(give: Estimating, thresholds: Floats, curve: ErrorCurve) -> Measure:
    """The best recall at `PRECISION`, with its 95 % interval.

    Args:
        give: The comparisons and their replicates, measured with `surplus`.
        thresholds: (C,) of the drawn curve.
        curve: The drawn curve with its bands, C + 1 points.
    """
    if undefined := give.undefined(_RECALL):
        return undefined
    value, roc = float(give.exact[_RECALL]), give.counted.roc
    accepted = (roc.mated_accepted + roc.non_mated_accepted)[points_of(roc, thresholds)]
    # Independent comparisons with this precision have at least that variance, also where none of them was wrong.
    variance = np.maximum(give.drawn.variance(_SURPLUS), accepted * PRECISION * (1 - PRECISION))
    far = scipy.stats.t.isf((1 - CONFIDENCE) / 2, max(give.fewest - 1, 1)) * np.sqrt(variance)
    above = give.exact[_SURPLUS]
    recall = 1 - curve.fnmr
    surely = recall[above > far].max(initial=0.0)
    perhaps = recall[above >= -far].max(initial=0.0)
    # How well the recall at one threshold is known comes on top, as an independent error.
    at = int(np.abs(recall - value).argmin())
    low = value - np.hypot(max(value - surely, 0), curve.fnmr_high[at] - curve.fnmr[at])
    high = value + np.hypot(max(perhaps - value, 0), curve.fnmr[at] - curve.fnmr_low[at])
    return Estimate(value, max(float(low), 0.0), min(float(high), 1.0))
