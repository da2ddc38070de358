from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.evaluation.intervals.bootstrap import replicates
from mien.evaluation.intervals.clustered import clustered_shares
from mien.evaluation.measures import roc
from mien.evaluation.measures.counted import Counted, count_listed
from mien.evaluation.measures.curves import curve_points, drawn_curve, error_curve
from mien.evaluation.measures.estimate import Estimate, Measure, Unsupported
from mien.evaluation.measures.estimating import Estimating
from mien.evaluation.measures.json_ready import JsonFields
from mien.evaluation.measures.roc import Roc
from mien.evaluation.scores.searches import Searches

Floats = NDArray[np.float64]

FPIRS = ("0.003", "0.01", "0.1")
"""False positive identification rates at which the others are given (NIST FRTE 1:N)."""
STRANGERS = ("stranger's search", "strangers' searches")
MOST_RANKS = 50
"""Candidates of a search in investigation mode, and ranks of the CMC."""


@dataclass(frozen=True, eq=False)
class RankCurve(JsonFields):
    """Cumulative match characteristic: the share of mated probes whose mate is within each rank, whatever its score.

    Args:
        ranks: (R,) 1, 2, …
        value: (R,) rising.
        low: (R,) lower ends of its 95 % intervals.
        high: (R,) upper ends.
    """

    ranks: NDArray[np.int64]
    value: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class SearchErrorCurve(JsonFields):
    """FPIR and FNIR against the threshold, for plots; as `ErrorCurve`."""

    thresholds: Floats
    fpir: Floats
    fpir_low: Floats
    fpir_high: Floats
    fnir: Floats
    fnir_low: Floats
    fnir_high: Floats


@dataclass(frozen=True, slots=True)
class SearchThresholdMeasures(JsonFields):
    """What one given threshold does to searches."""

    threshold: float
    fpir: Measure
    fnir: Measure


@dataclass(frozen=True, eq=False)
class IdentificationMeasures(JsonFields):
    """How well probes find their mates in a gallery, and strangers nobody.

    A search at a threshold t gives the people whose similarity is t or more. FPIR(t) is the share of the strangers'
    searches that give anybody. FNIR(t), in NIST's identification mode, is the share of the mated searches whose mate is
    not the first, or is below t; equal similarities count against us. Intervals are over the people whose probes these
    are, for this one gallery.

    Attributes:
        gallery_people: People in the gallery.
        gallery_templates: Templates in the gallery.
        mated_probes: Probes of people in the gallery.
        stranger_probes: Probes of people who are not.
        failed: Probes without a face, of either kind.
        cmc: By rank, up to 50; no ranks without mated probes.
        rank_1: Share of mated probes whose mate comes first.
        rank_5: Within the first 5.
        rank_10: Within the first 10.
        precision_at_1: Share of mated probes whose most alike template is the mate's: as `rank_1`.
        map_at_r: Mean average precision at R over templates (Musgrave et al. 2020), R being how many the mate has.
        fnir_at_fpir: FNIR at the lowest threshold whose FPIR is the key or less ("0.003", "0.01", "0.1").
        threshold_at_fpir: The threshold there.
        dir_at_far: Detection and identification rate there, 1 − FNIR (Phillips et al. 2011).
        investigation: Miss rate at threshold 0 with 50 candidates: the mate is not among them, or is below 0.
        curve: FPIR and FNIR against the threshold.
        at_threshold: Measures at a given threshold.
    """

    gallery_people: int
    gallery_templates: int
    mated_probes: int
    stranger_probes: int
    failed: int
    cmc: RankCurve
    rank_1: Measure
    rank_5: Measure
    rank_10: Measure
    precision_at_1: Measure
    map_at_r: Measure
    fnir_at_fpir: dict[str, Measure]
    threshold_at_fpir: dict[str, Measure]
    dir_at_far: dict[str, Measure]
    investigation: Measure
    curve: SearchErrorCurve
    at_threshold: SearchThresholdMeasures | None


def identification_measures(
    searches: Searches,
    *,
    threshold: float | None = None,
    failures_are_errors: bool = True,
    resamples: int = 1000,
    seed: int = 0,
) -> IdentificationMeasures:
    """Measure identification, with 95 % intervals by drawing the probes' people again.

    Args:
        searches: Every probe's candidates.
        threshold: A threshold to measure at, beside those that the searches themselves give.
        failures_are_errors: A mated probe without a face is a miss, a stranger's is rightly nobody; else both are left
            out.
        resamples: Bootstrap replicates.
        seed: Of the draws.
    """
    failed = np.isnan(searches.similarity[:, 0])
    use = ~failed | failures_are_errors
    mated = (searches.mate >= 0) & use
    counted = count_searches(searches, use, splits=() if threshold is None else (threshold,))
    points = curve_points(counted.similarity)

    def measured(curve: Roc) -> dict[str, Floats]:
        values = search_rates(curve) | drawn_curve(curve, points)
        if threshold is not None:
            point = curve.point(threshold)
            values |= {"fpir at": curve.fmr[..., point], "fnir at": curve.fnmr[..., point]}
        return values

    exact = measured(counted.roc)
    drawn = replicates(counted.sample, lambda counts: measured(counted.curves(counts)), resamples=resamples, seed=seed)
    give = Estimating(exact, drawn, counted, trials=STRANGERS)
    curve = error_curve(counted, points, exact, drawn)

    found = np.where(searches.mate_rank >= 0, searches.mate_rank, np.iinfo(np.int64).max)[mated]
    person = searches.person[mated]
    ranks = np.arange(1, min(MOST_RANKS, searches.gallery_people) + 1) if mated.any() else np.zeros(0, np.int64)
    missed = (found >= MOST_RANKS) | ~(searches.mate_similarity[mated] >= 0)

    def share(hits: NDArray[np.floating] | NDArray[np.bool_]) -> Measure:
        if not len(hits):
            return Unsupported("there are no mated searches")
        value, low, high = (float(end[0]) for end in clustered_shares(hits[:, None].astype(np.float64), person))
        return Estimate(value, low, high)

    average = searches.average_precision
    return IdentificationMeasures(
        gallery_people=searches.gallery_people,
        gallery_templates=searches.gallery_templates,
        mated_probes=int(mated.sum()),
        stranger_probes=int(use.sum() - mated.sum()),
        failed=int(failed.sum()),
        cmc=RankCurve(ranks, *clustered_shares((found[:, None] < ranks).astype(np.float64), person)),
        rank_1=share(found < 1),
        rank_5=share(found < 5),
        rank_10=share(found < 10),
        precision_at_1=share(found < 1),
        map_at_r=Unsupported("the searches don't say where the mate's other templates came")
        if average is None
        else share(np.nan_to_num(average[mated])),
        fnir_at_fpir={rate: give.at_rate(f"fnir_at_fpir {rate}", rate, give.mated_share) for rate in FPIRS},
        threshold_at_fpir={rate: give.at_rate(f"threshold_at_fpir {rate}", rate, give.threshold) for rate in FPIRS},
        dir_at_far={rate: give.at_rate(f"dir_at_far {rate}", rate, give.mated_share) for rate in FPIRS},
        investigation=share(missed),
        curve=SearchErrorCurve(
            curve.thresholds, curve.fmr, curve.fmr_low, curve.fmr_high, curve.fnmr, curve.fnmr_low, curve.fnmr_high
        ),
        at_threshold=None
        if threshold is None
        else SearchThresholdMeasures(float(threshold), give.non_mated_share("fpir at"), give.mated_share("fnir at")),
    )


def count_searches(searches: Searches, use: NDArray[np.bool_], splits: Sequence[float] = ()) -> Counted:
    """Mated searches by the similarity of a mate that comes first, strangers' by that of whoever comes first.

    Then FPIR is the false match rate of these "comparisons", and FNIR their false non-match rate: a mate that doesn't
    come first is a failure at any threshold.

    Args:
        searches: Every probe's candidates.
        use: (P,) the searches that count.
        splits: Thresholds that replicates must tell apart exactly.
    """
    mated = searches.mate >= 0
    first = np.where(searches.mate_rank == 0, searches.mate_similarity, np.float32(np.nan))
    return count_listed(
        np.where(mated, first, searches.similarity[:, 0])[use],
        mated[use],
        searches.person[use, None],
        failures_are_errors=True,
        splits=splits,
    )


def search_rates(curve: Roc) -> dict[str, Floats]:
    """The measures of curves of searches that need nothing else, by name, each (…) of the curves' leading axes."""
    values = {"rank_1": curve.tmr[..., -1]}
    for rate in FPIRS:
        point = roc.point_at_fmr(curve, float(rate))
        values |= {
            f"fnir_at_fpir {rate}": roc.at_point(curve.fnmr, point),
            f"dir_at_far {rate}": roc.at_point(curve.tmr, point),
            f"threshold_at_fpir {rate}": curve.threshold[point],
        }
    return values
