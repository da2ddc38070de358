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
        inverse: (c, 1) 1/length; 1 for a zero vector.
        members: (M,) samples whose class is here.
        positions: (M,) the row of each one's class, from 0 at the chunk's first.
    """

    number: int
    span: slice
    vectors: Tensor
    inverse: Tensor
    members: Tensor
    positions: Tensor


def chunks(
    weight: Tensor,
    rows: Tensor | None,
    labels: Tensor,
    size: int,
    dtype: torch.dtype,
    inverse: Tensor | None = None,
) -> Iterator[Chunk]:
    """The classes in their order, `size` at a time.

    Args:
        weight: (C, D).
        rows: Increasing rows of `weight` that are the classes; None for all.
        labels: (N,) int64, the class of each sample, counted in `rows`; −1 for none.
        size: Classes at a time.
        dtype: Of the vectors.
        inverse: (classes, 1) 1/length of every vector, if it is known already.
    """
    classes = len(weight) if rows is None else len(rows)
    starts = range(0, classes, size)
    by_class, members = torch.sort(labels, stable=True)
    bounds = torch.searchsorted(by_class, torch.tensor([*starts, classes], device=labels.device)).tolist()
    for number, start in enumerate(starts):
        span = slice(start, min(start + size, classes))
        vectors = (weight[span] if rows is None else weight[rows[span]]).to(dtype)
        here = slice(bounds[number], bounds[number + 1])
        yield Chunk(
            number,
            span,
            vectors,
            inverse_lengths(vectors) if inverse is None else inverse[span],
            members[here],
            by_class[here] - start,
        )


def inverse_lengths(vectors: Tensor) -> Tensor:
    """(c, 1) 1/length of (c, D) vectors; 1 for a zero vector."""
    lengths: Tensor = torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
    return lengths.where(lengths > 0, 1).reciprocal_()
