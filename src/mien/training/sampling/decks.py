"""Photos of each person dealt like cards: all of them once before any comes again."""

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def rows_of_people(labels: NDArray[np.int64]) -> list[Rows]:
    """For each person, in the order of the labels' values, the rows of their photos."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)


def deal(photos: Rows, hands: int, size: int, draws: np.random.Generator) -> Rows:
    """Hands of photos of one person, (hands, size): none twice in a hand, while there are enough.

    Args:
        photos: (n,) rows, n at least 1.
        hands: How many.
        size: Photos a hand. A person with fewer gives each as often as it takes, within one of each other.
        draws: Shuffles.
    """
    whole = max(1, len(photos) // size)
    decks = [draws.permutation(photos) for _ in range(-(-hands // whole))]
    return np.concatenate([np.resize(deck, (whole, size)) for deck in decks])[:hands]
