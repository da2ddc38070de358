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

    What is left of a deck begins the next hand.

    Args:
        photos: (n,) rows, n at least 1.
        hands: How many, 0 or more.
        size: Photos a hand. A person with fewer gives each as often as it takes, within one of each other.
        draws: Shuffles.
    """
    line = photos[:0]
    while len(line) < hands * size:
        begun = line[len(line) - len(line) % size :]
        deck = draws.permutation(photos)
        # What the unfinished hand holds already must not come into it again before the others.
        held = (deck[:, None] == begun).sum(axis=1)
        line = np.concatenate((line, deck[np.argsort(held, kind="stable")]))
    return line[: hands * size].reshape(hands, size)
