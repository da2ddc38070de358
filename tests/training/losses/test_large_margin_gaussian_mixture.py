import math
from typing import Literal

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch import Tensor

from mien.training.losses import LargeMarginGaussianMixture

C, D = 4, 5
CONSTANT = D / 2 * math.log(2 * math.pi)


def made(covariance: Literal["identity", "diagonal"], **arguments: float) -> LargeMarginGaussianMixture:
    head = LargeMarginGaussianMixture(C, D, covariance=covariance, **arguments).double()
    if head.log_variance is not None:
        head.log_variance.data = torch.randn(C, D, dtype=torch.float64)
    return head


def batch() -> tuple[Tensor, Tensor]:
    return torch.randn(12, D, dtype=torch.float64), torch.arange(12) % C


def densities(head: LargeMarginGaussianMixture, embeddings: Tensor) -> np.ndarray:
    """(N, C) log-densities by SciPy."""
    variances = torch.ones(C, D) if head.log_variance is None else head.log_variance.detach().exp()
    each = [
        multivariate_normal(mean.numpy(), np.diag(variance.numpy())).logpdf(embeddings.numpy())
        for mean, variance in zip(head.weight.detach(), variances, strict=True)
    ]
    return np.stack(each, axis=1)


@pytest.mark.parametrize("covariance", ["identity", "diagonal"])
def test_logits_are_scipys_log_densities(covariance: Literal["identity", "diagonal"]) -> None:
    head, (embeddings, _) = made(covariance), batch()
    np.testing.assert_allclose(head.logits(embeddings).detach().numpy() - CONSTANT, densities(head, embeddings))


@pytest.mark.parametrize("covariance", ["identity", "diagonal"])
@pytest.mark.parametrize(("alpha", "lam"), [(0, 0), (0.5, 0), (0, 0.3), (1.0, 0.1)])
def test_the_loss_is_the_posterior_with_a_margin_and_the_likelihood(
    covariance: Literal["identity", "diagonal"], alpha: float, lam: float
) -> None:
    head, (embeddings, labels) = made(covariance, alpha=alpha, lam=lam), batch()
    rows, log_density = np.arange(12), densities(head, embeddings)
    own = log_density[rows, labels]
    half_determinant = 0 if head.log_variance is None else head.log_variance.detach().sum(dim=1).numpy()[labels] / 2
    own_distance = -(own + CONSTANT + half_determinant)
    with_margin = log_density.copy()
    with_margin[rows, labels] -= alpha * own_distance
    expected = (logsumexp(with_margin, axis=1) - with_margin[rows, labels] - lam * (own + CONSTANT)).mean()
    assert head(embeddings, labels).item() == pytest.approx(expected)


def test_by_hand() -> None:
    head = LargeMarginGaussianMixture(2, 1, alpha=0.5, lam=0.1)
    head.weight.data = torch.tensor([[0.0], [3.0]])
    # d = ½·1² and ½·2²; with the margin ¾ and 2.
    expected = math.log(1 + math.exp(0.75 - 2)) + 0.1 * 0.5
    assert head(torch.tensor([[1.0]]), torch.tensor([0])).item() == pytest.approx(expected)


def test_variances_of_1_are_the_identity() -> None:
    diagonal, identity = LargeMarginGaussianMixture(C, D, covariance="diagonal"), LargeMarginGaussianMixture(C, D)
    identity.weight.data = diagonal.weight.data
    embeddings, labels = batch()
    torch.testing.assert_close(diagonal(embeddings, labels), identity(embeddings, labels))


def test_without_margin_it_classifies_as_scikit_learns_discriminant_with_the_same_means_and_covariance() -> None:
    head, (embeddings, _) = made("identity"), batch()
    means = head.weight.detach().numpy()
    cube = np.array(np.meshgrid(*[[-1.0, 1]] * D)).reshape(D, -1).T  # covariance I
    discriminant = LinearDiscriminantAnalysis(solver="lsqr", priors=np.full(C, 1 / C))
    discriminant.fit(np.concatenate([mean + cube for mean in means]), np.repeat(np.arange(C), len(cube)))
    probabilities = torch.softmax(head.logits(embeddings), dim=1).detach().numpy()
    np.testing.assert_allclose(probabilities, discriminant.predict_proba(embeddings.numpy()), rtol=1e-6)


def test_moving_everything_alike_changes_nothing() -> None:
    head, (embeddings, labels) = made("diagonal"), batch()
    value = head(embeddings, labels)
    head.weight.data += 7
    torch.testing.assert_close(head(embeddings + 7, labels), value)


def test_at_a_mean_the_likelihood_term_is_exact_in_float32() -> None:
    head = LargeMarginGaussianMixture(C, D, alpha=0, lam=1e3)
    head.weight.data *= 1000
    assert head(head.weight.detach(), torch.arange(C)).item() == 0


@pytest.mark.parametrize("covariance", ["identity", "diagonal"])
def test_its_gradient_is_that_of_finite_differences(covariance: Literal["identity", "diagonal"]) -> None:
    head, (embeddings, labels) = made(covariance, alpha=0.3, lam=0.2), batch()
    inputs = (embeddings.requires_grad_(), *head.parameters())
    assert torch.autograd.gradcheck(lambda x, *learnt: head(x, labels), inputs)


@pytest.mark.parametrize("wrong", [{"alpha": -0.1}, {"lam": -0.1}, {"covariance": "full"}])
def test_arguments_outside_their_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LargeMarginGaussianMixture(3, 4, **wrong)  # type: ignore[arg-type]
