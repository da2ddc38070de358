import math

import pytest
import torch
from pytorch_metric_learning.losses import MultiSimilarityLoss
from pytorch_metric_learning.miners import MultiSimilarityMiner

from mien.training.losses import MultiSimilarity, multi_similarity_losses, multi_similarity_pairs

LABELS = torch.cat((torch.arange(15) % 5, torch.tensor([9])))


def test_the_formula_by_hand() -> None:
    similarities = torch.tensor([[0.9, 0.4, 0.1], [0.9, 0.4, 0.1]], dtype=torch.float64)
    mated = torch.tensor([[True, False, False], [False, False, False]])
    non_mated = torch.tensor([[False, True, True], [False, False, False]])
    expected = math.log(1 + math.exp(-2 * 0.4)) / 2 + math.log(1 + math.exp(-1) + math.exp(-4)) / 10
    losses = multi_similarity_losses(similarities, mated, non_mated, alpha=2, beta=10, base=0.5)
    assert losses.tolist() == pytest.approx([expected, 0])


def test_which_pairs_say_something_by_hand() -> None:
    similarities = torch.tensor([[0.9, 0.35, 0.3, 0.24]])
    mated = torch.tensor([[True, True, False, False]])
    kept = multi_similarity_pairs(similarities, mated, ~mated, epsilon=0.1)
    # Mated below 0.3 + 0.1, non-mated above 0.35 − 0.1.
    assert kept[0].tolist() == [[False, True, False, False]]
    assert kept[1].tolist() == [[False, False, True, False]]


@pytest.mark.parametrize("epsilon", [None, 0.0, 0.1, 0.5])
def test_it_is_pytorch_metric_learning_s(epsilon: float | None) -> None:
    embeddings = torch.randn(16, 4, dtype=torch.float64, requires_grad=True)
    chosen = None if epsilon is None else MultiSimilarityMiner(epsilon)(embeddings, LABELS)
    theirs = MultiSimilarityLoss(alpha=2, beta=40, base=0.4)
    expected = theirs(embeddings, LABELS, chosen)
    value = MultiSimilarity(2, 40, 0.4, epsilon)(embeddings, LABELS)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(torch.autograd.grad(value, embeddings), torch.autograd.grad(expected, embeddings))
    torch.testing.assert_close(
        MultiSimilarity(2, 40, 0.4, None)(embeddings, LABELS, chosen), theirs(embeddings, LABELS, chosen)
    )


def test_the_length_of_embeddings_changes_nothing() -> None:
    embeddings = torch.randn(16, 4, dtype=torch.float64)
    longer = embeddings * torch.linspace(0.1, 9, 16)[:, None]
    torch.testing.assert_close(MultiSimilarity()(longer, LABELS), MultiSimilarity()(embeddings, LABELS))


@pytest.mark.parametrize("wrong", [{"alpha": 0}, {"beta": -1}, {"base": math.nan}, {"epsilon": -0.1}])
def test_arguments_outside_their_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        MultiSimilarity(**wrong)
