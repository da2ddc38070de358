import math

import pytest
import torch

from mien.training.losses import ArcFace, CosFace, NormFace, SubCenterArcFace, arc_margin
from mien.training.losses.cosine_head import CosineHead

AT_30_DEGREES = torch.tensor([[math.cos(math.pi / 6), math.sin(math.pi / 6)]])
HEADS = [ArcFace(4, 6, s=8, m=0.4), CosFace(4, 6, s=8, m=0.3), SubCenterArcFace(4, 6, s=8, m=0.4)]
by_head = pytest.mark.parametrize("head", HEADS, ids=lambda head: type(head).__name__)


def test_arcface_by_hand() -> None:
    head = ArcFace(2, 2, s=4, m=math.pi / 6)
    head.weight.data = torch.tensor([[2.0, 0], [0, 1]])
    assert head.margin_logits(AT_30_DEGREES, torch.tensor([0])).tolist()[0] == pytest.approx([2, 2])
    assert head.margin_logits(AT_30_DEGREES, torch.tensor([1])).tolist()[0] == pytest.approx(
        [2 * math.sqrt(3), 0], abs=1e-6
    )
    both = head(AT_30_DEGREES.repeat(2, 1), torch.tensor([0, 1])).item()
    assert both == pytest.approx((math.log(2) + math.log(1 + math.exp(2 * math.sqrt(3)))) / 2)


def test_arcface_beyond_its_guard_by_hand() -> None:
    head = ArcFace(2, 2, s=1, m=0.5)
    head.weight.data = torch.tensor([[1.0, 0], [0, 1]])
    opposite = torch.tensor([[-5.0, 0]])
    assert head.margin_logits(opposite, torch.tensor([0])).tolist()[0] == pytest.approx(
        [-1 - 0.5 * math.sin(0.5), 0], abs=1e-6
    )


@pytest.mark.parametrize("m", [0.0, 0.2, 0.5, 1.0, 2.0, math.pi])
def test_arcface_falls_everywhere(m: float) -> None:
    values = arc_margin(torch.linspace(0, math.pi, 2001, dtype=torch.float64).cos(), m)
    assert (values.diff() < 1e-12).all()


def test_the_step_at_the_guard_is_as_documented() -> None:
    m, guard = 0.5, math.pi - 0.5
    before, after = arc_margin(torch.tensor([guard - 1e-9, guard + 1e-9], dtype=torch.float64).cos(), m).tolist()
    assert before - after == pytest.approx(math.cos(m) + m * math.sin(m) - 1, abs=1e-6)


def test_cosface_by_hand() -> None:
    head = CosFace(2, 2, s=4, m=0.25)
    head.weight.data = torch.tensor([[2.0, 0], [0, 1]])
    assert head.margin_logits(AT_30_DEGREES, torch.tensor([0])).tolist()[0] == pytest.approx([2 * math.sqrt(3) - 1, 2])
    assert head(AT_30_DEGREES, torch.tensor([0])).item() == pytest.approx(math.log(1 + math.exp(3 - 2 * math.sqrt(3))))


def test_the_nearest_sub_centre_speaks_for_its_class() -> None:
    head = SubCenterArcFace(2, 2, s=4, m=math.pi / 6, sub_centers=2)
    head.weight.data = torch.tensor([[[-1.0, 0], [5, 0]], [[0, 1], [0, -1]]])
    assert head.logits(AT_30_DEGREES).tolist()[0] == pytest.approx([2 * math.sqrt(3), 2])
    assert head(AT_30_DEGREES, torch.tensor([0])).item() == pytest.approx(math.log(2))
    head(AT_30_DEGREES, torch.tensor([0])).backward()
    assert head.weight.grad is not None
    assert (head.weight.grad[0, 0] == 0).all(), "the far sub-centre must not move"
    assert (head.weight.grad[0, 1] != 0).any()


def test_one_sub_centre_is_arcface() -> None:
    head, arcface = SubCenterArcFace(4, 6, sub_centers=1), ArcFace(4, 6)
    arcface.weight.data = head.weight.data[:, 0]
    embeddings, labels = torch.randn(9, 6), torch.arange(9) % 4
    torch.testing.assert_close(head(embeddings, labels), arcface(embeddings, labels))


@by_head
def test_without_margin_it_is_normface(head: CosineHead) -> None:
    free = type(head)(4, 6, s=8, m=0)  # type: ignore[call-arg]
    plain = NormFace(4, 6, s=8)
    embeddings, labels = torch.randn(9, 6), torch.arange(9) % 4
    if not isinstance(free, SubCenterArcFace):
        plain.weight.data = free.weight.data
        torch.testing.assert_close(free(embeddings, labels), plain(embeddings, labels))
    torch.testing.assert_close(free.margin_logits(embeddings, labels), free.logits(embeddings))


@by_head
def test_a_margin_makes_it_harder_for_every_sample(head: CosineHead) -> None:
    embeddings, labels = torch.randn(200, 6), torch.arange(200) % 4
    own = labels[:, None]
    plain, margin = head.logits(embeddings), head.margin_logits(embeddings, labels)
    assert (margin.gather(1, own) < plain.gather(1, own)).all()
    torch.testing.assert_close(margin.scatter(1, own, 0), plain.scatter(1, own, 0))


@by_head
def test_lengths_don_t_count(head: CosineHead) -> None:
    embeddings, labels = torch.randn(9, 6, dtype=torch.float64), torch.arange(9) % 4
    value = head(embeddings, labels)
    torch.testing.assert_close(head(embeddings * torch.rand(9, 1).add(0.1), labels), value)
    longer = type(head)(4, 6, s=8, m=head.m)  # type: ignore[call-arg]
    longer.weight.data = head.weight.data * 3
    torch.testing.assert_close(longer(embeddings, labels), value, rtol=1e-6, atol=1e-6)


@by_head
def test_names_of_classes_don_t_count(head: CosineHead) -> None:
    order = torch.tensor([2, 0, 3, 1])
    renamed = type(head)(4, 6, s=8, m=head.m)  # type: ignore[call-arg]
    renamed.weight.data = head.weight.data[order]
    embeddings, labels = torch.randn(9, 6), torch.arange(9) % 4
    torch.testing.assert_close(renamed(embeddings, order.argsort()[labels]), head(embeddings, labels))


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (ArcFace, {"m": -0.1}),
        (ArcFace, {"m": 28.6}),
        (ArcFace, {"s": -1}),
        (CosFace, {"m": -0.1}),
        (CosFace, {"m": math.nan}),
        (SubCenterArcFace, {"sub_centers": 0}),
        (SubCenterArcFace, {"m": 4}),
    ],
)
def test_arguments_outside_their_range_are_refused(kind: type[CosineHead], wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        kind(3, 4, **wrong)
