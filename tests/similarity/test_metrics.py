import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.spatial import distance as scipy_distance

from mien.similarity import METRICS, Metric, Minkowski, all_pairs, cosine, euclidean, jaccard, pairwise

Array = NDArray[np.floating[Any]]
everyone = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
SHARES = {"cosine", "jaccard", "weighted_jaccard"}


def vectors(metric: Metric, count: int, width: int = 7, seed: int = 0, dtype: type = np.float64) -> Array:
    random = np.random.default_rng(seed)
    if metric.name == "jaccard":
        return random.integers(0, 2, (count, width)).astype(dtype)
    values = random.normal(size=(count, width))
    return np.abs(values).astype(dtype) if metric.name in {"chi_square", "weighted_jaccard"} else values.astype(dtype)


def by_scipy(metric: Metric, a: Array, b: Array) -> Array:
    a, b = a.astype(np.float64), b.astype(np.float64)
    match metric.name:
        case "manhattan":
            return scipy_distance.cdist(a, b, "cityblock")
        case "squared_euclidean":
            return scipy_distance.cdist(a, b, "sqeuclidean")
        case "minkowski":
            assert isinstance(metric, Minkowski)
            return scipy_distance.cdist(a, b, "minkowski", p=metric.p)
        case "jaccard":
            return scipy_distance.cdist(a.astype(bool), b.astype(bool), "jaccard")
        case "weighted_jaccard":  # SciPy has it only as the Bray-Curtis dissimilarity B = (1 − J) / (1 + J)
            bray_curtis = scipy_distance.cdist(a, b, "braycurtis")
            return np.asarray(1 - (1 - bray_curtis) / (1 + bray_curtis))
        case "chi_square":  # SciPy has its parts: ½Σ(a−b)²/(a+b) = Σ(a+b)/2 − Σ 2ab/(a+b)
            harmonic = np.array([[np.sum(2 * x * y / (x + y)) for y in b] for x in a])
            return np.asarray((a.sum(1)[:, None] + b.sum(1)) / 2 - harmonic)
        case "cosine":
            return scipy_distance.cdist(a, b, "cosine")
        case "euclidean":
            return scipy_distance.cdist(a, b, "euclidean")
        case name:
            raise NotImplementedError(name)


@everyone
def test_every_pair_is_what_scipy_says(metric: Metric) -> None:
    a, b = vectors(metric, 40), vectors(metric, 30, seed=1)
    expected = by_scipy(metric, a, b)
    np.testing.assert_allclose(all_pairs(a, b, metric, kind="distance"), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(pairwise(a[:30], b, metric, kind="distance"), np.diag(expected), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(metric.distance(a[:, None], b), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("p", [1, 1.5, 2, 7, np.inf])
def test_minkowski_of_any_order_is_what_scipy_says(p: float) -> None:
    metric = Minkowski(p)
    a, b = vectors(metric, 10), vectors(metric, 12, seed=1)
    expected = scipy_distance.cdist(a, b, "chebyshev") if np.isinf(p) else scipy_distance.cdist(a, b, "minkowski", p=p)
    np.testing.assert_allclose(all_pairs(a, b, metric, kind="distance"), expected, rtol=1e-12)


def test_minkowski_survives_powers_that_overflow() -> None:
    a, b = np.array([3e200, 4e200]), np.zeros(2)
    assert Minkowski(2).distance(a, b) == pytest.approx(5e200)
    assert Minkowski(200).distance([1e-3, 2e-3], [0, 0]) == pytest.approx(2e-3)


@pytest.mark.parametrize("p", [0.5, 0, -1, np.nan])
def test_minkowski_below_one_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="order p"):
        Minkowski(p)


@everyone
def test_similarity_grows_as_distance_shrinks(metric: Metric) -> None:
    a, b = vectors(metric, 20), vectors(metric, 20, seed=1)
    for similarity, distance in (
        (metric.similarity(a, b), metric.distance(a, b)),
        (all_pairs(a, b, metric), all_pairs(a, b, metric, kind="distance")),
    ):
        np.testing.assert_allclose(similarity, 1 - distance if metric.name in SHARES else -distance, atol=1e-15)


@everyone
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_in_is_precision_out(metric: Metric, dtype: type) -> None:
    a, b = vectors(metric, 50, 512, dtype=dtype), vectors(metric, 50, 512, seed=1, dtype=dtype)
    for values in (metric.distance(a, b), metric.similarity(a, b), np.diag(all_pairs(a, b, metric, kind="distance"))):
        assert values.dtype == dtype
    expected = np.diag(by_scipy(metric, a, b))
    tolerance = 1e-6 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(metric.distance(a, b), expected, rtol=tolerance, atol=tolerance / 10)
    np.testing.assert_allclose(np.diag(all_pairs(a, b, metric, kind="distance")), expected, rtol=tolerance, atol=1e-6)


def test_other_number_types() -> None:
    whole = euclidean.distance(np.array([[0, 3]]), np.array([[4, 0]]))
    assert whole == 5
    assert whole.dtype == np.float64
    assert euclidean.distance(np.array([0, 3], np.float16), np.array([4, 0], np.float16)).dtype == np.float32
    assert jaccard.similarity(np.array([True, True, False]), np.array([True, False, False])) == 0.5
    assert euclidean.distance(np.array([0, 3], np.float32), np.array([4, 0.0])).dtype == np.float64
    with pytest.raises(TypeError, match="real numbers"):
        euclidean.distance(np.array([1j]), np.array([0.0]))
    with pytest.raises(TypeError, match="real numbers"):
        euclidean.distance(np.array(["a"]), np.array([0.0]))


def small_vectors(count: int) -> st.SearchStrategy[Array]:
    # Steps of 1/64 up to 16: exact in float64, so that identity and the triangle can be asked for sharply.
    whole = arrays(np.int64, (count, 4), elements=st.integers(-1024, 1024))
    return whole.map(lambda values: values / 64.0)


def in_domain(metric: Metric, values: Array) -> Array:
    if metric.name == "jaccard":
        return (values > 0).astype(np.float64)
    return np.abs(values) if metric.name in {"chi_square", "weighted_jaccard"} else values


@everyone
@given(values=small_vectors(3))
def test_properties(metric: Metric, values: Array) -> None:
    x, y, z = in_domain(metric, values)
    assert metric.distance(x, y) == metric.distance(y, x)
    assert metric.distance(x, y) >= 0
    if metric is cosine:
        assert metric.distance(x, x) == pytest.approx(0 if x.any() else 1, abs=1e-15)
    else:
        assert metric.distance(x, x) == 0
        assert (metric.distance(x, y) == 0) == np.array_equal(x, y)
    if metric.obeys_triangle:
        assert metric.distance(x, z) <= metric.distance(x, y) + metric.distance(y, z) + 1e-9


@everyone
@given(values=small_vectors(5))
def test_all_pairs_are_the_pairs(metric: Metric, values: Array) -> None:
    values = in_domain(metric, values)
    one_by_one = np.array([[metric.distance(x, y) for y in values[2:]] for x in values])
    np.testing.assert_allclose(
        all_pairs(values, values[2:], metric, kind="distance"), one_by_one, rtol=1e-9, atol=1e-14
    )


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if not metric.obeys_triangle])
def test_those_that_fail_the_triangle_really_do(name: str) -> None:
    x, y, z = {
        "cosine": ([1.0, 0.0], [1.0, 1.0], [0.0, 1.0]),
        "squared_euclidean": ([0.0], [1.0], [2.0]),
        "chi_square": ([1.0, 0.0], [0.5, 0.5], [0.0, 1.0]),
    }[name]
    distance = METRICS[name].distance
    assert distance(x, z) > distance(x, y) + distance(y, z)


def test_a_zero_vector_has_cosine_zero_to_everything() -> None:
    vectors = np.array([[0.0, 0.0], [1.0, 2.0]])
    np.testing.assert_array_equal(all_pairs(vectors, vectors)[0], [0, 0])
    assert cosine.similarity([0.0, 0.0], [0.0, 0.0]) == 0


@pytest.mark.parametrize("size", [1e-40, 1e-20, 1e20, 1e38])
def test_cosine_does_not_depend_on_length(size: float) -> None:
    a = np.array([[1, 2, 2]], np.float32)
    b = (a * np.float64(size)).astype(np.float32)
    assert cosine.similarity(a, b)[0] == pytest.approx(1, abs=1e-4)
    assert all_pairs(a, b)[0, 0] == pytest.approx(1, abs=1e-4)


def test_cosine_stays_within_one() -> None:
    a = vectors(cosine, 200, 128, dtype=np.float32)
    assert np.abs(all_pairs(a, a)).max() <= 1
    assert all_pairs(a, a, kind="distance").min() >= 0


@pytest.mark.parametrize("name", ["euclidean", "squared_euclidean"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [0.0, 1.0, 1000.0])
def test_nearly_equal_vectors_keep_their_digits(name: str, dtype: type, offset: float) -> None:
    random = np.random.default_rng(0)
    a: Array = (offset + random.normal(size=(20, 64))).astype(dtype)
    b: Array = (a * (1 + 8 * np.finfo(dtype).eps * random.integers(0, 3, a.shape))).astype(dtype)
    expected = scipy_distance.cdist(a.astype(np.float64), b.astype(np.float64), "euclidean")
    expected = expected if name == "euclidean" else expected**2
    assert 0 < np.diag(expected).min() < 1e-3 * np.median(expected)
    np.testing.assert_allclose(all_pairs(a, b, name, kind="distance"), expected, rtol=1e-6)
    np.testing.assert_array_equal(np.diag(all_pairs(a, a, name, kind="distance")), 0)


def test_distances_too_large_to_square_are_infinite_and_not_nan() -> None:
    a = np.array([[1e200, 0], [0, 1e200]])
    distances = all_pairs(a, a, "euclidean", kind="distance")
    np.testing.assert_array_equal(distances, [[0, np.inf], [np.inf, 0]])
    huge = np.array([[3e38, 0]], np.float32)
    assert all_pairs(huge, -huge, "manhattan", kind="distance")[0, 0] == np.inf


@pytest.mark.parametrize("name", ["chi_square", "weighted_jaccard"])
def test_amounts_can_not_be_negative(name: str) -> None:
    with pytest.raises(ValueError, match=r"negative; the least value is -0\.5"):
        METRICS[name].distance([0.0, 1.0], [-0.5, 1.0])


@pytest.mark.parametrize("name", ["chi_square", "weighted_jaccard", "jaccard"])
def test_nothing_is_like_nothing(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert METRICS[name].distance([0.0, 0.0], [0.0, 0.0]) == 0
        assert all_pairs([[0.0, 0.0]], [[0.0, 0.0]], name, kind="distance") == 0


def test_chi_square_by_hand() -> None:
    assert METRICS["chi_square"].distance([1.0, 0.0, 3.0], [0.0, 0.0, 1.0]) == pytest.approx((1 + 4 / 4) / 2)
    assert METRICS["chi_square"].distance([1.0, 0.0], [0.0, 1.0]) == 1  # histograms without overlap


def test_weights_are_no_set() -> None:
    with pytest.raises(ValueError, match="weighted_jaccard"):
        jaccard.distance([0.5, 1.0], [0.0, 1.0])


@everyone
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused(metric: Metric, bad: float) -> None:
    good, broken = np.ones((2, 3)), np.array([[1, bad, 1], [1, 1, 1]])
    for a, b in ((good, broken), (broken, good)):
        with pytest.raises(ValueError, match="NaN or infinity"):
            metric.distance(a, b)
        with pytest.raises(ValueError, match="NaN or infinity"):
            all_pairs(a, b, metric)


def test_a_sum_that_overflows_is_not_taken_for_infinity() -> None:
    huge = np.full((4, 4), 3e38, np.float32)
    assert cosine.similarity(huge, huge) == pytest.approx(np.ones(4))


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="of 3 and of 4 values"):
        cosine.distance(np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(ValueError, match="one axis"):
        cosine.distance(1.0, 2.0)
    with pytest.raises(ValueError, match="one shape"):
        pairwise(np.ones((2, 3)), np.ones((3, 3)))
    with pytest.raises(ValueError, match="two arrays of vectors"):
        all_pairs(np.ones(3), np.ones((2, 3)))
    with pytest.raises(ValueError, match="no metric 'cosinus'; there are chi_square, cosine"):
        pairwise(np.ones((2, 3)), np.ones((2, 3)), "cosinus")


@everyone
def test_the_registry_knows_each_by_its_name(metric: Metric) -> None:
    assert METRICS[metric.name] is metric
