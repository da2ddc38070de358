"""Fewer people, fewer photos of each, or an uneven share of them: wide sets, deep sets and long tails."""

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]
Rows = NDArray[np.int64]


def subsample(
    labels: Labels, *, people: int | None = None, photos_per_person: int | None = None, fewest: int = 1, seed: int = 0
) -> Rows:
    """Choose some people, and some photos of each.

    People and photos are ranked once by the seed and the first ones taken. So a smaller choice with the same seed is a
    part of a larger one, which is what learning curves need.

    Args:
        labels: (N,) integers: whose each photo is.
        people: Take so many people at most; None for all.
        photos_per_person: Take so many photos of each at most; None for all.
        fewest: Leave out people with fewer photos than this. As many as `photos_per_person` makes the set even.
        seed: 0 or more.

    Returns:
        The chosen rows, increasing.

    Raises:
        ValueError: A count below 1, or labels that are not one row of integers.
    """
    for name, count in (("people", people), ("photos_per_person", photos_per_person), ("fewest", fewest)):
        if count is not None and count < 1:
            raise ValueError(f"{name} must be at least 1, not {count}")
    person, number, ranking = _ranked(labels, seed)
    photos = np.bincount(person, minlength=len(ranking))
    ranking = ranking[photos[ranking] >= fewest][:people]
    quota = np.zeros(len(photos), np.int64)
    quota[ranking] = len(person) if photos_per_person is None else photos_per_person
    return np.flatnonzero(number < quota[person])


def long_tail(labels: Labels, *, most: int, imbalance: float, seed: int = 0) -> Rows:
    """Choose photos so that their counts fall exponentially from person to person.

    The k-th of K people keeps most·imbalance^(−k/(K−1)) photos, k = 0 … K − 1 (Cui, Jia, Lin, Song & Belongie 2019,
    section 5.1: imbalance is the ratio of the most photos to the fewest). Who has more photos to choose from comes
    first, so that the counts can be kept; the seed decides among equals. Nobody loses their last photo.

    Args:
        labels: (N,) integers: whose each photo is.
        most: Photos of the first person, at least 1.
        imbalance: At least 1; 1 gives everybody the same.
        seed: 0 or more.

    Returns:
        The chosen rows, increasing. People with fewer photos than their share keep those they have.

    Raises:
        ValueError: A number out of range, or labels that are not one row of integers.
    """
    _check_imbalance(most, imbalance)
    person, number, ranking = _ranked(labels, seed)
    ranking = _most_photos_first(person, ranking)
    quota = np.empty(len(ranking), np.int64)
    falling = most * float(imbalance) ** -(np.arange(len(ranking)) / max(len(ranking) - 1, 1))
    quota[ranking] = np.maximum(np.rint(falling), 1)
    return np.flatnonzero(number < quota[person])


def two_levels(labels: Labels, *, most: int, imbalance: float, share: float = 0.5, seed: int = 0) -> Rows:
    """Choose photos so that a share of the people keeps many and the others few.

    Step imbalance (Buda, Maki & Mazurowski 2018, section 3.1): some classes have `imbalance` times fewer examples.

    Args:
        labels: (N,) integers: whose each photo is.
        most: Photos of those who keep many, at least 1.
        imbalance: How many times fewer the others keep, at least 1; everybody keeps one at least.
        share: The share of people who keep few, 0 to 1. They are those with the fewest photos, the seed deciding among
            equals.
        seed: 0 or more.

    Returns:
        The chosen rows, increasing.

    Raises:
        ValueError: A number out of range, or labels that are not one row of integers.
    """
    _check_imbalance(most, imbalance)
    if not 0 <= share <= 1:
        raise ValueError(f"share must be in [0, 1], not {share}")
    person, number, ranking = _ranked(labels, seed)
    ranking = _most_photos_first(person, ranking)
    quota = np.full(len(ranking), most, np.int64)
    quota[ranking[len(ranking) - round(share * len(ranking)) :]] = max(1, round(most / imbalance))
    return np.flatnonzero(number < quota[person])


def _ranked(labels: Labels, seed: int) -> tuple[Labels, Labels, Labels]:
    """Whose each row is (0 … K − 1), which of that person's photos in drawn order, and the people in drawn order."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(f"labels are one row of integers, not {labels.dtype} of shape {labels.shape}")
    names, person = np.unique(labels, return_inverse=True)
    random = np.random.default_rng(seed)
    ranking = random.permutation(len(names))
    drawn = random.permutation(len(labels))
    order = drawn[np.argsort(person[drawn], kind="stable")]  # person by person, each one's photos in drawn order
    starts = np.searchsorted(person[order], np.arange(len(names)))
    number = np.empty(len(labels), np.int64)
    number[order] = np.arange(len(labels)) - starts[person[order]]
    return person, number, ranking


def _most_photos_first(person: Labels, ranking: Labels) -> Labels:
    photos = np.bincount(person, minlength=len(ranking))
    return ranking[np.argsort(-photos[ranking], kind="stable")]


def _check_imbalance(most: int, imbalance: float) -> None:
    if most < 1:
        raise ValueError(f"most must be at least 1, not {most}")
    if not 1 <= imbalance < float("inf"):
        raise ValueError(f"imbalance must be 1 or more, not {imbalance}")
