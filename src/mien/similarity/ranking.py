"""The nearest of many: exact search, in bounded memory."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mien.progress import report
from mien.similarity.metric import Floats, Metric
from mien.similarity.pairs import BLOCK_COLUMNS, BLOCK_ROWS, comparable, iter_blocks, metric_named

Indices = NDArray[np.int64]

_PAIRS_AT_ONCE = 65_536


def top_k(
    probes: ArrayLike,
    references: ArrayLike,
    k: int,
    metric: Metric | str = "cosine",
    *,
    rows: int = BLOCK_ROWS,
    columns: int = BLOCK_COLUMNS,
) -> tuple[Floats, Indices]:
    """The `k` references most similar to each probe: exact, and the same whatever the blocks are.

    Blocks of fast matrix products only narrow down; the candidates that could be among the `k`, rounding included,
    are then compared one by one, so that the values are those of `pairwise` and equal references rank equally.

    Args:
        probes: (N, D) vectors.
        references: (M, D) vectors.
        k: How many, 1 or more; where there are fewer references, all of them are returned.
        metric: A metric, or its name in `METRICS`.
        rows: Probes compared at once, at most.
        columns: References compared at once, at most.

    Returns:
        Similarities (N, min(k, M)), greatest first, in the precision of the vectors, and the references' indices
        (N, min(k, M)) int64. Of equally similar references the lower index comes first.

    Raises:
        ValueError: `k` is below 1, the shapes don't fit, a value is NaN, infinite or outside the metric's domain, or
            the metric is unknown.
    """
    if k < 1:
        raise ValueError(f"top_k: k must be 1 or more, not {k}.")
    chosen = metric_named(metric)
    a, b = comparable(chosen, probes, references)
    k = min(k, len(b))
    similarities = np.full((len(a), k), -np.inf, a.dtype)
    indices = np.full((len(a), k), len(b), np.int64)
    if k == 0:
        return similarities, indices
    for down, across, block in iter_blocks(a, b, chosen, rows=rows, columns=columns):
        best, where = similarities[down], indices[down]
        row, column = _candidates(block, best[:, -1], min(k, block.shape[1]), a.shape[1])
        value = _compared(chosen, a[down], b[across], row, column)
        similarities[down], indices[down] = _merged(best, where, row, column + across.start, value)
        report("comparing", down.start * len(b) + (down.stop - down.start) * across.stop, len(a) * len(b))
    return similarities, indices


def _candidates(block: Floats, least: Floats, k: int, width: int) -> tuple[Indices, Indices]:
    """Rows and columns of `block` that may be among the row's `k` best, and may beat or equal its `least` so far."""
    hopeful = block >= lowered(least, width)[:, None]
    # Once many references have been seen, few of the next ones beat `least`; before that, the block's own k-th does.
    if np.count_nonzero(hopeful) > 2 * k * len(block):
        bound = np.partition(block, -k, axis=1)[:, -k]
        hopeful &= block >= lowered(bound, width)[:, None]
    rows, columns = np.nonzero(hopeful)
    return rows, columns


def lowered(bound: Floats, width: int) -> Floats:
    """`bound` less what a sum of `width` products can be off by rounding; −∞ stays −∞."""
    slack = 8 * np.finfo(bound.dtype).eps * np.sqrt(width) * np.maximum(np.abs(bound), 1)
    with np.errstate(invalid="ignore"):
        return np.where(np.isneginf(bound), bound, bound - slack).astype(bound.dtype)


def _compared(metric: Metric, a: Floats, b: Floats, row: Indices, column: Indices) -> Floats:
    """The similarities of the pairs (`row`, `column`), each computed by itself."""
    values = np.empty(len(row), a.dtype)
    for start in range(0, len(row), _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        values[part] = metric.similarity(a[row[part]], b[column[part]])
    return values


def _merged(best: Floats, where: Indices, row: Indices, column: Indices, value: Floats) -> tuple[Floats, Indices]:
    """The `best` (N, K) with the new values of their rows among them, still K, greatest first, lower index first."""
    count, k = best.shape
    rows = np.concatenate([np.repeat(np.arange(count), k), row])
    columns = np.concatenate([where.ravel(), column])
    values = np.concatenate([best.ravel(), value])
    order = np.lexsort((columns, -values, rows))
    starts = np.searchsorted(rows[order], np.arange(count))
    chosen = order[starts[:, None] + np.arange(k)]
    return values[chosen], columns[chosen]
