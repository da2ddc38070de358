import math

import pytest
import torch
from pytorch_metric_learning.distances import CosineSimilarity, LpDistance
from pytorch_metric_learning.losses import ContrastiveLoss

from mien.training.losses import Contrastive, contrastive_losses
from mien.training.losses.pairs import mated_and_not

LABELS = torch.arange(12) % 5


def test_the_formula_by_hand() -> None:
    distances = torch.tensor([0.5, 0.1, 0.5, 1.5])
    mated = torch.tensor([True, True, False, False])
    assert contrastive_losses(distances, mated, 1.0).tolist() == pytest.approx([0.125, 0.005, 0.125, 0])
    assert contrastive_losses(distances, mated, 1.2, 0.2, squared=False).tolist() == pytest.approx([0.3, 0, 0.7, 0])
    assert contrastive_losses(distances, mated=False, margin=0.6).tolist() == pytest.approx([0.005, 0.125, 0.005, 0])


def test_a_batch_by_hand() -> None:
    angles = torch.tensor([0.0, 60, 90], dtype=torch.float64).deg2rad()
    embeddings = 3 * torch.stack((angles.cos(), angles.sin()), dim=1)
    labels = torch.tensor([1, 1, 2])
    near, far = 2 * math.sin(math.radians(15)), math.sqrt(2)  # 60–90 and 0–90; the mated pair is 1 apart
    assert Contrastive(1.5)(embeddings, labels).item() == pytest.approx(
        1 / 2 + ((1.5 - near) ** 2 + (1.5 - far) ** 2) / 4
    )
    assert Contrastive(1.0)(embeddings, labels).item() == pytest.approx(1 / 2 + (1 - near) ** 2 / 4)
    assert Contrastive(1.0, average="active")(embeddings, labels).item() == pytest.approx(1 / 2 + (1 - near) ** 2 / 2)
    cosine = Contrastive(0.6, 0.2, squared=False, distance="cosine")(embeddings, labels).item()
    assert cosine == pytest.approx(0.3 + (0.6 - (1 - math.cos(math.radians(30)))) / 2)


@pytest.mark.parametrize("normalize", [True, False])
def test_unsquared_over_active_pairs_it_is_pytorch_metric_learning_s(normalize: bool) -> None:
    embeddings = torch.randn(12, 6, dtype=torch.float64, requires_grad=True)
    theirs = ContrastiveLoss(0.3, 1.4, distance=LpDistance(normalize_embeddings=normalize))
    ours = Contrastive(1.4, 0.3, squared=False, average="active", normalize=normalize)
    expected, value = theirs(embeddings, LABELS), ours(embeddings, LABELS)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(torch.autograd.grad(value, embeddings), torch.autograd.grad(expected, embeddings))
    # There its margins are cosines: mated pairs are to be above 0.9, non-mated ones below 0.1.
    cosine = ContrastiveLoss(0.9, 0.1, distance=CosineSimilarity())(embeddings, LABELS)
    ours = Contrastive(0.9, 0.1, squared=False, distance="cosine", average="active")
    torch.testing.assert_close(ours(embeddings, LABELS), cosine)


@pytest.mark.parametrize("average", ["all", "active"])
@pytest.mark.parametrize("squared", [True, False])
def test_a_choice_of_all_pairs_is_all_pairs(squared: bool, average: str) -> None:
    embeddings = torch.randn(12, 6, dtype=torch.float64)
    loss = Contrastive(1.3, 0.1, squared, average=average)  # type: ignore[arg-type]
    mated, non_mated = mated_and_not(LABELS)
    chosen = (*mated.nonzero().unbind(1), *non_mated.nonzero().unbind(1))
    torch.testing.assert_close(loss(embeddings, LABELS, chosen), loss(embeddings, LABELS))


def test_what_a_miner_chose_often_weighs_more() -> None:
    embeddings = torch.randn(12, 6, dtype=torch.float64)
    a, p, n = torch.tensor([0, 0, 0]), torch.tensor([5, 5, 10]), torch.tensor([1, 2, 3])
    theirs = ContrastiveLoss(0, 1.4)(embeddings, LABELS, (a, p, n))
    ours = Contrastive(1.4, squared=False, average="active")(embeddings, LABELS, (a, p, n))
    torch.testing.assert_close(ours, theirs)
    assert ours != Contrastive(1.4, squared=False, average="active")(embeddings, LABELS, (a[1:], p[1:], n[1:]))


@pytest.mark.parametrize("wrong", [{"margin": -1}, {"mated_margin": -1}, {"average": "some"}, {"distance": "l1"}])
def test_arguments_outside_their_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Contrastive(**wrong)  # type: ignore[arg-type]
