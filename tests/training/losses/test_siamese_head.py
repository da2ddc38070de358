import math
from itertools import combinations
from typing import Literal

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from torch import Tensor
from torch.nn import functional

from mien.similarity import METRICS, pairwise
from mien.training.losses import SiameseHead

Difference = Literal["absolute", "chi_square"]
by_difference = pytest.mark.parametrize("difference", ["absolute", "chi_square"])


def batch(people: int = 4, photos: int = 3) -> tuple[Tensor, Tensor]:
    labels = torch.arange(people).repeat(photos)
    return torch.rand(people, 6, dtype=torch.float64)[labels] + 0.3 * torch.rand(len(labels), 6), labels


def of_pairs(embeddings: Tensor, difference: Difference) -> Tensor:
    """Each pair's differences, value by value, in the plain way."""
    rows = []
    for first, second in combinations(embeddings, 2):
        apart = first - second
        rows.append(apart.abs() if difference == "absolute" else apart**2 / (first + second))
    return torch.stack(rows)


def test_by_hand() -> None:
    first, second = torch.tensor([[1.0, 3.0]]), torch.tensor([[3.0, 1.0]])
    for difference, delta in (("absolute", [2.0, 2.0]), ("chi_square", [1.0, 1.0])):
        head = SiameseHead(2, difference, normalize=False)  # type: ignore[arg-type]
        head.weight.data, head.bias.data = torch.tensor([-0.5, 0.25]), torch.tensor(0.1)
        logit = -0.5 * delta[0] + 0.25 * delta[1] + 0.1
        assert head.pair_logits(first, second).item() == pytest.approx(logit)
        both = torch.cat((first, second))
        assert head(both, torch.tensor([0, 0])).item() == pytest.approx(math.log(1 + math.exp(-logit)))
        assert head(both, torch.tensor([0, 1])).item() == pytest.approx(math.log(1 + math.exp(logit)))


@by_difference
def test_it_is_scikit_learns_log_loss_over_all_pairs(difference: Difference) -> None:
    embeddings, labels = batch()
    head = SiameseHead(6, difference, normalize=False).double()
    head.weight.data = torch.randn(6, dtype=torch.float64)
    logits = of_pairs(embeddings, difference) @ head.weight.detach() + 0.0
    mated = [bool(a == b) for a, b in combinations(labels, 2)]
    assert head(embeddings, labels).item() == pytest.approx(log_loss(mated, torch.sigmoid(logits).numpy()))


@by_difference
def test_its_least_is_scikit_learns_logistic_regression(difference: Difference) -> None:
    embeddings, labels = batch(people=6)
    head = SiameseHead(6, difference, normalize=False).double()
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def step() -> float:
        optimizer.zero_grad()
        value = head(embeddings, labels) + 1e-3 * head.weight.square().sum()
        value.backward()
        return float(value.detach())

    for _ in range(5):
        optimizer.step(step)  # type: ignore[no-untyped-call]
    mated = [bool(a == b) for a, b in combinations(labels, 2)]
    regression = LogisticRegression(C=1 / (2e-3 * len(mated)), max_iter=10_000, tol=1e-9)
    regression.fit(of_pairs(embeddings, difference).numpy(), mated)
    np.testing.assert_allclose(head.weight.detach().numpy(), regression.coef_[0], rtol=1e-3, atol=1e-3)
    assert head.bias.item() == pytest.approx(regression.intercept_[0], rel=1e-3)


def test_with_equal_weights_it_is_the_metric_of_that_name() -> None:
    first, second = torch.rand(9, 6, dtype=torch.float64), torch.rand(9, 6, dtype=torch.float64)
    for difference, metric, share in (("absolute", "manhattan", 1), ("chi_square", "chi_square", 2)):
        head = SiameseHead(6, difference, normalize=False).double()  # type: ignore[arg-type]
        head.weight.data.fill_(-1)
        expected = -share * pairwise(first.numpy(), second.numpy(), METRICS[metric], kind="distance")
        np.testing.assert_allclose(head.pair_logits(first, second).detach().numpy(), expected)


@by_difference
def test_order_within_a_pair_and_length_don_t_count(difference: Difference) -> None:
    head = SiameseHead(6, difference)
    first, second = torch.randn(9, 6), torch.randn(9, 6)
    torch.testing.assert_close(head.pair_logits(first, second), head.pair_logits(second, first))
    torch.testing.assert_close(head.pair_logits(first * 3, second), head.pair_logits(first, second))
    assert (head.pair_logits(first, first) == head.bias).all()


def test_pairs_and_triplets_from_a_miner_are_those_pairs() -> None:
    embeddings, labels = batch()
    head = SiameseHead(6).double()
    anchors, positives, negatives = torch.tensor([0, 1]), torch.tensor([4, 9]), torch.tensor([1, 2])
    mated = -functional.logsigmoid(head.pair_logits(embeddings[anchors], embeddings[positives]))
    others = -functional.logsigmoid(-head.pair_logits(embeddings[anchors], embeddings[negatives]))
    expected = torch.cat((mated, others)).mean()
    torch.testing.assert_close(head(embeddings, labels, (anchors, positives, negatives)), expected)
    torch.testing.assert_close(head(embeddings, labels, (anchors, positives, anchors, negatives)), expected)
    one = head(embeddings, labels, (anchors[:1], positives[:1], anchors, negatives))
    torch.testing.assert_close(one, torch.cat((mated[:1], others)).mean())


def test_balanced_the_few_mated_pairs_weigh_as_much_as_the_many_others() -> None:
    embeddings, labels = batch()
    head = SiameseHead(6, balanced=True).double()
    rows, columns = torch.triu_indices(12, 12, 1)
    logits, mated = head.pair_logits(embeddings[rows], embeddings[columns]), labels[rows] == labels[columns]
    expected = (-functional.logsigmoid(logits[mated])).mean() / 2 + (-functional.logsigmoid(-logits[~mated])).mean() / 2
    torch.testing.assert_close(head(embeddings, labels), expected)
    assert SiameseHead(6, balanced=True)(embeddings, torch.arange(12)).isfinite()


def test_chi_square_bears_zeros_and_values_below_zero() -> None:
    head = SiameseHead(3, "chi_square", normalize=False)
    head.weight.data.fill_(-1)
    first = torch.tensor([[0.0, -1, 2]], requires_grad=True)
    second = torch.tensor([[0.0, 1, 2]])
    value = head.pair_logits(first, second)
    assert value.item() == pytest.approx(-4 / 2)
    assert torch.autograd.grad(value.sum(), first)[0].isfinite().all()


@by_difference
def test_its_gradient_is_that_of_finite_differences(difference: Difference) -> None:
    embeddings, labels = batch()
    head = SiameseHead(6, difference).double()
    inputs = (embeddings.requires_grad_(), *head.parameters())
    assert torch.autograd.gradcheck(lambda x, *learnt: head(x, labels), inputs)


@pytest.mark.parametrize("wrong", [{"embedding_size": 0}, {"difference": "cosine"}])
def test_arguments_outside_their_range_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SiameseHead(**{"embedding_size": 4, **wrong})  # type: ignore[arg-type]
