import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from mien.training.losses import (
    ArcFace,
    ClassificationLoss,
    CombinedMargin,
    CosFace,
    NormFace,
    SphereFace,
    arc_margin,
    combined_margin,
)

MARGINS = [
    (1, 0, 0),
    (1, 0.5, 0),
    (1, 0, 0.35),
    (1, 0.3, 0.2),
    (0.9, 0.4, 0.15),
    (1.35, 0, 0),
    (2, 0.1, 0.05),
    (4, 0, 0),
]
angles = torch.linspace(0, math.pi, 181, dtype=torch.float64)


@pytest.mark.parametrize(("m1", "m2", "m3"), MARGINS)
def test_it_is_the_papers_formula_at_every_angle(m1: float, m2: float, m3: float) -> None:
    expected = [math.cos(m1 * angle + m2) - m3 for angle in angles.tolist()]
    assert combined_margin(angles.cos(), m1, m2, m3).tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("m1", "m2", "m3"), [*MARGINS, (1, -0.3, -0.2), (3, 7, 1)])
def test_its_gradient_is_that_of_finite_differences(m1: float, m2: float, m3: float) -> None:
    inside = angles[1:-1].cos()
    step = 1e-7
    expected = (combined_margin(inside + step, m1, m2, m3) - combined_margin(inside - step, m1, m2, m3)) / (2 * step)
    cosine = inside.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(combined_margin(cosine, m1, m2, m3).sum(), cosine)
    torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-4)
    exact = m1 * (m1 * angles[1:-1] + m2).sin() / angles[1:-1].sin()
    torch.testing.assert_close(gradient, exact, rtol=1e-9, atol=1e-9)


def test_both_margins_count_at_once() -> None:
    """At (1, 0.3, 0.2) the loss is neither CosFace's nor ArcFace's, and its gradient is that of the loss itself."""
    torch.manual_seed(0)
    combined = CombinedMargin(5, 8, s=16, m1=1, m2=0.3, m3=0.2).double()
    cosface, arcface = CosFace(5, 8, s=16, m=0.2).double(), ArcFace(5, 8, s=16, m=0.3).double()
    for head in (cosface, arcface):
        head.load_state_dict(combined.state_dict())
    embeddings = torch.randn(6, 8, dtype=torch.float64, requires_grad=True)
    labels = torch.arange(6) % 5
    values = [head(embeddings, labels) for head in (combined, cosface, arcface)]
    gradients = [torch.autograd.grad(value, embeddings)[0] for value in values]
    for other in (1, 2):
        assert abs(values[0] - values[other]) > 0.5
        assert (gradients[0] - gradients[other]).abs().max() > 0.01
    assert torch.autograd.gradcheck(lambda x, weight: combined(x, labels), (embeddings, combined.weight))


@pytest.mark.parametrize(
    ("m1", "m2", "m3"), [(2, 0, 0), (1, math.pi / 6, 0), (1.5, math.pi / 12, 0), (1, 0, 0.3660254)]
)
def test_an_angle_of_30_degrees_made_as_bad_as_60(m1: float, m2: float, m3: float) -> None:
    head = CombinedMargin(2, 2, s=20, m1=m1, m2=m2, m3=m3)
    head.weight.data = torch.tensor([[3.0, 0], [0, 0.1]])
    embeddings = 7 * torch.tensor([[math.cos(math.pi / 6), math.sin(math.pi / 6)]])
    # The own class's logit has become 20·cos 60° too, so that both classes are as likely.
    assert head.margin_logits(embeddings, torch.tensor([0])).tolist()[0] == pytest.approx([10, 10], abs=1e-4)
    assert head(embeddings, torch.tensor([0])).item() == pytest.approx(math.log(2), abs=1e-5)
    assert head.logits(embeddings).tolist()[0] == pytest.approx([10 * math.sqrt(3), 10], abs=1e-4)


def test_the_cases_are_the_other_heads() -> None:
    labels = torch.arange(20) % 7
    weight = torch.randn(7, 6, dtype=torch.float64)
    embeddings = functional.normalize(weight[labels] + 0.5 * torch.randn(20, 6, dtype=torch.float64))
    cases: list[tuple[CombinedMargin, ClassificationLoss]] = [
        (CombinedMargin(7, 6, s=8, m1=1, m2=0, m3=0), NormFace(7, 6, s=8)),
        (CombinedMargin(7, 6, s=8, m1=1, m2=0, m3=0.3), CosFace(7, 6, s=8, m=0.3)),
        (CombinedMargin(7, 6, s=8, m1=1, m2=0.4, m3=0), ArcFace(7, 6, s=8, m=0.4)),
        (CombinedMargin(7, 6, s=1, m1=2, m2=0, m3=0), SphereFace(7, 6, m=2, base=0, lambda_min=0)),
    ]
    for combined, head in cases:
        combined.weight.data, head.weight.data = weight, weight
        torch.testing.assert_close(combined(embeddings, labels), head(embeddings, labels))


@pytest.mark.parametrize("m", [0.1, 0.5, 1.2, 0.0])
def test_arcface_is_the_case_up_to_its_guard(m: float) -> None:
    before, beyond = angles[angles < math.pi - m], angles[angles > math.pi - m]
    torch.testing.assert_close(arc_margin(before.cos(), m), combined_margin(before.cos(), m2=m))
    torch.testing.assert_close(arc_margin(beyond.cos(), m), beyond.cos() - m * math.sin(m))


@pytest.mark.parametrize(("m1", "m2", "m3"), MARGINS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_value_and_gradient_are_finite_at_the_ends(m1: float, m2: float, m3: float, dtype: torch.dtype) -> None:
    cosine = torch.tensor([1.0, -1.0], dtype=dtype, requires_grad=True)
    values = combined_margin(cosine, m1, m2, m3)
    assert values.tolist() == pytest.approx([math.cos(m2) - m3, math.cos(m1 * math.pi + m2) - m3], abs=1e-6)
    (gradient,) = torch.autograd.grad(values.sum(), cosine)
    assert gradient.isfinite().all()
    head = CombinedMargin(3, 4, m1=m1, m2=m2, m3=m3)
    for factor in (1.0, -1.0, 40.0, -40.0):
        embeddings = (factor * head.weight.detach()).to(dtype).requires_grad_()
        loss = head(embeddings, torch.arange(3))
        gradients = torch.autograd.grad(loss, (embeddings, head.weight))
        assert loss.isfinite()
        assert all(gradient.isfinite().all() for gradient in gradients)
        # On the sphere it is never longer than the loss's scale times m1, however steep the cosine's own is.
        assert (gradients[0] * embeddings.norm(dim=1, keepdim=True)).norm(dim=1).max() <= 2 * 64 * (m1 + 0.01)


def test_the_gradient_of_the_angle_is_the_same_from_every_side_of_the_end() -> None:
    """Near θ = 0 the loss is a cone: its gradients on opposite sides cancel, and the one at the tip is 0."""

    def gradient(offset: float) -> Tensor:
        embedding = torch.tensor([1.0, offset, 0.0], dtype=torch.float64, requires_grad=True)
        value = combined_margin(functional.normalize(embedding, dim=0)[0], m2=0.5)
        return torch.autograd.grad(value, embedding)[0]

    torch.testing.assert_close(gradient(1e-4), gradient(-1e-4) * torch.tensor([1.0, -1, 1], dtype=torch.float64))
    assert gradient(1e-4).norm() == pytest.approx(math.sin(0.5), rel=1e-3)
    assert gradient(0.0).tolist() == [0, 0, 0]


def test_margins_of_each_sample_have_gradients_of_their_own() -> None:
    cosine = torch.rand(5, dtype=torch.float64, requires_grad=True)
    m2, m3 = (torch.rand(5, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(lambda c, a, b: combined_margin(c, 1.2, a, b), (cosine, m2, m3))


@pytest.mark.parametrize(
    "wrong",
    [
        {"s": 0},
        {"s": math.nan},
        {"m1": 0},
        {"m1": -1},
        {"m2": math.inf},
        {"m3": math.nan},
        {"num_classes": 1},
        {"embedding_size": 0},
    ],
)
def test_arguments_outside_their_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        CombinedMargin(**{"num_classes": 3, "embedding_size": 4, **wrong})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="m1"):
        combined_margin(torch.zeros(1), m1=0)
