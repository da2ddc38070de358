import math

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from mien.training.losses import (
    CenterLoss,
    ContrastiveCenterLoss,
    Softmax,
    center_losses,
    center_steps,
    contrastive_center_losses,
)

CENTERS = torch.tensor([[1.0, 0], [0, 2], [5, 5]], dtype=torch.float64)
EMBEDDINGS = torch.tensor([[3.0, 4], [1, 2], [0, 0]], dtype=torch.float64)
LABELS = torch.tensor([0, 1, 0])


def center_loss(alpha: float = 0.5) -> CenterLoss:
    loss = CenterLoss(3, 2, alpha).double()
    loss.centers.copy_(CENTERS)
    return loss


def test_the_formulas_by_hand() -> None:
    assert center_losses(EMBEDDINGS, CENTERS, LABELS).tolist() == [10, 0.5, 0.5]
    # Of class 0: (1, 0) − (3, 4) and (1, 0) − (0, 0), over 1 + 2; of class 1: (0, 2) − (1, 2), over 1 + 1.
    expected = [[-1 / 3, -4 / 3], [-0.5, 0], [0, 0]]
    assert center_steps(EMBEDDINGS, CENTERS, LABELS).tolist() == [pytest.approx(row) for row in expected]
    squares = torch.cdist(EMBEDDINGS, CENTERS).square()
    losses = contrastive_center_losses(squares, LABELS, delta=1.0)
    assert losses.tolist() == pytest.approx([20 / (13 + 5 + 1) / 2, 1 / (4 + 25 + 1) / 2, 1 / (4 + 50 + 1) / 2])


def test_a_step_by_hand() -> None:
    loss, embeddings = center_loss(), EMBEDDINGS.clone().requires_grad_()
    value = loss(embeddings, LABELS)
    assert value.item() == pytest.approx(11 / 3), "by the centres as they were"
    assert loss.centers.tolist() == [pytest.approx(row) for row in ([1 + 1 / 6, 4 / 6], [0.25, 2], [5, 5])]
    (gradient,) = torch.autograd.grad(value, embeddings)
    torch.testing.assert_close(gradient, (EMBEDDINGS - CENTERS[LABELS]) / 3)


def test_the_centres_are_nobody_s_parameters_and_move_only_in_training() -> None:
    loss = center_loss().eval()
    assert list(loss.parameters()) == []
    assert "centers" in loss.state_dict()
    loss(EMBEDDINGS, LABELS)
    assert torch.equal(loss.centers, CENTERS)
    still = center_loss(alpha=0)
    still(EMBEDDINGS, LABELS)
    assert torch.equal(still.centers, CENTERS)


def test_centres_come_to_the_means_of_their_classes() -> None:
    loss = center_loss()
    for _ in range(200):
        loss(EMBEDDINGS, LABELS)
    torch.testing.assert_close(loss.centers, torch.tensor([[1.5, 2], [1, 2], [5, 5]], dtype=torch.float64))


def test_half_precision_moves_the_centres_too() -> None:
    loss = CenterLoss(3, 2)
    before = loss.centers.clone()
    loss(EMBEDDINGS.bfloat16(), LABELS)
    assert loss.centers.dtype == torch.float32
    assert ((loss.centers != before).any(dim=1)).tolist() == [True, True, False]


def test_contrastive_centres_are_learnt_along_the_gradient() -> None:
    loss = ContrastiveCenterLoss(3, 2).double()
    loss.centers.data.copy_(CENTERS)
    assert torch.autograd.gradcheck(lambda x, _: loss(x, LABELS), (EMBEDDINGS.clone().requires_grad_(), loss.centers))
    squares = torch.cdist(EMBEDDINGS, CENTERS).square()
    expected = contrastive_center_losses(squares, LABELS, delta=1.0).mean()
    torch.testing.assert_close(loss(EMBEDDINGS, LABELS), expected)


def test_contrastive_centre_loss_is_less_the_farther_the_others_are() -> None:
    near, far = torch.tensor([[1.0, 4, 4]]), torch.tensor([[1.0, 40, 40]])
    label = torch.tensor([0])
    assert contrastive_center_losses(far, label, 1.0) < contrastive_center_losses(near, label, 1.0)


def spread_of_digits(share: float) -> float:
    """Within-class over between-class scatter of a small network's 2-D embeddings of handwritten digits."""
    torch.manual_seed(0)
    pictures, labels = (torch.from_numpy(part) for part in load_digits(return_X_y=True))
    pictures = pictures.float() / 16
    network = nn.Sequential(nn.Linear(64, 64), nn.PReLU(), nn.Linear(64, 2))
    softmax, center = Softmax(10, 2), CenterLoss(10, 2)
    optimizer = torch.optim.Adam([*network.parameters(), *softmax.parameters()], lr=0.01)
    for _ in range(250):
        chosen = torch.randint(len(labels), (256,))
        embeddings = network(pictures[chosen])
        loss = softmax(embeddings, labels[chosen]) + share * center(embeddings, labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    embeddings = network(pictures).detach()
    means = torch.stack([embeddings[labels == digit].mean(dim=0) for digit in range(10)])
    within = (embeddings - means[labels]).square().sum(dim=1).mean()
    return float(within / (means - means.mean(dim=0)).square().sum(dim=1).mean())


def test_beside_softmax_it_draws_each_digit_together() -> None:
    assert spread_of_digits(0.3) < spread_of_digits(0) / 2


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (CenterLoss, {"alpha": -0.1}),
        (CenterLoss, {"alpha": 1.1}),
        (CenterLoss, {"alpha": math.nan}),
        (CenterLoss, {"num_classes": 0}),
        (ContrastiveCenterLoss, {"delta": 0}),
        (ContrastiveCenterLoss, {"num_classes": 1}),
        (ContrastiveCenterLoss, {"embedding_size": 0}),
    ],
)
def test_arguments_outside_their_range_are_refused(
    kind: type[CenterLoss | ContrastiveCenterLoss], wrong: dict[str, float]
) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        kind(**{"num_classes": 3, "embedding_size": 2, **wrong})  # type: ignore[arg-type]


def test_a_choice_of_a_miner_changes_nothing() -> None:
    chosen = (torch.tensor([0]), torch.tensor([2]), torch.tensor([1]))
    for loss in (center_loss().eval(), ContrastiveCenterLoss(3, 2).double()):
        assert torch.equal(loss(EMBEDDINGS, LABELS, chosen), loss(EMBEDDINGS, LABELS))
