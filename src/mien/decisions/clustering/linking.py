"""Agglomeration along the edges of a nearest-neighbour graph: the most alike groups are joined first.

How alike two groups are is their linkage. With S the sum of a group's unit-length embeddings and n its size:

- *average*: S_A·S_B / (n_A·n_B), the mean similarity of a face of the one and a face of the other. A large group's own
  spread is held against it, which splits people with many different photos.
- *tempered*: S_A·S_B / √(n_A·‖S_A‖·n_B·‖S_B‖), the geometric mean of the average linkage and of the cosine of the two
  mean embeddings. That cosine alone forgives all spread, and lets groups of strangers grow; half of it does neither.

For two single faces both are their similarity, and both are inner products of one vector a group.
"""

import heapq
from collections.abc import Iterator
from itertools import repeat
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mien.similarity import top_k

Linkage = Literal["average", "tempered"]

NEIGHBOURS = 64
"""How many nearest neighbours a face, or a group, has an edge to."""


def link(
    units: NDArray[np.float64], threshold: float, photos: NDArray[np.int64], linkage: Linkage
) -> NDArray[np.int64]:
    """Join groups along the nearest-neighbour graph until no two neighbours are alike enough.

    Up to 64 other faces everyone is a neighbour and the greedy rule is followed exactly; beyond, memory grows with the
    faces and not with their pairs.

    Args:
        units: (N, D) embeddings at unit length.
        threshold: The least linkage at which groups are joined.
        photos: (N,) the photo of each face.
        linkage: How alike two groups are.

    Returns:
        (N,) the group of each face.
    """
    labels = np.arange(len(units))
    while True:
        # Groups have other neighbours than their faces had: go on until nothing changes.
        joined = _join_neighbours(_Groups(units, labels, linkage), threshold, _photos_of_groups(labels, photos))
        labels, before = joined[labels], labels
        if labels.max(initial=-1) == before.max(initial=-1):
            return labels


def link_blurred(
    units: NDArray[np.float64],
    labels: NDArray[np.int64],
    blurred: NDArray[np.bool_],
    threshold: float,
    photos: NDArray[np.int64],
    linkage: Linkage,
) -> NDArray[np.int64]:
    """Put each blurred face to a group of sharp ones, best first, and no two blurred ones together for being alike.

    Args:
        units: (N, D) embeddings at unit length.
        labels: (N,) the groups of the sharp faces, 0 … K − 1; every blurred face is in a later group of its own.
        blurred: (N,) which faces are.
        threshold: The least linkage at which a face is put to a group.
        photos: (N,) the photo of each face.
        linkage: How alike a face and a group are.

    Returns:
        (N,) the group of each face.
    """
    if not blurred.any():
        return labels
    groups, taken = _Groups(units[~blurred], labels[~blurred], linkage), _photos_of_groups(labels, photos)
    sharp = groups.scaled[: groups.count]
    alike = []
    for face in np.flatnonzero(blurred).tolist():
        linkages = sharp @ units[face]
        strong = np.flatnonzero(linkages >= threshold)
        alike += [(-linkages[group], face, group) for group in strong.tolist()]
    labels = labels.copy()
    for _, face, group in sorted(alike):
        own = labels[face]
        if own >= groups.count and taken[own].isdisjoint(taken[group]):
            labels[face] = group
            taken[group] |= taken[own]
    return np.unique(labels, return_inverse=True)[1]


class _Groups:
    """The groups so far, 0 … K − 1, and room for those made by joining two: at most K − 1 more."""

    def __init__(self, units: NDArray[np.float64], labels: NDArray[np.int64], linkage: Linkage) -> None:
        self.linkage = linkage
        self.count = int(labels.max(initial=-1)) + 1
        self.size = np.zeros(2 * self.count)
        self.size[: self.count] = np.bincount(labels, minlength=self.count)
        self.sums = np.zeros((2 * self.count, units.shape[1]))
        np.add.at(self.sums, labels, units)
        self.scaled = np.zeros_like(self.sums)
        """Vectors whose inner products are the linkages."""
        self._scale(slice(self.count))

    def _scale(self, which: slice) -> None:
        divisor = self.size[which]
        if self.linkage == "tempered":
            length = np.linalg.norm(self.sums[which], axis=1)
            divisor = np.sqrt(divisor * np.where(length == 0, 1, length))
        self.scaled[which] = self.sums[which] / divisor[:, None]

    def join(self, a: int, b: int) -> int:
        joined = self.count
        self.count += 1
        self.sums[joined] = self.sums[a] + self.sums[b]
        self.size[joined] = self.size[a] + self.size[b]
        self._scale(slice(joined, joined + 1))
        return joined

    def most_alike(self, group: int, others: NDArray[np.int64], threshold: float) -> Iterator[tuple[float, int, int]]:
        """(−linkage, other, group) of those others that are alike enough, the most alike first."""
        linkage = self.scaled[others] @ self.scaled[group]
        others, linkage = others[linkage >= threshold], linkage[linkage >= threshold]
        order = np.argsort(-linkage, kind="stable")
        return zip((-linkage[order]).tolist(), others[order].tolist(), repeat(group))

    def edges(self, threshold: float) -> tuple[list[int], list[int], list[float]]:
        """Both ends a < b and the linkage of each edge of the graph that is strong enough."""
        present = self.scaled[: self.count].astype(np.float32)
        cosine, neighbour = top_k(present, present, NEIGHBOURS + 1)
        length = np.linalg.norm(present, axis=1)
        linkage = cosine * length[:, None] * length[neighbour]
        one = np.broadcast_to(np.arange(self.count)[:, None], neighbour.shape)
        strong = (linkage >= threshold) & (one != neighbour)
        a, b = np.minimum(one, neighbour)[strong], np.maximum(one, neighbour)[strong]
        _, once = np.unique(a * self.count + b, return_index=True)
        return a[once].tolist(), b[once].tolist(), linkage[strong][once].tolist()


def _join_neighbours(groups: _Groups, threshold: float, photos: list[set[int]]) -> NDArray[np.int64]:
    """Join the most alike neighbours, again and again; (K,) the new group of each group there was."""
    before = groups.count
    part_of = list(range(before))
    near: dict[int, set[int]] = {group: set() for group in range(before)}
    candidates = []
    for a, b, linkage in zip(*groups.edges(threshold), strict=True):
        near[a].add(b)
        near[b].add(a)
        candidates.append((-linkage, a, b))
    heapq.heapify(candidates)
    # Of a joined group's own only the most alike is among the candidates: all of them would be faces × faces.
    waiting: dict[int, Iterator[tuple[float, int, int]]] = {}

    def offer_next(group: int) -> None:
        if candidate := next(waiting.get(group, iter(())), None):
            heapq.heappush(candidates, candidate)

    while candidates:
        _, a, b = heapq.heappop(candidates)
        if b not in near:
            continue  # it has become part of another group
        offer_next(b)
        if a not in near:
            continue
        if not photos[a].isdisjoint(photos[b]):
            near[a].discard(b)
            near[b].discard(a)
            continue
        joined = groups.join(a, b)
        photos.append(photos[a] | photos[b])
        part_of.append(joined)
        part_of[a] = part_of[b] = joined
        parts = {a, b}
        near[joined] = (near.pop(a) | near.pop(b)) - parts
        for other in near[joined]:
            near[other] -= parts
            near[other].add(joined)
        waiting.pop(a, None)
        waiting.pop(b, None)
        waiting[joined] = groups.most_alike(joined, np.array(sorted(near[joined]), np.int64), threshold)
        offer_next(joined)
    # A group is always joined into a later one: from the last to the first, each one's own is already known.
    for group in reversed(range(len(part_of))):
        part_of[group] = part_of[part_of[group]]
    return np.unique(np.array(part_of[:before], np.int64), return_inverse=True)[1]


def _photos_of_groups(labels: NDArray[np.int64], photos: NDArray[np.int64]) -> list[set[int]]:
    """The photos that each group has a face in; those with a single face keep nothing apart, and are left out."""
    sets: list[set[int]] = [set() for _ in range(labels.max(initial=-1) + 1)]
    _, where, faces = np.unique(photos, return_inverse=True, return_counts=True)
    for face in np.flatnonzero(faces[where] > 1):
        sets[labels[face]].add(int(photos[face]))
    return sets
