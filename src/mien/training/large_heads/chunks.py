"""Classes, some at a time."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor


class Chunk(NamedTuple):
    """Some classes, and whose class is among them.

    Attributes:
        number: Which chunk, from 0.
        span: Which classes.
        vectors: (c, D) their vectors, of any length.
        members: (M,) samples whose class is here.
        positions: (M,) the row of each one's class, from 0 at the chunk's first.
    """

    number: int
    span: slice
    vectors: Tensor
    members: Tensor
    positions: Tensor


def chunks(
    weight: Tensor,
    rows: Tensor | None,
    labels: Tensor,
    size: int,
    dtype: torch.dtype,
    *,
    last_first: bool = False,
) -> Iterator[Chunk]:
    """The classes, `size` at a time.

    Args:
        weight: (C, D).
        rows: Increasing rows of `weight` that are the classes; None for all.
        labels: (N,) int64, the class of each sample, counted in `rows`; −1 for none.
        size: Classes at a time.
        dtype: Of the vectors.
        last_first: Whether they come in reverse: a second pass over what a first one left in the cache.
    """
    classes = len(weight) if rows is None else len(rows)
    starts = range(0, classes, size)
    by_class, members = torch.sort(labels, stable=True)
    bounds = torch.searchsorted(by_class, torch.tensor([*starts, classes], device=labels.device)).tolist()
    order = range(len(starts))
    for number in reversed(order) if last_first else order:
        start = starts[number]
        span = slice(start, min(start + size, classes))
        vectors = (weight[span] if rows is None else weight[rows[span]]).to(dtype)
        here = slice(bounds[number], bounds[number + 1])
        yield Chunk(number, span, vectors, members[here], by_class[here] - start)
