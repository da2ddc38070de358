import math

import pytest
import torch
from pytorch_metric_learning.distances import DotProductSimilarity
from pytorch_metric_learning.losses import NPairsLoss

from mien.training.losses import NPair, SupervisedContrastive, n_pair_losses


def test_the_formula_by_hand() -> None:
    similarities = torch.tensor([[2.0, 1, 0], [1, 1, -math.inf], [0, 0, 0]], dtype=torch.float64)
    expected = [math.log(1 + math.exp(-1) + math.exp(-2)), math.log(2), math.log(3)]
    assert n_pair_losses(similarities).tolist() == pytest.approx(expected)


def test_a_batch_by_hand() -> None:
    embeddings = torch.tensor([[1.0, 0], [0, 2], [1, 1], [0, 1]], dtype=torch.float64)
    labels = torch.tensor([4, 9, 4, 9])
    # Anchors (1, 0) and (0, 2), positives (1, 1) and (0, 1): products 1, 0; 2, 2.
    plain = (math.log(1 + math.exp(-1)) + math.log(2)) / 2
    assert NPair()(embeddings, labels).item() == pytest.approx(plain)
    assert NPair(0.01)(embeddings, labels).item() == pytest.approx(plain + 0.01 * (1 + 4 + 2 + 1) / 4)


@pytest.mark.parametrize("photos", [2, 3])
def test_of_raw_embeddings_it_is_pytorch_metric_learning_s(photos: int) -> None:
    embeddings = torch.randn(7 * photos + 1, 5, dtype=torch.float64, requires_grad=True)
    labels = torch.cat((torch.arange(7).repeat(photos), torch.tensor([99])))
    theirs = NPairsLoss(distance=DotProductSimilarity(normalize_embeddings=False))
    expected, value = theirs(embeddings, labels), NPair()(embeddings, labels)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(torch.autograd.grad(value, embeddings), torch.autograd.grad(expected, embeddings))
    chosen = (torch.tensor([1, 0, 8]), torch.tensor([8, 7, 1]), torch.tensor([2, 3, 3]))
    torch.testing.assert_close(NPair()(embeddings, labels, chosen), theirs(embeddings, labels, chosen))


def test_further_pairs_of_a_person_are_told_from_further_pairs_only() -> None:
    embeddings = torch.randn(16, 5, dtype=torch.float64)
    labels = torch.arange(4).repeat(4)
    first, second = NPair()(embeddings[:8], labels[:8]), NPair()(embeddings[8:], labels[8:])
    torch.testing.assert_close(NPair()(embeddings, labels), (first + second) / 2)


def test_other_orders_of_the_pairs_and_of_people_change_nothing() -> None:
    embeddings, labels = torch.randn(8, 5, dtype=torch.float64), torch.tensor([0, 1, 2, 3, 0, 1, 2, 3])
    people = torch.tensor([2, 0, 3, 1])
    order = torch.cat((people, people + 4))
    torch.testing.assert_close(NPair()(embeddings[order], labels[order]), NPair()(embeddings, labels))
    torch.testing.assert_close(NPair()(embeddings, 9 - labels), NPair()(embeddings, labels))


def test_one_person_has_nobody_to_be_told_from() -> None:
    embeddings = torch.randn(2, 5, requires_grad=True)
    value = NPair()(embeddings, torch.tensor([1, 1]))
    assert value.item() == 0
    assert torch.autograd.grad(value, embeddings)[0].abs().max() == 0


def test_longer_embeddings_are_surer() -> None:
    embeddings = torch.eye(4).repeat(2, 1)
    labels = torch.arange(4).repeat(2)
    assert NPair()(embeddings * 3, labels) < NPair()(embeddings, labels)
    assert SupervisedContrastive()(embeddings * 3, labels) == SupervisedContrastive()(embeddings, labels)


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="l2"):
        NPair(-1)
