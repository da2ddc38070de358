"""A calibration from photos that nobody has labelled, or the reason why they can't give one.

Whether two of them show one person is not known, so a false match rate can only be bracketed. People whose photos stand
apart from everybody else's are found by how alike the photos are (average linkage); pairs within such a group are taken
for mated. The more pairs are taken for mated, the lower the rate of the others, so it is counted twice:

- *low*: groups are joined freely, at the similarity that a known calibration gives for an FMR of 1e-2. Even pairs of
  strangers who look alike are left out.
- *high*: groups are joined at that for 1e-3, and of them only those count that stand apart: alike among themselves by
  more than they are like any other group, by the distance between the known thresholds for 1e-3 and for 1e-1. Even the
  pairs of one person's different photos are in it.

Where both agree within `MOST_APART` the rate is stated, as their geometric mean; where they don't, or too few groups
support it, it is not. They agree on one photo each of many people and on many photos each of few. They disagree where
strangers are as alike as one person's photos, such as small children. Where an encoder hardly knows people again, such
as in masks, mated pairs are left over and the rate is overstated: the threshold errs on the safe side.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.decisions.calibration import Calibration
from mien.decisions.clustering import cluster
from mien.decisions.measured import CalibrationData, RateCurve
from mien.decisions.wording import counted
from mien.errors import CalibrationError
from mien.evaluation.calibrating.calibrate import list_sha256, made_now
from mien.evaluation.intervals.proportions import clopper_pearson_limits, effective_trials
from mien.evaluation.measures.error_rates import MeasuredRates
from mien.evaluation.scores.pair_scores import EDGES, PEOPLE_EDGES, PairScores, score_all_pairs
from mien.evaluation.scores.unit_length import unit_length

MOST_APART = 2.0
"""How many times the lowest rate the highest may be, where their geometric mean is stated for both."""
MOST_PHOTOS = 4000
"""More are sampled down to this: 8 million pairs tell what there is to tell."""
MOST_UNLIKE = 5.0
"""How many times the known calibration's FMR of 1e-2 the rate at its threshold may be: beyond, its similarities cut the
strangers themselves into groups."""
LARGEST_USEFUL_RATE = 0.05

PROTOCOL = (
    "Unlabelled photos: every photo compared with every other. Groups of photos that stand apart are taken for one "
    "person each, once freely and once strictly; the false match rate among the other pairs is the geometric mean of "
    "both, stated where they differ by a factor of 2 at most. 95 % intervals over groups, around both."
)

_LABEL_THEM = "Calibrate on labelled photos of these people, a folder for each: mien calibrate --people DIR"


def calibrate_unlabelled(
    embeddings: NDArray[np.float32],
    known: Calibration,
    *,
    name: str,
    data: str,
    photo_of_face: Sequence[int] | None = None,
    score: Mapping[str, Any] | None = None,
    photos: Sequence[str] = (),
    photos_without_face: int = 0,
    command: str = "",
    seed: int = 0,
) -> Calibration:
    """Measure how alike strangers are in a population, on photos of it that nobody has labelled.

    Args:
        embeddings: (N, D) float32, a row a face.
        known: A calibration for the same encoder on other people, which supports an FMR of 1e-3.
        name: What the calibration is called.
        data: What the set of photos is called.
        photo_of_face: (N,) the photo each face is in, from 0: faces of one photo are different people.
        score: What a similarity is beside a cosine (flip, fusion …); JSON-ready.
        photos: What the photos are called; only a hash of the list is kept.
        photos_without_face: How many photos of the set gave no embedding.
        command: The command that this was made by.
        seed: Of the sample, if there are more faces than `MOST_PHOTOS`.

    Returns:
        A calibration without false non-match rates, since no two photos are known to show one person. Its intervals
        hold what either way of counting allows; rates at which they disagree it does not support.

    Raises:
        ValueError: If lengths differ, or an embedding is zero or not finite.
        CalibrationError: If the photos don't support any useful rate; the message says why.
    """
    rows = np.arange(len(embeddings))
    if len(rows) > MOST_PHOTOS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MOST_PHOTOS, replace=False))
    units = unit_length(np.asarray(embeddings)[rows])
    of_face = None if photo_of_face is None else np.asarray(photo_of_face)[rows]

    free, strict = (
        cluster(units, method="agglomerative", threshold=known.threshold(rate).similarity, photo_of_face=of_face).labels
        for rate in (1e-2, 1e-3)
    )
    groups = int(free.max(initial=-1)) + 1
    if groups < 3:
        raise _too_few(data, len(units), groups)
    stands = _margins(units, strict) >= known.threshold(1e-3).similarity - known.threshold(0.1).similarity
    alone = strict.max() + 1 + np.arange(len(units))
    lowest, highest = (
        _Counted(score_all_pairs(units, labels.astype(str).tolist()))
        for labels in (free, np.where(stands[strict], strict, alone))
    )
    curve = _between(lowest, highest)
    agree = highest.rate <= MOST_APART * lowest.rate
    smallest = MeasuredRates(curve, np.where(agree, lowest.errors, 0), lowest.rate * lowest.trials).smallest_supported
    if smallest is None or smallest > LARGEST_USEFUL_RATE:
        useful = lowest.rate >= LARGEST_USEFUL_RATE
        raise _too_few(data, len(units), groups) if agree[useful].all() else _unclear(data, strict, stands)
    times = float(np.interp(known.threshold(1e-2).similarity, EDGES, curve.value)) / 1e-2
    if times > MOST_UNLIKE:
        raise _unlike(data, known, times)
    return Calibration(
        name=name,
        encoder=known.encoder,
        data=CalibrationData(
            name=f"{data}, unlabelled",
            people=int(strict.max()) + 1,
            photos=len(units),
            photos_without_face=photos_without_face,
            mated=0,
            non_mated=int(lowest.errors[0]),
            mated_people=0,
            list_sha256=list_sha256(photos) if photos else "",
        ),
        score={"metric": "cosine", **(score or {})},
        protocol=PROTOCOL,
        similarity=EDGES[::2],
        false_match=RateCurve(curve.value[::2], curve.low[::2], curve.high[::2]),
        false_non_match=None,
        smallest_fmr=smallest,
        tail=None,
        likelihood=None,
        made=made_now(command),
    )


class _Counted:
    """The false match rate among pairs of different groups at each of `EDGES`, every pair weighing the same.

    Its effective number of trials is that of a ratio of sums over groups, with Σu² for the variance of the sum, where u
    is a group's surplus of false matches: each pair stands in two of them, which errs on the safe side.
    """

    def __init__(self, scores: PairScores) -> None:
        self.errors = np.cumsum(scores.non_mated[::-1])[::-1]
        comparisons = int(self.errors[0])
        self.rate = self.errors / comparisons
        by_group = np.cumsum(scores.non_mated_count_by_person[:, ::-1], axis=1)[:, ::-1]
        coarse = self.rate[::16]
        influence = by_group - coarse * by_group[:, :1]
        variance = np.maximum((influence**2).sum(axis=0) / comparisons**2, coarse * (1 - coarse) / comparisons)
        bounds = (len(by_group) / 2, comparisons)
        effective = effective_trials(coarse, influence, variance, bounds, lend=True)
        self.trials = np.exp(np.interp(EDGES, PEOPLE_EDGES, np.log(effective)))


def _between(lowest: _Counted, highest: _Counted) -> RateCurve:
    """The geometric mean of both rates, its interval from the lower end of the one to the upper end of the other."""
    top = np.maximum(lowest.rate, highest.rate)
    low = clopper_pearson_limits(lowest.rate * lowest.trials, lowest.trials)[0]
    high = clopper_pearson_limits(top * highest.trials, highest.trials)[1]
    value = np.minimum.accumulate(np.sqrt(lowest.rate * top))
    low = np.minimum.accumulate(np.minimum(low, value))
    high = np.maximum.accumulate(np.maximum(high, value)[::-1])[::-1]
    return RateCurve(value, low, np.minimum(high, 1))


def _margins(units: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """(K,) how much more alike each group's photos are among themselves than to the most alike other group.

    Both are mean similarities over pairs; −∞ for a photo alone.
    """
    size = np.bincount(labels).astype(np.float64)
    sums = np.zeros((len(size), units.shape[1]))
    np.add.at(sums, labels, units)
    products = sums @ sums.T
    own = (np.diag(products) - size) / np.where(size > 1, size * (size - 1), np.nan)
    between = products / np.outer(size, size)
    np.fill_diagonal(between, -np.inf)
    return np.where(size > 1, own - between.max(axis=1), -np.inf)


def _too_few(data: str, photos: int, groups: int) -> CalibrationError:
    return CalibrationError(
        f"{data} doesn't support any useful false match rate: its {counted(photos, 'photo')} fall into "
        f"{counted(groups, 'group')}.",
        hint="Give more photos, of more people, without labels; or labelled ones, a folder for each person.",
        code="calibration.too-few-photos",
    )


def _unlike(data: str, known: Calibration, times: float) -> CalibrationError:
    return CalibrationError(
        f"Strangers in {data} look alike {times:.2g} times as often as in {known.data.name}, so that photos which "
        "would show one person there may show two people here.",
        hint=_LABEL_THEM,
        code="calibration.unlike-known",
    )


def _unclear(data: str, labels: NDArray[np.int64], stands: NDArray[np.bool_]) -> CalibrationError:
    sizes = np.bincount(labels)
    unclear = int(sizes[~stands & (sizes > 1)].sum())
    return CalibrationError(
        f"It can't be told which photos of {data} show one person: {unclear:,} of {len(labels):,} are as alike as one "
        "person's photos and hardly less alike to others. A false match rate from them could be wrong by any factor.",
        hint=_LABEL_THEM,
        code="calibration.unclear-people",
    )
