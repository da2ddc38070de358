import math

import pytest
import torch
from pytorch_metric_learning.losses import CircleLoss
from torch import Tensor

from mien.training.losses import Circle, circle_losses

LABELS = torch.cat((torch.arange(15) % 5, torch.tensor([9])))


def by_hand(mated: list[float], non_mated: list[float], m: float, gamma: float) -> float:
    push = sum(math.exp(gamma * max(0, s + m) * (s - m)) for s in non_mated)
    pull = sum(math.exp(-gamma * max(0, 1 + m - s) * (s - 1 + m)) for s in mated)
    return math.log(1 + push * pull)


def test_the_formula_by_hand() -> None:
    similarities = torch.tensor([[0.9, 0.6, 0.3, -0.4], [0.9, 0.6, 0.3, -0.4]], dtype=torch.float64)
    mated = torch.tensor([[True, True, False, False], [False, False, False, False]])
    losses = circle_losses(similarities, mated, ~mated, m=0.25, gamma=8)
    assert losses.tolist() == pytest.approx([by_hand([0.9, 0.6], [0.3, -0.4], 0.25, 8), 0])


def test_the_gradient_is_the_paper_s() -> None:
    """Their weights constant, the derivative by a cosine is Z times its share of the sum times γ·α."""
    m, gamma = 0.25, 8.0
    similarities = torch.tensor([[0.9, 0.6, 0.3, 0.1]], dtype=torch.float64, requires_grad=True)
    mated = torch.tensor([[True, True, False, False]])
    losses = circle_losses(similarities, mated, ~mated, m, gamma)
    (gradient,) = torch.autograd.grad(losses.sum(), similarities)
    z = 1 - math.exp(-losses.item())
    push = [math.exp(gamma * (s * s - m * m)) for s in (0.3, 0.1)]
    pull = [math.exp(gamma * ((s - 1) ** 2 - m * m)) for s in (0.9, 0.6)]
    expected = [-z * e / sum(pull) * gamma * (1 + m - s) for e, s in zip(pull, (0.9, 0.6), strict=True)]
    expected += [z * e / sum(push) * gamma * (s + m) for e, s in zip(push, (0.3, 0.1), strict=True)]
    assert gradient[0].tolist() == pytest.approx(expected)


@pytest.mark.parametrize(("m", "gamma"), [(0.25, 256.0), (0.4, 80.0), (0.0, 1.0)])
def test_it_is_pytorch_metric_learning_s(m: float, gamma: float) -> None:
    embeddings = torch.randn(16, 4, dtype=torch.float64, requires_grad=True)
    expected, value = CircleLoss(m, gamma)(embeddings, LABELS), Circle(m, gamma)(embeddings, LABELS)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(torch.autograd.grad(value, embeddings), torch.autograd.grad(expected, embeddings))


def far_apart() -> tuple[Tensor, Tensor]:
    """One person whose photos differ, and one whom nobody is near: of the latter's anchors the loss is below 1e-38."""
    embeddings = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]])
    return embeddings, torch.tensor([0, 0, 1, 1])


def test_anchors_without_loss_count_in_the_mean() -> None:
    """PyTorch-metric-learning leaves out anchors whose loss has become 0 in float32, so that its mean jumps."""
    embeddings, labels = far_apart()
    circle = Circle(0.25, 2000.0)
    assert circle(embeddings, labels).item() == pytest.approx(circle(embeddings.double(), labels).item())
    assert CircleLoss(0.25, 2000.0)(embeddings, labels).item() == pytest.approx(2 * circle(embeddings, labels).item())


@pytest.mark.parametrize("wrong", [{"m": -0.1}, {"m": 1.1}, {"gamma": 0}])
def test_arguments_outside_their_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Circle(**wrong)
