from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.evaluation.intervals.bootstrap import Counts, Sample, by_person, independent, listed
from mien.evaluation.measures.roc import Roc
from mien.evaluation.scores.pair_scores import EDGES, PEOPLE_EDGES, PairScores

MOST_BINS = 2048
"""Different similarities that replicates tell apart, at most; the values themselves are exact."""


@dataclass(frozen=True, eq=False)
class Counted:
    """Comparisons counted by similarity, and ready to be drawn again.

    Args:
        roc: Exact: a point for each different similarity.
        similarity: (T,) falling; the lowest similarity in each bin that the sample tells apart.
        sample: The comparisons, by bin; a last bin T holds those that failed.
        mated: How many mated comparisons count.
        non_mated: How many non-mated ones.
        mated_failed: How many mated comparisons had no similarity, whether they count or not.
        non_mated_failed: How many non-mated ones.
    """

    roc: Roc
    similarity: NDArray[np.float64]
    sample: Sample
    mated: int
    non_mated: int
    mated_failed: int
    non_mated_failed: int

    def curves(self, counts: Counts) -> Roc:
        """The curves of replicates that the sample gave."""
        mated, non_mated = counts
        bins = len(self.similarity)
        return Roc(
            self.similarity,
            mated[:, :bins],
            non_mated[:, :bins],
            mated[:, bins:].sum(axis=1),
            non_mated[:, bins:].sum(axis=1),
        )


def count_listed(
    similarity: NDArray[np.floating],
    mated: NDArray[np.bool_],
    people: NDArray[np.int64] | None,
    *,
    failures_are_errors: bool,
    splits: Sequence[float] = (),
) -> Counted:
    """Count comparisons that are listed one by one.

    Args:
        similarity: (n,) NaN where it failed.
        mated: (n,).
        people: (n, 2) whom each compares; (n, 1) whom it depends on; None where it isn't known.
        failures_are_errors: Count a comparison without a similarity as one that matches at no threshold; else leave
            it out.
        splits: Thresholds that replicates must tell apart exactly.
    """
    failed = np.isnan(similarity)
    failures = int((failed & mated).sum()), int((failed & ~mated).sum())
    if not failures_are_errors:
        similarity, mated, people = similarity[~failed], mated[~failed], None if people is None else people[~failed]
        failed = failed[~failed]
    values, place = np.unique(-similarity[~failed].astype(np.float64), return_inverse=True)
    point = np.full(len(similarity), len(values))
    point[~failed] = place
    counts = [np.bincount(point[kind], minlength=len(values) + 1).astype(np.float64) for kind in (mated, ~mated)]
    roc = Roc(-values, counts[0][:-1], counts[1][:-1], counts[0][-1], counts[1][-1])

    ends = _ends(roc, splits)
    bin_of = np.searchsorted(ends, np.arange(1, len(values) + 2))
    bins = bin_of[point]
    if people is None:
        one, other = (np.bincount(bins[kind], minlength=len(ends) + 1) for kind in (mated, ~mated))
        sample = independent(one, other)
    else:
        person = np.unique(people, return_inverse=True)[1].reshape(people.shape)
        sample = listed(len(ends) + 1, bins[mated], person[mated, 0], bins[~mated], person[~mated])
    return Counted(roc, roc.similarity[ends - 1], sample, int(mated.sum()), int((~mated).sum()), *failures)


def count_pairs(scores: PairScores, without_face: Sequence[str] = (), *, failures_are_errors: bool = False) -> Counted:
    """Count all pairs of a set, every comparison weighing the same, by the bins of their histograms.

    Args:
        scores: Of the photos with a face.
        without_face: Whose the set's other photos are.
        failures_are_errors: As for `count_listed`.
    """
    filled = np.flatnonzero(scores.mated + scores.non_mated)[::-1]
    group = filled // ((len(EDGES) - 1) // (len(PEOPLE_EDGES) - 1))
    mated, non_mated = scores.mated[filled], scores.non_mated[filled]

    faces = np.bincount(scores.person, minlength=len(scores.people))
    mated_by_person = scores.mated_by_person * _own_pairs(faces)[:, None]
    non_mated_by_person = scores.non_mated_count_by_person.astype(np.float64)

    lost = Counter(without_face)
    beside = sorted(set(lost) - set(scores.people))  # of whom no photo has a face
    faces = np.append(faces, np.zeros(len(beside), np.int64))
    photos = faces + np.array([lost[name] for name in (*scores.people, *beside)], np.int64)
    mated_failed = _own_pairs(photos) - _own_pairs(faces)
    non_mated_failed = photos * (photos.sum() - photos) - faces * (faces.sum() - faces)
    failures = int(mated_failed.sum()), int(non_mated_failed.sum()) // 2
    if failures_are_errors:
        mated, non_mated = np.append(mated, failures[0]), np.append(non_mated, failures[1])
        group = np.append(group, len(PEOPLE_EDGES))
        mated_by_person, non_mated_by_person = (
            np.column_stack([np.pad(part, ((0, len(beside)), (0, 0))), failed])
            for part, failed in ((mated_by_person, mated_failed), (non_mated_by_person, non_mated_failed))
        )
    bins = len(filled)
    roc = Roc(
        EDGES[filled],
        mated[:bins].astype(np.float64),
        non_mated[:bins].astype(np.float64),
        mated[bins:].sum(dtype=np.float64),
        non_mated[bins:].sum(dtype=np.float64),
    )
    sample = by_person(mated, non_mated, group, mated_by_person, non_mated_by_person)
    return Counted(roc, roc.similarity, sample, int(mated.sum()), int(non_mated.sum()), *failures)


def _own_pairs(photos: NDArray[np.int64]) -> NDArray[np.float64]:
    """How many pairs the photos of each person make."""
    return photos * (photos - 1) / 2


def _ends(roc: Roc, splits: Sequence[float]) -> NDArray[np.int64]:
    """The points of the curve where bins end: all of them, or some, the closest where errors are few."""
    points = len(roc.similarity)
    if points <= MOST_BINS:
        return np.arange(1, points + 1)
    missed = roc.mated_accepted[-1] - roc.mated_accepted[::-1]
    accepted = roc.mated_accepted + roc.non_mated_accepted
    part = MOST_BINS // 4
    ends = np.concatenate(
        [
            np.searchsorted(accepted, np.linspace(1, accepted[-1], 2 * part)),
            np.searchsorted(roc.non_mated_accepted, np.geomspace(1, max(roc.non_mated_accepted[-1], 1), part)),
            points - np.searchsorted(missed, np.geomspace(1, max(missed[-1], 1), part)),
            [*(roc.point(threshold) for threshold in splits), points],
        ]
    )
    return np.unique(ends[(ends > 0) & (ends <= points)])
