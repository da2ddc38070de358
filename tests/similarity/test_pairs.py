import tracemalloc

import numpy as np
import pytest

from mien.similarity import METRICS, Metric, all_pairs, iter_blocks, pairwise


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 4), (100, 2), (1024, 1024)])
def test_blocks_tile_the_whole(metric: Metric, rows: int, columns: int) -> None:
    random = np.random.default_rng(0)
    a, b = random.integers(0, 2, (10, 6)), random.integers(0, 2, (7, 6))
    whole = np.full((10, 7), np.nan)
    for down, across, block in iter_blocks(a, b, metric, kind="distance", rows=rows, columns=columns):
        assert block.shape == (down.stop - down.start, across.stop - across.start)
        assert block.shape[0] <= rows
        assert block.shape[1] <= columns
        assert np.isnan(whole[down, across]).all()
        whole[down, across] = block
    np.testing.assert_allclose(whole, all_pairs(a, b, metric, kind="distance"), atol=1e-12)


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (3, 0), (1, 1)])
def test_none_and_one(metric: Metric, n: int, m: int) -> None:
    a, b = np.ones((n, 4), np.float32), np.ones((m, 4), np.float32)
    values = all_pairs(a, b, metric)
    assert values.shape == (n, m)
    assert values.dtype == np.float32
    assert pairwise(a, a, metric).shape == (n,)


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_vectors_without_values_are_equal(metric: Metric) -> None:
    a = np.ones((2, 0))
    expected = {"cosine": 1}.get(metric.name, 0)  # a vector without values is a zero vector
    np.testing.assert_array_equal(all_pairs(a, a, metric, kind="distance"), expected)
    np.testing.assert_array_equal(pairwise(a, a, metric, kind="distance"), expected)


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_memory_is_bounded_by_the_block(metric: Metric) -> None:
    a = np.ones((800, 16), np.float32)
    tracemalloc.start()
    try:
        for _ in iter_blocks(a, a, metric, rows=64, columns=64):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 600_000  # the whole matrix would be 2.5 MB


@pytest.mark.parametrize(("rows", "columns"), [(0, 1), (1, 0), (-1, 1)])
def test_empty_blocks_are_refused(rows: int, columns: int) -> None:
    with pytest.raises(ValueError, match="at least one row"):
        next(iter_blocks(np.ones((1, 1)), np.ones((1, 1)), rows=rows, columns=columns))
