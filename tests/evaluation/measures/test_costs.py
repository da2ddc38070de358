import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import optimize, stats
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from mien.evaluation.measures.costs import BINS, calibration_error, cllr_of, min_cllr

Floats = NDArray[np.float64]


def some_scores(seed: int, count: int = 300) -> tuple[Floats, Floats, Floats]:
    """Similarities, falling, with how many mated and non-mated comparisons have each; many ties."""
    rng = np.random.default_rng(seed)
    values = np.arange(30.0)[::-1]
    mated, non_mated = (
        np.bincount(np.clip(rng.normal(mean, 5, count).astype(int), 0, 29), minlength=30)[::-1].astype(float)
        for mean in (18, 11)
    )
    return values, mated, non_mated


def test_cllr_is_the_mean_cost_of_each_kind() -> None:
    values, mated, non_mated = some_scores(0)
    ratio = 0.3 * (values - 14)
    of_mated, of_non_mated = np.repeat(ratio, mated.astype(int)), np.repeat(ratio, non_mated.astype(int))
    expected = (np.log2(1 + np.exp(-of_mated)).mean() + np.log2(1 + np.exp(of_non_mated)).mean()) / 2
    assert cllr_of(ratio, mated, non_mated) == pytest.approx(expected, abs=1e-12)
    assert cllr_of(np.zeros(30), mated, non_mated) == pytest.approx(1)


@pytest.mark.parametrize("seed", range(5))
def test_min_cllr_is_that_of_scikit_learns_isotonic_fit(seed: int) -> None:
    values, mated, non_mated = some_scores(seed)
    label = np.concatenate([np.ones(30), np.zeros(30)])
    weight = np.concatenate([mated / mated.sum(), non_mated / non_mated.sum()])
    fit = IsotonicRegression().fit(np.tile(values, 2)[weight > 0], label[weight > 0], weight[weight > 0])
    with np.errstate(divide="ignore"):
        ratio = np.clip(logit(fit.predict(values)), -800, 800)
    assert min_cllr(mated, non_mated) == pytest.approx(cllr_of(ratio, mated, non_mated), abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_no_line_costs_less_than_the_least_cost(seed: int) -> None:
    values, mated, non_mated = some_scores(seed)

    def cost(line: Floats) -> float:
        return float(cllr_of(abs(line[0]) * values + line[1], mated, non_mated))

    best = optimize.minimize(cost, np.array([0.2, -3.0])).fun
    assert min_cllr(mated, non_mated) <= best + 1e-9
    assert min_cllr(mated[None, ::-1], non_mated[None, ::-1]) == pytest.approx(1)  # upside down tells nothing


def test_the_least_cost_of_kinds_apart_is_0() -> None:
    assert min_cllr(np.array([5.0, 0.0]), np.array([0.0, 7.0])) == 0


def test_the_least_cost_without_a_kind_is_none() -> None:
    assert np.isnan(min_cllr(np.zeros((1, 2)), np.ones((1, 2)))).all()


def test_calibration_error_by_a_loop_over_the_bins() -> None:
    values, mated, non_mated = some_scores(1)
    ratio = 0.25 * (values - 15)
    probability = expit(np.concatenate([np.repeat(ratio, mated.astype(int)), np.repeat(ratio, non_mated.astype(int))]))
    label = np.repeat([1.0, 0.0], 300)
    expected = 0.0
    for low in range(BINS):
        inside = (probability >= low / BINS) & (probability < (low + 1) / BINS)
        if inside.any():
            expected += inside.mean() * abs(probability[inside].mean() - label[inside].mean())
    assert calibration_error(ratio, mated, non_mated) == pytest.approx(expected, abs=1e-12)


def test_true_likelihood_ratios_are_calibrated() -> None:
    values = np.linspace(-6, 8, 2001)
    mated, non_mated = stats.norm.pdf(values, 2), stats.norm.pdf(values)
    ratio = 2 * values - 2
    assert calibration_error(ratio, mated, non_mated) < 1e-6
    assert calibration_error(3 * ratio, mated, non_mated) > 0.05
    assert cllr_of(ratio, mated, non_mated) == pytest.approx(float(min_cllr(mated[::-1], non_mated[::-1])), abs=1e-9)
