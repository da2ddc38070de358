import math

import pytest
import torch
from pytorch_metric_learning.losses import NTXentLoss, SupConLoss

from mien.training.losses import SupervisedContrastive, supervised_contrastive_losses

LABELS = torch.cat((torch.arange(15) % 5, torch.tensor([9])))


def test_the_formula_by_hand() -> None:
    similarities = torch.tensor([[0.9, 0.5, 0.1, 1.0], [0.9, 0.5, 0.1, 1.0]], dtype=torch.float64)
    mated = torch.tensor([[True, True, False, False], [False, False, False, False]])
    non_mated = torch.tensor([[False, False, True, False], [True, True, True, False]])
    total = math.exp(1.8) + math.exp(1) + math.exp(0.2)
    expected = -(math.log(math.exp(1.8) / total) + math.log(math.exp(1) / total)) / 2
    losses = supervised_contrastive_losses(similarities, mated, non_mated, temperature=0.5)
    assert losses.tolist() == pytest.approx([expected, 0])


@pytest.mark.parametrize("temperature", [0.05, 0.1, 1.0])
def test_it_is_pytorch_metric_learning_s(temperature: float) -> None:
    embeddings = torch.randn(16, 4, dtype=torch.float64, requires_grad=True)
    expected = SupConLoss(temperature)(embeddings, LABELS)
    value = SupervisedContrastive(temperature)(embeddings, LABELS)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(torch.autograd.grad(value, embeddings), torch.autograd.grad(expected, embeddings))


def test_with_one_mated_pair_each_it_is_nt_xent() -> None:
    embeddings, labels = torch.randn(10, 4, dtype=torch.float64), torch.arange(5).repeat(2)
    torch.testing.assert_close(SupervisedContrastive(0.2)(embeddings, labels), NTXentLoss(0.2)(embeddings, labels))


def test_one_person_alone_is_drawn_together_evenly() -> None:
    """The formula holds without non-mated pairs; PyTorch-metric-learning gives 0 there."""
    embeddings, labels = torch.eye(3, dtype=torch.float64), torch.zeros(3, dtype=torch.int64)
    assert SupervisedContrastive()(embeddings, labels).item() == pytest.approx(math.log(2))
    assert SupConLoss()(embeddings, labels).item() == 0


def test_a_temperature_of_0_is_refused() -> None:
    with pytest.raises(ValueError, match="temperature"):
        SupervisedContrastive(0)
