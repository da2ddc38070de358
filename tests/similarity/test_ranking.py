from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.similarity import METRICS, Metric, all_pairs, top_k

everyone = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)


def by_sorting(a: NDArray[Any], b: NDArray[Any], k: int, metric: Metric) -> tuple[NDArray[Any], NDArray[np.int64]]:
    values = np.array([[metric.similarity(x, y) for y in b] for x in a]).reshape(len(a), len(b))
    order = np.argsort(-values, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(values, order, axis=1), order


@everyone
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (4, 7), (1024, 8192)])
def test_exact_whatever_the_blocks(metric: Metric, dtype: type, rows: int, columns: int) -> None:
    random = np.random.default_rng(0)
    a: NDArray[Any] = random.integers(0, 2, (9, 5)).astype(dtype)
    b: NDArray[Any] = random.integers(0, 2, (40, 5)).astype(dtype)  # many ties
    values, indices = top_k(a, b, 6, metric, rows=rows, columns=columns)
    expected_values, expected_indices = by_sorting(a, b, 6, metric)
    np.testing.assert_array_equal(indices, expected_indices)
    np.testing.assert_array_equal(values, expected_values)
    assert values.dtype == dtype
    assert indices.dtype == np.int64


@given(
    n=st.integers(0, 4), m=st.integers(0, 12), k=st.integers(1, 5), columns=st.integers(1, 6), seed=st.integers(0, 99)
)
def test_is_a_stable_sort(n: int, m: int, k: int, columns: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    a = random.normal(size=(n, 3)).astype(np.float32)
    b = random.normal(size=(m, 3)).astype(np.float32)[random.integers(0, max(m, 1), m)]  # some twice
    values, indices = top_k(a, b, k, columns=columns)
    expected_values, expected_indices = by_sorting(a, b, k, METRICS["cosine"])
    np.testing.assert_array_equal(indices, expected_indices)
    np.testing.assert_array_equal(values, expected_values)


def test_equal_references_rank_by_index_although_matrix_products_round_differently() -> None:
    random = np.random.default_rng(0)
    one = random.normal(size=(1, 129)).astype(np.float32)
    references = np.repeat(one, 1003, axis=0)
    probes = random.normal(size=(37, 129)).astype(np.float32)
    values, indices = top_k(probes, references, 5, columns=100)
    np.testing.assert_array_equal(indices, np.tile(np.arange(5), (37, 1)))
    assert (values == values[:, :1]).all()


def test_values_are_those_of_all_pairs_to_rounding() -> None:
    random = np.random.default_rng(0)
    a, b = (random.normal(size=(n, 128)).astype(np.float32) for n in (300, 2000))
    values, indices = top_k(a, b, 10, columns=512)
    np.testing.assert_allclose(values, np.take_along_axis(all_pairs(a, b), indices, axis=1), atol=1e-6)
    assert (np.diff(values, axis=1) <= 0).all()


@everyone
def test_fewer_references_than_asked_for(metric: Metric) -> None:
    values, indices = top_k(np.ones((2, 3)), np.ones((2, 3)), 10, metric)
    np.testing.assert_array_equal(indices, [[0, 1], [0, 1]])
    assert values.shape == (2, 2)
    values, indices = top_k(np.ones((2, 3)), np.ones((0, 3)), 10, metric)
    assert values.shape == indices.shape == (2, 0)
    values, indices = top_k(np.ones((0, 3)), np.ones((2, 3)), 1, metric)
    assert values.shape == indices.shape == (0, 1)


def test_references_infinitely_far_away_are_still_ranked() -> None:
    far = np.array([[1e200, 0], [0, 1e200], [1, 1]])
    values, indices = top_k(np.zeros((1, 2)), far, 3, "euclidean", columns=1)
    np.testing.assert_array_equal(indices, [[2, 0, 1]])
    np.testing.assert_array_equal(values, [[-np.sqrt(2), -np.inf, -np.inf]])


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="k must be 1 or more"):
        top_k(np.ones((1, 2)), np.ones((1, 2)), 0)
    with pytest.raises(ValueError, match="NaN or infinity"):
        top_k(np.ones((1, 2)), np.full((1, 2), np.nan), 1)
