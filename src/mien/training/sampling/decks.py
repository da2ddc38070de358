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
    decks, begun = [photos[:0]], photos[:0]
    for dealt in range(0, hands * size, len(photos)):
        deck = draws.permutation(photos)
        # What the unfinished hand holds already must not come into it again before the others.
        held = (deck[:, None] == begun).sum(axis=1)
        decks.append(deck[np.argsort(held, kind="stable")])
        line = np.concatenate((begun, decks[-1]))
        begun = line[len(line) - (dealt + len(photos)) % size :]
    return np.concatenate(decks)[: hands * size].reshape(hands, size)
