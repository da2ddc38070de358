from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import xlogy

from mien.evaluation.intervals.proportions import clopper_pearson_limits
from mien.evaluation.measures.estimate import Estimate, Measure

_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class ClusteringMeasures:
    """How right groups of faces are, each measure in [0, 1] and greater when better.

    Args:
        faces: How many faces were grouped.
        people: How many people they show.
        groups: How many groups they were put in.
        bcubed_precision: Averaged over faces: of the faces in a face's group, the share of its own person
            (Bagga & Baldwin 1998).
        bcubed_recall: Averaged over faces: of the faces of a face's person, the share in its own group.
        bcubed_f: Their harmonic mean.
        pairwise_precision: Of the pairs of faces in one group, the share of one person; 1 where there is no such pair.
        pairwise_recall: Of the pairs of faces of one person, the share in one group; 1 where there is no such pair.
        pairwise_f: Their harmonic mean.
        purity: The share of faces whose person is the most frequent one of their group.
        nmi: Mutual information of groups and people, over the mean of their entropies.
    """

    faces: int
    people: int
    groups: int
    bcubed_precision: Measure
    bcubed_recall: Measure
    bcubed_f: Measure
    pairwise_precision: Measure
    pairwise_recall: Measure
    pairwise_f: Measure
    purity: Measure
    nmi: Measure

    def to_dict(self) -> dict[str, Any]:
        """Counts and measures as JSON-ready data."""
        counts = {"faces": self.faces, "people": self.people, "groups": self.groups}
        return {**counts, **{name: getattr(self, name).to_dict() for name in _NAMES}}


_NAMES = (
    "bcubed_precision",
    "bcubed_recall",
    "bcubed_f",
    "pairwise_precision",
    "pairwise_recall",
    "pairwise_f",
    "purity",
    "nmi",
)


def clustering_measures(
    labels: Sequence[Any] | NDArray[Any],
    truth: Sequence[Any] | NDArray[Any],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> ClusteringMeasures:
    """Compare groups with the truth.

    Intervals are percentiles over draws of the people with replacement, moved so that the draws' mean is the measure:
    who isn't drawn can't be mixed up with anybody, so that draws come out a little better. They say what other people
    would change in the same groups. A measure that no draw changes, as where nothing is wrong, has the interval of
    Clopper & Pearson (1934) for a share of as many trials as there are people.

    Args:
        labels: (N,) the group of each face.
        truth: (N,) who each face is.
        resamples: How many draws, at least 2.
        seed: Of the draws.

    Raises:
        ValueError: The lengths differ, there are no faces, or too few draws.
    """
    if resamples < 2:
        raise ValueError(f"{resamples} draws have no spread")
    if len(labels) != len(truth) or not len(labels):
        raise ValueError(f"{len(labels)} groups for {len(truth)} faces")
    group = np.unique(np.asarray(labels), return_inverse=True)[1]
    person = np.unique(np.asarray(truth), return_inverse=True)[1]
    table = sparse.csr_array((np.ones(len(group)), (person, group)))  # sums duplicates: faces of a person in a group
    table.sum_duplicates()
    people, groups = table.shape
    rng = np.random.default_rng(seed)
    value = _measure(table, np.ones(people))
    drawn = np.array([_measure(table, w) for w in rng.multinomial(people, np.full(people, 1 / people), resamples)])
    low, high = np.clip(np.quantile(drawn, (0.025, 0.975), axis=0) - drawn.mean(axis=0) + value, 0, 1)
    unchanged = np.ptp(drawn, axis=0) < _ROUNDING
    limits = clopper_pearson_limits(np.minimum(value, 1) * people, people)
    low, high = np.where(unchanged, limits, (low, high))
    return ClusteringMeasures(
        len(group),
        people,
        groups,
        *(
            Estimate(float(v), float(min(lowest, v)), float(max(highest, v)))
            for v, lowest, highest in zip(value, low, high, strict=True)
        ),
    )


def _measure(table: "sparse.csr_array[Any, Any]", weight: NDArray[np.floating[Any] | np.int64]) -> NDArray[np.float64]:
    """The eight measures where person i weighs w_i, and two faces of the people i and j weigh w_i·w_j together.

    The copies of somebody drawn several times don't meet each other: they would all be in the same groups.

    Args:
        table: (S, C) how many faces of each person are in each group.
        weight: (S,) how much each person counts.
    """
    cells = table.tocoo()
    person, group, count = cells.coords[0], cells.coords[1], cells.data
    of_person = np.bincount(person, count)
    own = weight[person] * count
    in_group = np.bincount(group, own)
    faces = float(own.sum())

    met = in_group[group] - own + count  # by a face of this person in this group, itself and its own person's included
    precision = (own * count / met).sum() / faces
    recall = (own * count / of_person[person]).sum() / faces

    right = float((own * (count - 1)).sum())
    together = float((own * (met - 1)).sum())
    alike = float((weight * of_person * (of_person - 1)).sum())
    pair_precision = right / together if together else 1.0
    pair_recall = right / alike if alike else 1.0

    largest = np.zeros(table.shape[1])
    np.maximum.at(largest, group, count)
    chief = np.unique(np.where(count == largest[group], group, -1), return_index=True)
    purity = own[chief[1][chief[0] >= 0]].sum() / faces

    shared = np.array([_entropy(part / faces) for part in (weight * of_person, in_group, own)])
    nmi = 2 * (shared[0] + shared[1] - shared[2]) / (shared[0] + shared[1]) if shared[:2].any() else 1.0
    return np.array(
        [
            precision,
            recall,
            _harmonic(precision, recall),
            pair_precision,
            pair_recall,
            _harmonic(pair_precision, pair_recall),
            purity,
            np.clip(nmi, 0, 1),
        ]
    )


def _entropy(share: NDArray[np.floating[Any]]) -> float:
    return -float(xlogy(share, share).sum())


def _harmonic(first: float, second: float) -> float:
    return 2 * first * second / (first + second) if first + second else 0.0
