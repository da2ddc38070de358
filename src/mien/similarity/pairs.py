"""Comparing many vectors with many others, in bounded memory."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from mien.similarity.metric import Floats, Metric, same_width
from mien.similarity.registry import METRICS

Kind = Literal["similarity", "distance"]

BLOCK_ROWS, BLOCK_COLUMNS = 1024, 8192
"""A block of 1024 × 8192 float32 takes 32 MB: small enough for any machine, large enough for a fast matrix product."""


def pairwise(a: ArrayLike, b: ArrayLike, metric: Metric | str = "cosine", *, kind: Kind = "similarity") -> Floats:
    """Compare each vector with its counterpart.

    Args:
        a: (N, D) vectors.
        b: (N, D) vectors.
        metric: A metric, or its name in `METRICS`.
        kind: Similarities (greater = more alike) or distances.

    Returns:
        (N,) values, in the precision of the vectors.

    Raises:
        ValueError: The shapes don't fit, a value is NaN, infinite or outside the metric's domain, or the metric is
            unknown.
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.ndim != 2 or a.shape != b.shape:
        raise ValueError(f"pairwise: two (N, D) arrays of one shape are needed, not {a.shape} and {b.shape}.")
    chosen = metric_named(metric)
    return chosen.distance(a, b) if kind == "distance" else chosen.similarity(a, b)


def all_pairs(a: ArrayLike, b: ArrayLike, metric: Metric | str = "cosine", *, kind: Kind = "similarity") -> Floats:
    """Compare every vector of `a` with every vector of `b`.

    Only the answer itself is held whole; where even that is too large, use `iter_blocks` or `top_k`.

    Args:
        a: (N, D) vectors.
        b: (M, D) vectors.
        metric: A metric, or its name in `METRICS`.
        kind: Similarities (greater = more alike) or distances.

    Returns:
        (N, M) values, in the precision of the vectors.

    Raises:
        ValueError: The shapes don't fit, a value is NaN, infinite or outside the metric's domain, or the metric is
            unknown.
    """
    chosen = metric_named(metric)
    a, b = comparable(chosen, a, b)
    values = np.empty((len(a), len(b)), a.dtype)
    for rows, columns, block in iter_blocks(a, b, chosen, kind=kind):
        values[rows, columns] = block
    return values


def iter_blocks(
    a: ArrayLike,
    b: ArrayLike,
    metric: Metric | str = "cosine",
    *,
    kind: Kind = "similarity",
    rows: int = BLOCK_ROWS,
    columns: int = BLOCK_COLUMNS,
) -> Iterator[tuple[slice, slice, Floats]]:
    """Compare every vector of `a` with every vector of `b`, a block at a time.

    Args:
        a: (N, D) vectors.
        b: (M, D) vectors.
        metric: A metric, or its name in `METRICS`.
        kind: Similarities (greater = more alike) or distances.
        rows: Vectors of `a` in a block, at most.
        columns: Vectors of `b` in a block, at most.

    Yields:
        The block's rows, its columns, and its values in the precision of the vectors: all columns of the first rows,
        left to right, then the next rows.

    Raises:
        ValueError: The shapes don't fit, a value is NaN, infinite or outside the metric's domain, or the metric is
            unknown.
    """
    if rows < 1 or columns < 1:
        raise ValueError(f"a block has at least one row and one column, not {rows} × {columns}.")
    chosen = metric_named(metric)
    a, b = comparable(chosen, a, b)
    for top in range(0, len(a), rows):
        for left in range(0, len(b), columns):
            down, across = slice(top, min(top + rows, len(a))), slice(left, min(left + columns, len(b)))
            yield down, across, chosen.all_values(a[down], b[across], distances=kind == "distance")


def metric_named(metric: Metric | str) -> Metric:
    """The metric of that name, or `metric` itself; ValueError if the name is unknown."""
    if isinstance(metric, Metric):
        return metric
    if metric not in METRICS:
        raise ValueError(f"There is no metric {metric!r}; there are {', '.join(METRICS)}.")
    return METRICS[metric]


def comparable(metric: Metric, a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
    """`a` and `b` as two-dimensional arrays that `metric` can compare; ValueError if they aren't."""
    a, b = metric.prepared(a), metric.prepared(b)
    if a.ndim != 2 or b.ndim != 2:
        raise ValueError(f"{metric.name}: two arrays of vectors (N, D) are needed, not {a.shape} and {b.shape}.")
    return same_width(metric, a, b)
