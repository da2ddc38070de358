import numpy as np
import pytest

from mien.evaluation.scores.normalisation import CohortStatistics, cohort_statistics, normalised


def test_statistics_are_those_of_the_most_alike() -> None:
    rng = np.random.default_rng(0)
    templates, cohort = (rng.standard_normal((count, 6)).astype(np.float32) for count in (300, 40))
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (templates, cohort)]
    similarity = -np.sort(-(unit[0] @ unit[1].T).astype(np.float64), axis=1)
    for most_alike, taken in ((None, similarity), (10, similarity[:, :10]), (1000, similarity)):
        found = cohort_statistics(templates, cohort, most_alike=most_alike)
        np.testing.assert_allclose(found.mean, taken.mean(axis=1), atol=1e-6)
        np.testing.assert_allclose(found.deviation, taken.std(axis=1, ddof=1), atol=1e-6)


def test_each_norm_takes_its_own_side() -> None:
    similarity = np.array([[0.5, 0.2], [0.1, 0.4]], np.float32)
    probes = CohortStatistics(np.array([0.1, 0.2]), np.array([0.1, 0.2]))
    references = CohortStatistics(np.array([0.0, 0.1]), np.array([0.5, 0.1]))
    assert normalised(similarity, None, None) is similarity
    z, t, s = (normalised(similarity, *sides) for sides in ((None, references), (probes, None), (probes, references)))
    assert z == pytest.approx(np.array([[1, 1], [0.2, 3]]))
    assert t == pytest.approx(np.array([[4, 1], [-0.5, 1]]))
    assert s == pytest.approx((z + t) / 2)
    assert s.dtype == np.float32


def test_s_norm_is_symmetric() -> None:
    rng = np.random.default_rng(1)
    similarity = rng.random((4, 4)).astype(np.float32)
    one, other = (CohortStatistics(rng.random(4), 0.1 + rng.random(4)) for _ in range(2))
    np.testing.assert_allclose(normalised(similarity, one, other), normalised(similarity.T, other, one).T, rtol=1e-6)
