from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.blas_threads import one_thread_a_product
from mien.evaluation.scores.unit_length import unit_length
from mien.progress import report

STEP = 1 / 2000
"""Width of a bin of the similarity histograms."""
EDGES = np.arange(-2000, 2001) / 2000
"""(4001,) lower edges of the bins; the last bin holds what reaches 1."""
PEOPLE_EDGES = EDGES[::16]
"""(251,) lower edges of the coarser bins of the histograms per person, 0.008 wide."""

_TILE = 512  # its similarities, indices and histograms stay in a 1 MB cache
_UNWANTED = 16 * len(PEOPLE_EDGES)  # bin of the pairs that a tile holds but that do not count


@dataclass(frozen=True, eq=False)
class Extremes:
    """The comparisons with the most extreme similarities, exactly, the most extreme first.

    Args:
        similarity: (K,) float32.
        photos: (K, 2) int64, the rows compared.
    """

    similarity: NDArray[np.float32]
    photos: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PairScores:
    """The similarities of every photo with every other: S people, each pair of photos once.

    *Balanced* means that every person weighs the same in mated comparisons, and every pair of people in non-mated
    ones, however many photos they have. Photos per person differ so much in most sets that plain shares are a few
    people's: on LFW one person has 58 % of the mated comparisons, and he and his brother are in 16 % of all false
    matches at the threshold for a false match rate of 1e-4.

    Args:
        people: The S different people, sorted.
        person: (N,) int64, each photo's index in `people`.
        mated: (4001,) int64, histogram over `EDGES` of the comparisons of two photos of one person.
        mated_balanced: (4001,) float64, the same with each person's comparisons weighing 1 in sum.
        mated_by_person: (S, 251) float64, its parts over `PEOPLE_EDGES`: a row sums to 1, or 0 with a single photo.
        lowest_mated: The mated comparisons that are least alike.
        non_mated: (4001,) int64, histogram of the comparisons of two people.
        non_mated_balanced: (4001,) float64, the same with each pair of people weighing 1 in sum.
        non_mated_by_person: (S, 251) float64, its parts that have the person on either side: a row sums to S − 1.
        non_mated_count_by_person: (S, 251) int64, how many comparisons with other people each person has in each bin of
            `PEOPLE_EDGES`, every comparison weighing the same.
        highest_non_mated: The non-mated comparisons that are most alike.
    """

    people: tuple[str, ...]
    person: NDArray[np.int64]
    mated: NDArray[np.int64]
    mated_balanced: NDArray[np.float64]
    mated_by_person: NDArray[np.float64]
    lowest_mated: Extremes
    non_mated: NDArray[np.int64]
    non_mated_balanced: NDArray[np.float64]
    non_mated_by_person: NDArray[np.float64]
    non_mated_count_by_person: NDArray[np.int64]
    highest_non_mated: Extremes


def score_all_pairs(embeddings: NDArray[np.float32], people: Sequence[str], *, extremes: int = 100_000) -> PairScores:
    """Compare every photo with every other by cosine similarity, in tiles, without ever holding all similarities.

    Args:
        embeddings: (N, D) float32; rows are brought to unit length.
        people: (N,) whose each photo is.
        extremes: How many of the most extreme comparisons of each kind to keep exactly, at least 1.

    Raises:
        ValueError: If the lengths differ, or an embedding is zero or not finite.
    """
    if extremes < 1:
        raise ValueError(f"{extremes} extremes can't be kept")
    vectors = np.asarray(embeddings, np.float32)
    if vectors.ndim != 2 or len(vectors) != len(people):
        raise ValueError(f"{len(people)} people for embeddings of shape {vectors.shape}")
    vectors = unit_length(vectors)

    names, person = np.unique(np.asarray(people, str), return_inverse=True)
    order = np.argsort(person, kind="stable")
    tally = _Tally(vectors[order], person[order], order, extremes)
    rows, total = len(vectors), len(vectors) * (len(vectors) - 1) // 2
    report("comparing photos", 0, total)
    with one_thread_a_product:  # a tile is too small to share among threads: with two, twice the time
        for start in range(0, rows, _TILE):
            for other in range(start, rows, _TILE):
                tally.add(slice(start, start + _TILE), slice(other, other + _TILE))
            left = max(0, rows - start - _TILE)
            report("comparing photos", total - left * (left - 1) // 2, total)
    return PairScores(
        people=tuple(names.tolist()),
        person=person.astype(np.int64),
        mated=tally.mated,
        mated_balanced=tally.mated_balanced,
        mated_by_person=tally.mated_by_person,
        lowest_mated=tally.lowest.taken(),
        non_mated=tally.non_mated,
        non_mated_balanced=tally.non_mated_balanced,
        non_mated_by_person=tally.non_mated_by_person,
        non_mated_count_by_person=tally.non_mated_count_by_person,
        highest_non_mated=tally.highest.taken(),
    )


class _Tally:
    """Counts of the tiles so far; photos sorted by person, so that a tile's people are a range."""

    def __init__(
        self, vectors: NDArray[np.float32], person: NDArray[np.int64], order: NDArray[np.int64], extremes: int
    ) -> None:
        self.vectors, self.person, self.order = vectors, person, order
        photos = np.bincount(person)
        self.share = 1 / photos[person]
        self.mated_pairs = photos * (photos - 1) / 2
        self.mated, self.non_mated = np.zeros((2, len(EDGES)), np.int64)
        self.mated_balanced, self.non_mated_balanced = np.zeros((2, len(EDGES)))
        self.mated_by_person, self.non_mated_by_person = np.zeros((2, len(photos), len(PEOPLE_EDGES)))
        self.non_mated_count_by_person = np.zeros((len(photos), len(PEOPLE_EDGES)), np.int64)
        self.lowest = _Collector(extremes, sign=-1)
        self.highest = _Collector(extremes, sign=1)

    def add(self, rows: slice, columns: slice) -> None:
        """Count the pairs of the photos `rows` with the photos `columns`, which start at or after them."""
        similarity = self.vectors[rows] @ self.vectors[columns].T
        fine = (similarity * np.float32(1 / STEP) + np.float32(1 / STEP)).astype(np.int64)
        np.minimum(fine, len(EDGES) - 1, out=fine)
        first, second = self.person[rows], self.person[columns]

        wanted = None
        if first[-1] >= second[0]:
            same = first[:, None] == second[None, :]
            wanted = ~same
            if rows == columns:
                upper = np.arange(len(first))[:, None] < np.arange(len(first))[None, :]
                same, wanted = same & upper, wanted & upper
            self._add_mated(similarity, fine, same, rows, columns)
            fine[~wanted] = _UNWANTED

        weight = self.share[rows][:, None] * self.share[columns][None, :]
        self.non_mated += np.bincount(fine.ravel(), minlength=_UNWANTED + 1)[: len(EDGES)]
        self.non_mated_balanced += np.bincount(fine.ravel(), weight.ravel(), _UNWANTED + 1)[: len(EDGES)]
        coarse = fine >> 4
        width = len(PEOPLE_EDGES) + 1
        for people, axis in ((first, 0), (second, 1)):
            local = coarse + np.expand_dims((people - people[0]) * width, 1 - axis)
            span = people[-1] - people[0] + 1
            counts = np.bincount(local.ravel(), minlength=span * width).reshape(span, width)
            self.non_mated_count_by_person[people[0] : people[0] + span] += counts[:, :-1]
            by_person = np.bincount(local.ravel(), weight.ravel(), span * width).reshape(span, width)
            self.non_mated_by_person[people[0] : people[0] + span] += by_person[:, :-1]
        self._keep(self.highest, similarity, wanted, rows, columns)

    def _add_mated(
        self,
        similarity: NDArray[np.float32],
        fine: NDArray[np.int64],
        same: NDArray[np.bool_],
        rows: slice,
        columns: slice,
    ) -> None:
        bins, person = fine[same], self.person[rows][np.nonzero(same)[0]]
        weight = 1 / self.mated_pairs[person]
        self.mated += np.bincount(bins, minlength=len(EDGES))
        self.mated_balanced += np.bincount(bins, weight, minlength=len(EDGES))
        np.add.at(self.mated_by_person, (person, bins >> 4), weight)
        self._keep(self.lowest, similarity, same, rows, columns)

    def _keep(
        self,
        collector: "_Collector",
        similarity: NDArray[np.float32],
        wanted: NDArray[np.bool_] | None,
        rows: slice,
        columns: slice,
    ) -> None:
        extreme = collector.reaches(similarity)
        row, column = np.nonzero(extreme if wanted is None else extreme & wanted)
        photos = np.stack([self.order[rows.start + row], self.order[columns.start + column]], axis=1)
        collector.add(similarity[row, column], photos)


class _Collector:
    """Keeps the `count` comparisons with the greatest sign·similarity."""

    def __init__(self, count: int, sign: int) -> None:
        self.count, self.sign = count, sign
        self.bound = -np.inf
        self.similarity: list[NDArray[np.float32]] = [np.empty(0, np.float32)]
        self.photos: list[NDArray[np.int64]] = [np.empty((0, 2), np.int64)]
        self.waiting = 0

    def reaches(self, similarity: NDArray[np.float32]) -> NDArray[np.bool_]:
        return similarity > self.bound if self.sign > 0 else similarity < -self.bound

    def add(self, similarity: NDArray[np.float32], photos: NDArray[np.int64]) -> None:
        self.similarity.append(similarity)
        self.photos.append(photos)
        self.waiting += len(similarity)
        if self.waiting > 2 * self.count:
            self._cut()

    def taken(self) -> Extremes:
        self._cut()
        similarity, photos = self.similarity[0], self.photos[0]
        order = np.lexsort((photos[:, 1], photos[:, 0], -self.sign * similarity))
        return Extremes(similarity[order], photos[order])

    def _cut(self) -> None:
        similarity, photos = np.concatenate(self.similarity), np.concatenate(self.photos)
        if len(similarity) > self.count:
            best = np.argpartition(-self.sign * similarity, self.count - 1)[: self.count]
            similarity, photos = similarity[best], photos[best]
            self.bound = float((self.sign * similarity).min())
        self.similarity, self.photos, self.waiting = [similarity], [photos], len(similarity)
