import math

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from torch.nn import functional

from mien.training.losses import ModifiedSoftmax, NormFace, Softmax
from mien.training.losses.loss import ClassificationLoss

AT_30_DEGREES = 2 * torch.tensor([[math.cos(math.pi / 6), math.sin(math.pi / 6)]])
KINDS = [Softmax, ModifiedSoftmax, NormFace]


def test_softmax_by_hand() -> None:
    head = Softmax(2, 2)
    head.weight.data, head.bias.data = torch.tensor([[3.0, 0], [0, 1]]), torch.tensor([0.5, -0.5])
    logits = [3 * math.sqrt(3) + 0.5, 0.5]
    assert head.logits(AT_30_DEGREES).tolist()[0] == pytest.approx(logits)
    assert head(AT_30_DEGREES, torch.tensor([1])).item() == pytest.approx(math.log(1 + math.exp(logits[0] - logits[1])))


def test_modified_softmax_by_hand() -> None:
    head = ModifiedSoftmax(2, 2)
    head.weight.data = torch.tensor([[3.0, 0], [0, 0.1]])
    assert head.logits(AT_30_DEGREES).tolist()[0] == pytest.approx([math.sqrt(3), 1])
    assert head(AT_30_DEGREES, torch.tensor([0])).item() == pytest.approx(math.log(1 + math.exp(1 - math.sqrt(3))))


def test_normface_by_hand() -> None:
    head = NormFace(2, 2, s=10)
    head.weight.data = torch.tensor([[3.0, 0], [0, 0.1]])
    assert head.logits(AT_30_DEGREES).tolist()[0] == pytest.approx([5 * math.sqrt(3), 5], rel=1e-6)
    assert head(AT_30_DEGREES, torch.tensor([0])).item() == pytest.approx(
        math.log(1 + math.exp(5 - 5 * math.sqrt(3))), rel=1e-5
    )


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_scikit_learns_log_loss(kind: type[ClassificationLoss]) -> None:
    head = NormFace(5, 8, s=5) if kind is NormFace else kind(5, 8)
    embeddings, labels = torch.randn(30, 8, dtype=torch.float64), torch.arange(30) % 5
    probabilities = functional.softmax(head.logits(embeddings), dim=1).detach().numpy()
    expected = log_loss(np.asarray(labels), probabilities, labels=list(range(5)))
    assert head(embeddings, labels).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("kind", "of_embeddings", "of_weight"), [(Softmax, 0, 0), (ModifiedSoftmax, 0, 1), (NormFace, 1, 1)]
)
def test_which_lengths_count(kind: type[ClassificationLoss], of_embeddings: int, of_weight: int) -> None:
    head, embeddings, labels = kind(5, 8).double(), torch.randn(30, 8, dtype=torch.float64), torch.arange(30) % 5
    value = head(embeddings, labels)
    assert torch.isclose(head(embeddings * 2, labels), value) == bool(of_embeddings)
    head.weight.data *= 3
    assert torch.isclose(head(embeddings, labels), value) == bool(of_weight)


@pytest.mark.parametrize("s", [1.0, 4.0, 20.0])
def test_normface_reaches_its_lower_bound_at_a_simplex_and_no_less(s: float) -> None:
    classes = 4
    simplex = functional.normalize(torch.eye(classes, dtype=torch.float64) - 1 / classes)
    head = NormFace(classes, classes, s=s).double()
    head.weight.data = simplex
    bound = math.log(1 + (classes - 1) * math.exp(-s * classes / (classes - 1)))
    assert head(simplex, torch.arange(classes)).item() == pytest.approx(bound)
    moved = simplex + 0.1 * torch.randn(classes, classes, dtype=torch.float64)
    assert head(moved, torch.arange(classes)).item() > bound


def test_the_scale_is_learnt_only_if_asked() -> None:
    for learn_scale in (True, False):
        head = NormFace(3, 4, learn_scale=learn_scale)
        head(torch.randn(5, 4), torch.arange(5) % 3).backward()
        assert (head.s.grad is not None) == learn_scale
        assert "s" in head.state_dict()


def test_a_miners_choice_weighs_each_sample_as_often_as_it_was_chosen() -> None:
    head, embeddings, labels = Softmax(3, 4), torch.randn(5, 4), torch.tensor([0, 0, 1, 1, 2])
    chosen = (torch.tensor([0, 0, 2]), torch.tensor([1, 1, 3]), torch.tensor([2, 4, 0]))
    each = functional.cross_entropy(head.logits(embeddings), labels, reduction="none")
    expected = (each * torch.tensor([3, 2, 2, 1, 1]) / 3).mean()
    torch.testing.assert_close(head(embeddings, labels, chosen), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_sizes_that_make_no_sense_are_refused(kind: type[ClassificationLoss]) -> None:
    with pytest.raises(ValueError, match="num_classes"):
        kind(1, 4)
    with pytest.raises(ValueError, match="embedding_size"):
        kind(3, 0)
    with pytest.raises(ValueError, match="s must be greater than 0"):
        NormFace(3, 4, s=0)


def test_zero_embeddings_get_a_gradient_of_a_sane_size() -> None:
    head, embeddings = NormFace(3, 4), torch.zeros(2, 4, requires_grad=True)
    head(embeddings, torch.tensor([0, 1])).backward()
    assert embeddings.grad is not None
    assert 0 < embeddings.grad.norm() < 100
