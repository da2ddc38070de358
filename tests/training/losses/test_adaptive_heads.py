import math
import statistics

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from mien.training.losses import AdaFace, ArcFace, CosFace, CurricularFace, MagFace, NormFace
from mien.training.losses.cosine_head import CosineHead

AXES = torch.tensor([[1.0, 0], [0, 1]])


def at(*degrees: float, length: float = 1.0) -> Tensor:
    angles = torch.tensor(degrees).deg2rad()
    return length * torch.stack((angles.cos(), angles.sin()), dim=1)


def of_lengths(*lengths: float) -> Tensor:
    return torch.tensor(lengths)[:, None] * functional.normalize(torch.randn(len(lengths), 6))


# CurricularFace


def test_curricularface_by_hand() -> None:
    head = CurricularFace(2, 2, s=2, m=math.pi / 6).eval()
    head.weight.data, head.t = AXES, torch.tensor(0.25)
    # Own class at 25°, with its margin 55°. The other's cosine at 65° is not above that; at 40° it is, and is changed.
    easy = head.margin_logits(at(25), torch.tensor([0])).tolist()[0]
    assert easy == pytest.approx([2 * math.cos(math.radians(55)), 2 * math.cos(math.radians(65))], abs=1e-6)
    hard = head.margin_logits(at(50), torch.tensor([0])).tolist()[0]
    other = math.cos(math.radians(40))
    assert hard == pytest.approx([2 * math.cos(math.radians(80)), 2 * other * (0.25 + other)])


def test_t_follows_the_batches_mean_cosine() -> None:
    head = CurricularFace(2, 2, momentum=0.9)
    head.weight.data = AXES * 3
    head(at(0, 60, length=5), torch.tensor([0, 0]))
    assert head.t.item() == pytest.approx(0.1 * (1 + 0.5) / 2)
    head(at(90), torch.tensor([1]))
    assert head.t.item() == pytest.approx(0.9 * 0.075 + 0.1 * 1)
    head.eval()(at(0), torch.tensor([1]))
    assert head.t.item() == pytest.approx(0.1675)


def test_hard_negatives_count_less_at_first_and_more_later() -> None:
    head = CurricularFace(2, 2, s=4, m=0.5).eval()
    head.weight.data = AXES
    values = []
    for t in (-0.5, 0.0, 0.5, 1.0):
        head.t = torch.tensor(t)
        values.append(head(at(60), torch.tensor([0])).item())
    assert values == sorted(values)
    arcface = ArcFace(2, 2, s=4, m=0.5)
    arcface.weight.data = AXES
    as_arcface = arcface(at(60), torch.tensor([0])).item()
    assert values[1] < as_arcface < values[3]


def test_the_hard_negatives_gradient_is_that_of_their_square() -> None:
    """∂(cos θⱼ·(t + cos θⱼ))/∂cos θⱼ = 2·cos θⱼ + t."""
    head = CurricularFace(2, 2, s=1, m=0.5).double().eval()
    head.weight.data, head.t = AXES.double(), torch.tensor(0.3, dtype=torch.float64)
    embedding = at(60).double().requires_grad_()
    (gradient,) = torch.autograd.grad(head.margin_logits(embedding, torch.tensor([0]))[0, 1], embedding)
    cosine = math.sin(math.radians(60))
    assert gradient.norm().item() == pytest.approx((2 * cosine + 0.3) * math.sin(math.radians(30)), rel=1e-6)


# MagFace


def test_magface_by_hand() -> None:
    head = MagFace(2, 2, s=4, l_a=10, u_a=110, l_m=math.pi / 12, u_m=math.pi / 4, lambda_g=35)
    head.weight.data = AXES
    # A length of 60 is half way: the margin is π/6, so that both logits are 4·cos 60°.
    embedding = at(30, length=60)
    assert head.margin_logits(embedding, torch.tensor([0])).tolist()[0] == pytest.approx([2, 2])
    regulariser = 35 * (1 / 60 + 60 / 110**2)
    assert head(embedding, torch.tensor([0])).item() == pytest.approx(math.log(2) + regulariser)


@pytest.mark.parametrize(("length", "margin"), [(1.0, 0.45), (10.0, 0.45), (110.0, 0.8), (500.0, 0.8), (35.0, 0.5375)])
def test_the_margin_grows_with_length_between_its_ends(length: float, margin: float) -> None:
    head, arcface = MagFace(2, 2), ArcFace(2, 2, m=margin)
    head.weight.data = arcface.weight.data = AXES
    embedding, label = at(40, length=length), torch.tensor([0])
    torch.testing.assert_close(head.margin_logits(embedding, label), arcface.margin_logits(embedding, label))
    held = min(max(length, 10), 110)
    expected = arcface(embedding, label).item() + 35 * (1 / held + held / 110**2)
    assert head(embedding, label).item() == pytest.approx(expected)


def test_easy_faces_grow_long_and_hard_ones_stay_shorter() -> None:
    """The length where the loss is least is the greater, the nearer a face is to its class."""
    head = MagFace(2, 2, s=8)
    head.weight.data = AXES
    best = [
        min(range(10, 111), key=lambda a, angle=angle: head(at(angle, length=a), torch.tensor([0])).item())  # type: ignore[misc]
        for angle in (0.0, 20.0, 30.0, 60.0)
    ]
    assert best == sorted(best, reverse=True)
    assert best[0] > best[-1]


def test_the_gradient_goes_through_the_length() -> None:
    head = MagFace(3, 4, s=6, l_a=1, u_a=9).double()
    embeddings = 3 * torch.randn(12, 4, dtype=torch.float64).requires_grad_()
    labels = torch.arange(12) % 3
    assert torch.autograd.gradcheck(lambda x, weight: head(x, labels), (embeddings, head.weight))


def test_with_one_margin_and_no_regulariser_it_is_arcface() -> None:
    head, arcface = MagFace(3, 6, l_m=0.4, u_m=0.4, lambda_g=0), ArcFace(3, 6, m=0.4)
    arcface.weight.data = head.weight.data
    embeddings, labels = 20 * torch.randn(12, 6), torch.arange(12) % 3
    torch.testing.assert_close(head(embeddings, labels), arcface(embeddings, labels))


# AdaFace


def adaface(quality: float, **arguments: float) -> tuple[AdaFace, float]:
    """A head, and the length whose quality ẑ it is."""
    head = AdaFace(2, 2, s=4, **arguments).eval()
    head.weight.data = AXES
    head.mean, head.deviation = torch.tensor(20.0), torch.tensor(5.0 - 1e-3)
    return head, 20 + 5 * quality / head.h


@pytest.mark.parametrize(("quality", "m2", "m3"), [(-1, 0.4, 0), (0, 0, 0.4), (1, -0.4, 0.8), (0.5, -0.2, 0.6)])
def test_adaface_by_hand(quality: float, m2: float, m3: float) -> None:
    head, length = adaface(quality, m=0.4)
    logits = head.margin_logits(at(50, length=length), torch.tensor([0])).tolist()[0]
    own, other = math.cos(math.radians(50) + m2) - m3, math.sin(math.radians(50))
    assert logits == pytest.approx([4 * own, 4 * other], rel=1e-5)


def test_poor_faces_have_arcface_s_margin_and_middling_ones_cosface_s() -> None:
    for quality, other in (
        (-1, ArcFace(2, 2, s=4, m=0.4)),
        (0, CosFace(2, 2, s=4, m=0.4)),
        (-1.2, ArcFace(2, 2, s=4, m=0.4)),
    ):
        head, length = adaface(quality, m=0.4)
        assert isinstance(other, CosineHead)
        other.weight.data = AXES
        embedding = at(50, length=length)
        torch.testing.assert_close(head(embedding, torch.tensor([0])), other(embedding, torch.tensor([0])))


def test_the_angle_is_held_between_0_and_pi() -> None:
    head, good = adaface(1, m=0.4)
    assert head.margin_logits(at(10, length=good), torch.tensor([0]))[0, 0].item() == pytest.approx(4 * (1 - 0.8))
    head, poor = adaface(-1, m=0.4)
    assert head.margin_logits(at(175, length=poor), torch.tensor([0]))[0, 0].item() == pytest.approx(-4)


def test_statistics_follow_the_batches_from_the_first_on() -> None:
    head = AdaFace(3, 6, momentum=0.9)
    first, second = (10.0, 14.0, 12.0), (30.0, 20.0, 25.0)
    head(of_lengths(*first), torch.arange(3))
    assert head.mean.item() == pytest.approx(12)
    assert head.deviation.item() == pytest.approx(statistics.stdev(first))
    head(of_lengths(*second), torch.arange(3))
    assert head.mean.item() == pytest.approx(0.9 * 12 + 0.1 * 25)
    assert head.deviation.item() == pytest.approx(0.9 * 2 + 0.1 * 5)
    before = head.state_dict()
    head(of_lengths(99.0), torch.tensor([0]))
    head.eval()(of_lengths(*first), torch.arange(3))
    assert (head.mean.item(), head.deviation.item(), head.batches.item()) == pytest.approx((13.3, 2.3, 2))
    assert set(before) == {"weight", "mean", "deviation", "batches"}


def test_the_quality_has_no_gradient_and_all_else_has_the_right_one() -> None:
    """Moved on its sphere, an embedding keeps its quality, so that finite differences there must agree."""
    head = AdaFace(3, 6, s=6).double().eval()
    head.mean, head.deviation = torch.tensor(2.0), torch.tensor(0.5)
    labels = torch.arange(12) % 3
    start = 2 * torch.randn(12, 6, dtype=torch.float64)
    lengths = start.norm(dim=1, keepdim=True)
    on_sphere = start.clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x, weight: head(functional.normalize(x) * lengths, labels), (on_sphere, head.weight)
    )
    (gradient,) = torch.autograd.grad(head(on_sphere, labels), on_sphere)
    torch.testing.assert_close((gradient * start).sum(dim=1), torch.zeros(12, dtype=torch.float64), atol=1e-12, rtol=0)


@pytest.mark.parametrize("kind", [CurricularFace, AdaFace])
def test_without_margin_it_is_normface(kind: type[CosineHead]) -> None:
    head, plain = kind(3, 6, s=5, m=0), NormFace(3, 6, s=5)  # type: ignore[call-arg]
    plain.weight.data = head.weight.data
    labels = torch.arange(6) % 3
    embeddings = 20 * (plain.weight.data[labels] + 0.1 * torch.randn(6, 6))
    torch.testing.assert_close(head(embeddings, labels), plain(embeddings, labels))


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (CurricularFace, {"m": 4}),
        (CurricularFace, {"momentum": 1.1}),
        (MagFace, {"l_a": 0}),
        (MagFace, {"u_a": 10}),
        (MagFace, {"l_m": -0.1}),
        (MagFace, {"u_m": 0.4}),
        (MagFace, {"lambda_g": -1}),
        (AdaFace, {"m": -0.1}),
        (AdaFace, {"h": 0}),
        (AdaFace, {"momentum": -0.1}),
    ],
)
def test_arguments_outside_their_range_are_refused(kind: type[CosineHead], wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        kind(3, 4, **wrong)
