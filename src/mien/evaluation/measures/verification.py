from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.decisions.calibration import Calibration
from mien.evaluation.intervals.bootstrap import replicates
from mien.evaluation.measures import roc
from mien.evaluation.measures.costs import calibration_error, cllr_of, min_cllr
from mien.evaluation.measures.counted import count_listed, count_pairs
from mien.evaluation.measures.curves import ErrorCurve, curve_points, drawn_curve, error_curve
from mien.evaluation.measures.estimate import Measure, Unsupported
from mien.evaluation.measures.estimating import FIT_TOO_WELL, Estimating
from mien.evaluation.measures.json_ready import JsonFields
from mien.evaluation.measures.recall_at_precision import PRECISION, recall_estimate, surplus
from mien.evaluation.measures.roc import Roc
from mien.evaluation.scores.comparisons import Comparisons
from mien.evaluation.scores.pair_scores import EDGES, STEP, PairScores

Floats = NDArray[np.float64]
Histograms = tuple[tuple[NDArray[np.int64], Floats], tuple[NDArray[np.int64], Floats]]
"""Counts and edges of the mated, and of the non-mated similarities."""

RATES = ("1e-1", "1e-2", "1e-3", "1e-4", "1e-5", "1e-6")
"""False match rates at which the others are given."""

HISTOGRAM_BINS = 100
_UNCALIBRATED = "similarities have no likelihood ratio without a calibration of mated comparisons"


@dataclass(frozen=True, eq=False)
class ThresholdMeasures(JsonFields):
    """What one given threshold does: similarity ≥ threshold is a match."""

    threshold: float
    accuracy: Measure
    precision: Measure
    recall: Measure
    f1: Measure
    fmr: Measure
    fnmr: Measure


@dataclass(frozen=True, eq=False)
class VerificationMeasures(JsonFields):
    """How well similarities tell mated from non-mated comparisons, every comparison weighing the same.

    Attributes:
        mated: Comparisons of two photos of one person that count.
        non_mated: Comparisons of two people that count.
        mated_failed: Mated comparisons without a similarity.
        non_mated_failed: Non-mated ones.
        auc: P(mated > non-mated) + ½ P(equal).
        eer: The rate where FMR = FNMR, on straight lines between the points of the curve.
        eer_threshold: The threshold there.
        accuracy: At the threshold that is best for these comparisons, so a little too good; its interval is not.
        best_threshold: That threshold, the highest of several.
        average_precision: Σ (R_p − R_{p−1}) P_p.
        precision_at_recall_095: The best precision among thresholds with a recall of 0.95 or more.
        recall_at_precision_095: The best recall among thresholds with a precision of 0.95 or more.
        d_prime: |μ₁ − μ₀| / √((σ₀² + σ₁²)/2).
        cllr: Cost of the calibration's log-likelihood ratios, in bits.
        min_cllr: The least cost that any map with the same order has on these comparisons, so a little too good; its
            interval corrects that.
        calibration_error: Expected calibration error of the calibration's probabilities at a prior of ½, 15 bins.
        tar_at_far: 1 − FNMR at the lowest threshold whose FMR is the key or less ("1e-3" …).
        fnmr_at_fmr: FNMR there.
        threshold_at_fmr: The threshold there.
        at_threshold: Measures at a given threshold.
        curve: FMR and FNMR against the threshold.
        mated_histogram: Counts (C,) and edges (C + 1,) of the mated similarities.
        non_mated_histogram: Counts over the same edges of the non-mated ones.
    """

    mated: int
    non_mated: int
    mated_failed: int
    non_mated_failed: int
    auc: Measure
    eer: Measure
    eer_threshold: float | None
    accuracy: Measure
    best_threshold: float | None
    average_precision: Measure
    precision_at_recall_095: Measure
    recall_at_precision_095: Measure
    d_prime: Measure
    cllr: Measure
    min_cllr: Measure
    calibration_error: Measure
    tar_at_far: dict[str, Measure]
    fnmr_at_fmr: dict[str, Measure]
    threshold_at_fmr: dict[str, Measure]
    at_threshold: ThresholdMeasures | None
    curve: ErrorCurve
    mated_histogram: tuple[NDArray[np.int64], Floats]
    non_mated_histogram: tuple[NDArray[np.int64], Floats]


def verification_measures(
    scores: Comparisons | PairScores,
    *,
    without_face: Sequence[str] = (),
    threshold: float | None = None,
    calibration: Calibration | None = None,
    failures_are_errors: bool = False,
    resamples: int = 1000,
    seed: int = 0,
) -> VerificationMeasures:
    """Measure verification, with 95 % intervals by drawing the people again.

    Listed `Comparisons` are measured exactly. `PairScores` are measured by their histograms: similarities in one bin of
    1/2000 count as equal, and thresholds are edges of bins: a given one is taken up to the next.

    Args:
        scores: What was compared.
        without_face: Of `PairScores`, whose the photos are that gave no face.
        threshold: A threshold to measure at, beside those that the comparisons themselves give.
        calibration: Maps similarities to log-likelihood ratios, for `cllr` and `calibration_error`.
        failures_are_errors: Where a photo gave no face, nothing can match: a mated comparison is then a miss, and a
            non-mated one is rightly no match (the generalised rates of ISO/IEC 19795-1). By default such comparisons
            are counted but have no part in the measures. As they have no similarity, they never have one in `d_prime`,
            `cllr`, `min_cllr` and `calibration_error`.
        resamples: Bootstrap replicates.
        seed: Of the draws.
    """
    if isinstance(scores, PairScores):
        counted = count_pairs(scores, without_face, failures_are_errors=failures_are_errors)
        histograms, ratio = _binned(scores), _ratio(calibration, STEP / 2)
        if threshold is not None and threshold <= EDGES[-1]:
            threshold = float(EDGES[np.searchsorted(EDGES, threshold)])
    else:
        splits = () if threshold is None else (threshold,)
        counted = count_listed(
            scores.similarity, scores.mated, scores.people, failures_are_errors=failures_are_errors, splits=splits
        )
        histograms, ratio = _histograms(scores), _ratio(calibration, 0)
    asked = _Asked(threshold, ratio, curve_points(counted.similarity))
    exact = asked(counted.roc)
    drawn = replicates(counted.sample, lambda counts: asked(counted.curves(counts)), resamples=resamples, seed=seed)
    give = Estimating(exact, drawn, counted)
    curve = error_curve(counted, asked.points, exact, drawn)
    return VerificationMeasures(
        mated=counted.mated,
        non_mated=counted.non_mated,
        mated_failed=counted.mated_failed,
        non_mated_failed=counted.non_mated_failed,
        auc=give.share("auc"),
        eer=give.share("eer"),
        eer_threshold=give.number("eer_threshold"),
        accuracy=give.share("accuracy", chosen=True),
        best_threshold=give.number("best_threshold"),
        average_precision=give.share("average_precision"),
        precision_at_recall_095=give.share("precision_at_recall_095"),
        recall_at_precision_095=recall_estimate(give, asked.points, curve),
        d_prime=give.measure("d_prime", least=0),
        cllr=give.cost("cllr") if ratio else Unsupported(_UNCALIBRATED),
        min_cllr=give.cost("min_cllr", most=1, of_more_than=FIT_TOO_WELL),
        calibration_error=give.cost("calibration_error") if ratio else Unsupported(_UNCALIBRATED),
        tar_at_far={rate: give.at_rate(f"tar_at_far {rate}", rate, give.mated_share) for rate in RATES},
        fnmr_at_fmr={rate: give.at_rate(f"fnmr_at_fmr {rate}", rate, give.mated_share) for rate in RATES},
        threshold_at_fmr={rate: give.at_rate(f"threshold_at_fmr {rate}", rate, give.threshold) for rate in RATES},
        at_threshold=None
        if threshold is None
        else ThresholdMeasures(
            threshold=float(threshold),
            accuracy=give.share("accuracy at"),
            precision=give.share("precision at"),
            recall=give.mated_share("recall at"),
            f1=give.share("f1 at"),
            fmr=give.non_mated_share("fmr at"),
            fnmr=give.mated_share("fnmr at"),
        ),
        curve=curve,
        mated_histogram=histograms[0],
        non_mated_histogram=histograms[1],
    )


def verification_values(curve: Roc) -> dict[str, Floats]:
    """The measures of curves that need nothing else, by name, each (…) of the curves' leading axes."""
    eer, eer_threshold = roc.equal_error_rate(curve)
    values = {
        "auc": roc.auc(curve),
        "eer": eer,
        "eer_threshold": eer_threshold,
        "accuracy": curve.accuracy.max(axis=-1),
        "best_threshold": curve.threshold[curve.accuracy.argmax(axis=-1)],
        "average_precision": roc.average_precision(curve),
        "precision_at_recall_095": roc.precision_at_recall(curve, 0.95),
        "recall_at_precision_095": roc.recall_at_precision(curve, PRECISION),
        "d_prime": roc.d_prime(curve),
        "min_cllr": min_cllr(curve.mated, curve.non_mated),
    }
    for rate in RATES:
        point = roc.point_at_fmr(curve, float(rate))
        values |= {
            f"tar_at_far {rate}": roc.at_point(curve.tmr, point),
            f"fnmr_at_fmr {rate}": roc.at_point(curve.fnmr, point),
            f"threshold_at_fmr {rate}": curve.threshold[point],
        }
    return values


@dataclass(frozen=True, eq=False)
class _Asked:
    """What is measured of every curve, the comparisons' own and each replicate's.

    Args:
        threshold: Measured at, where given.
        ratio: Similarity to natural log-likelihood ratio, where a calibration is given.
        points: (C,) thresholds of the curve that is drawn.
    """

    threshold: float | None
    ratio: Callable[[Floats], Floats] | None
    points: Floats

    def __call__(self, curve: Roc) -> dict[str, Floats]:
        values = verification_values(curve) | drawn_curve(curve, self.points) | surplus(curve, self.points)
        if self.ratio is not None:
            ratio = self.ratio(curve.similarity)
            values["cllr"] = cllr_of(ratio, curve.mated, curve.non_mated)
            values["calibration_error"] = calibration_error(ratio, curve.mated, curve.non_mated)
        if self.threshold is not None:
            point = curve.point(self.threshold)
            recall, precision = curve.tmr[..., point], curve.precision[..., point]
            with np.errstate(invalid="ignore"):
                f1 = np.where(recall > 0, 2 * precision * recall / (precision + recall), 0.0)
            values |= {
                "accuracy at": curve.accuracy[..., point],
                "precision at": precision,
                "recall at": recall,
                "f1 at": f1,
                "fmr at": curve.fmr[..., point],
                "fnmr at": curve.fnmr[..., point],
            }
        return values


def _ratio(calibration: Calibration | None, shift: float) -> Callable[[Floats], Floats] | None:
    """The calibration's map, if it has one; `shift` is added to similarities that stand for the bin above them."""
    if calibration is None or calibration.likelihood is None:
        return None
    knots = calibration.likelihood
    return lambda similarity: np.interp(np.minimum(similarity + shift, 1), knots.similarity, knots.log_likelihood_ratio)


def _histograms(scores: Comparisons) -> Histograms:
    known = ~np.isnan(scores.similarity)
    low, high = (scores.similarity[known].min(), scores.similarity[known].max()) if known.any() else (0.0, 1.0)
    if high - low <= 1e-9 * max(-low, high, 1e-290):  # too close to each other for bins
        around = max(abs(low), 1) / 2
        low, high = low - around, high + around
    edges = np.linspace(low, high, HISTOGRAM_BINS + 1)
    mated, non_mated = (
        np.histogram(scores.similarity[known & kind], edges)[0] for kind in (scores.mated, ~scores.mated)
    )
    return (mated.astype(np.int64), edges), (non_mated.astype(np.int64), edges)


def _binned(scores: PairScores) -> Histograms:
    """The histograms of all pairs in bins of 0.01."""
    starts = np.arange(0, len(EDGES) - 1, 20)
    edges = np.append(EDGES[starts], 1.0)
    mated, non_mated = (np.add.reduceat(counts, starts) for counts in (scores.mated, scores.non_mated))
    return (mated, edges), (non_mated, edges)
