"""Triplets of a whole set, found offline from a table of embeddings."""

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mien.training.losses.ranges import at_least, one_of
from mien.training.mining.triplet_file import Triplets

Negatives = Literal["semi_hard", "hard", "random"]

BLOCK = 2**22
"""Distances at a time."""


def find_triplets(
    embeddings: ArrayLike,
    labels: ArrayLike,
    *,
    negatives: Negatives = "semi_hard",
    margin: float = 0.2,
    positives: int = 1,
    among: int | None = 2000,
    seed: int = 0,
) -> Triplets:
    """Find triplets by the squared distances of unit vectors.

    Schroff, Kalenichenko & Philbin, FaceNet, CVPR 2015, section 3.2: each anchor meets positives at random, and the
    nearest negative of its kind among some drawn at random. Among all photos of a large set, the nearest negative of an
    anchor is often one with a wrong label.

    Args:
        embeddings: (N, D), of any length.
        labels: (N,) integers: whose each is.
        negatives: ``"semi_hard"`` (farther than the positive, by less than the margin), ``"hard"`` (the nearest) or
            ``"random"``. A pair without such a negative gives no triplet.
        margin: Of the loss; at least 0.
        positives: Positives of each anchor, at least 1; fewer where its person has fewer photos.
        among: How many photos the negatives are sought in, drawn anew for each block of pairs; None for all.
        seed: The same gives the same triplets.

    Returns:
        (T, 3) rows of anchor, positive and negative, by anchor.

    Raises:
        ValueError: An argument is outside its range, or the shapes don't fit.
    """
    vectors, whose = np.asarray(embeddings, np.float32), np.asarray(labels)
    if vectors.ndim != 2 or whose.shape != vectors.shape[:1]:
        raise ValueError(f"labels of shape {whose.shape} for embeddings of shape {vectors.shape}")
    one_of(get_args(Negatives), negatives=negatives)
    at_least(0, margin=margin)
    at_least(1, positives=positives, among=len(vectors) if among is None else among)
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    draws = np.random.default_rng(seed)
    pairs = np.array(list(_mated_pairs(whose, positives, draws)), np.int64).reshape(-1, 2)
    pool = min(len(vectors), among or len(vectors))
    found = [np.zeros((0, 3), np.int64)]
    for block in np.array_split(pairs, 1 + len(pairs) * pool // BLOCK):
        candidates = np.sort(draws.choice(len(vectors), pool, replace=False))
        own = 2 - 2 * np.einsum("ij,ij->i", vectors[block[:, 0]], vectors[block[:, 1]])
        distances = 2 - 2 * vectors[block[:, 0]] @ vectors[candidates].T
        keys = draws.random(distances.shape, np.float32) if negatives == "random" else distances.copy()
        keys[whose[block[:, 0], None] == whose[candidates]] = np.inf
        if negatives == "semi_hard":
            keys[(distances <= own[:, None]) | (distances >= own[:, None] + margin)] = np.inf
        if not keys.size:
            continue
        nearest = keys.argmin(axis=1)
        there = keys[np.arange(len(keys)), nearest] < np.inf
        found.append(np.column_stack((block, candidates[nearest]))[there])
    return np.concatenate(found)


def _mated_pairs(whose: NDArray[np.generic], positives: int, draws: np.random.Generator) -> Iterator[tuple[int, int]]:
    """For each anchor, rows of itself and of some others of its person, drawn without repeats."""
    _, person = np.unique(whose, return_inverse=True)
    order = np.argsort(person, kind="stable")
    starts = np.asarray(np.searchsorted(person[order], person))
    counts = np.bincount(person)[person]
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    for anchor in range(len(order)):
        start, count, place = int(starts[anchor]), int(counts[anchor]), int(places[anchor])
        others = draws.permutation(count - 1)[:positives] if count > 1 else ()
        for offset in others:
            yield anchor, int(order[start + (place - start + 1 + offset) % count])
