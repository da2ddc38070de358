import math

import pytest
import torch
from torch.nn import functional

from mien.training.losses import LSoftmax, ModifiedSoftmax, Softmax, SphereFace, psi

KINDS = [LSoftmax, SphereFace]
AT_ONCE = {"base": 0.0, "lambda_min": 0.0}
by_kind = pytest.mark.parametrize("kind", KINDS)


def degrees(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64).deg2rad()


def test_psi_by_hand() -> None:
    assert psi(degrees(0, 30, 60, 90, 120, 180).cos(), 2).tolist() == pytest.approx([1, 0.5, -0.5, -1, -1.5, -3])
    # 120° is in the third of four pieces: k = 2, and cos 480° − 4 = −4.5.
    assert psi(degrees(15, 45, 120, 150, 180).cos(), 4).tolist() == pytest.approx([0.5, -1, -4.5, -5.5, -7])


@pytest.mark.parametrize("m", [1, 2, 3, 4, 7])
def test_psi_falls_from_1_to_1_minus_2m_without_a_step_in_value_or_slope(m: int) -> None:
    angles = torch.linspace(0, math.pi, 4001, dtype=torch.float64)
    cosine = angles.cos().requires_grad_()
    values = psi(cosine, m)
    assert values[0].item() == pytest.approx(1)
    assert values[-1].item() == pytest.approx(1 - 2 * m)
    assert (values.diff() < 0).all()
    assert values.diff().abs().max() < 1.001 * m * (angles[1] - angles[0])
    (gradient,) = torch.autograd.grad(values.sum(), cosine)
    assert (gradient >= -1e-9).all()
    assert gradient[[0, -1]].tolist() == pytest.approx([m**2, m**2])
    slope = gradient * angles.sin()
    assert slope.diff().abs().max() < 1.001 * m**2 * (angles[1] - angles[0])


@pytest.mark.parametrize("m", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_psi_at_the_ends(m: int, dtype: torch.dtype) -> None:
    ends = torch.tensor([1.0, -1.0], dtype=dtype, requires_grad=True)
    values = psi(ends, m)
    assert values.tolist() == pytest.approx([1, 1 - 2 * m], abs=1e-5)
    assert torch.autograd.grad(values.sum(), ends)[0].tolist() == [m**2, m**2]


def test_the_own_class_s_logit_by_hand() -> None:
    embedding = 3 * torch.stack((degrees(120).cos(), degrees(120).sin()), dim=1)
    weight = torch.tensor([[2.0, 0], [0, 1]], dtype=torch.float64)
    for kind, own in ((LSoftmax, 6.0), (SphereFace, 3.0)):
        head = kind(2, 2, m=4, base=1, gamma=0, lambda_min=0).double()  # λ = 1
        head.weight.data = weight
        logits = head.margin_logits(embedding, torch.tensor([0])).tolist()[0]
        assert logits == pytest.approx([own * (-0.5 - 4.5) / 2, 3 * math.sin(math.radians(120))])
        expected = math.log(1 + math.exp(logits[1] - logits[0]))
        assert head(embedding, torch.tensor([0])).item() == pytest.approx(expected)


@by_kind
def test_lambda_falls_as_the_schedule_says(kind: type[LSoftmax]) -> None:
    head = kind(3, 4, base=1000, gamma=0.12, power=1, lambda_min=5)
    seen = []
    for _ in range(3):
        head(torch.randn(2, 4), torch.tensor([0, 1]))
        seen.append(head.annealing.item())
    assert seen == pytest.approx([1000 / 1.12, 1000 / 1.24, 1000 / 1.36])
    head.iteration.fill_(100_000)
    assert head.annealing.item() == 5
    steep = kind(3, 4, base=100, gamma=1, power=2, lambda_min=0)
    steep.iteration.fill_(9)
    assert steep.annealing.item() == pytest.approx(1)


@by_kind
def test_only_training_is_an_iteration_and_the_state_keeps_it(kind: type[LSoftmax]) -> None:
    head = kind(3, 4)
    embeddings, labels = torch.randn(2, 4), torch.tensor([0, 1])
    for _ in range(4):
        head(embeddings, labels)
    head.margin_logits(embeddings, labels)
    head.eval()(embeddings, labels)
    assert head.iteration.item() == 4
    other = kind(3, 4)
    other.load_state_dict(head.state_dict())
    assert other.iteration.item() == 4


@by_kind
def test_a_margin_of_1_is_the_softmax_that_it_extends(kind: type[LSoftmax]) -> None:
    head = kind(5, 6, m=1, **AT_ONCE).double()
    plain = (Softmax if kind is LSoftmax else ModifiedSoftmax)(5, 6).double()
    plain.weight.data = head.weight.data
    embeddings, labels = torch.randn(12, 6, dtype=torch.float64), torch.arange(12) % 5
    torch.testing.assert_close(head(embeddings, labels), plain(embeddings, labels))


@by_kind
def test_a_great_lambda_is_the_softmax_that_it_extends(kind: type[LSoftmax]) -> None:
    head = kind(5, 6, m=4, base=1e12, gamma=0).double()
    embeddings, labels = torch.randn(12, 6, dtype=torch.float64), torch.arange(12) % 5
    torch.testing.assert_close(head(embeddings, labels), functional.cross_entropy(head.logits(embeddings), labels))


@by_kind
@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_the_gradient_of_the_whole_margin_is_that_of_finite_differences(kind: type[LSoftmax], m: int) -> None:
    head = kind(3, 5, m=m, **AT_ONCE).double().eval()
    embeddings = torch.randn(12, 5, dtype=torch.float64, requires_grad=True)
    labels = torch.arange(12) % 3
    assert torch.autograd.gradcheck(lambda x, weight: head(x, labels), (embeddings, head.weight))


@pytest.mark.parametrize(
    "wrong", [{"m": 0}, {"m": 1.5}, {"base": -1}, {"gamma": -1}, {"power": -1}, {"lambda_min": -1}, {"base": math.nan}]
)
@by_kind
def test_arguments_outside_their_range_are_refused(kind: type[LSoftmax], wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        kind(3, 4, **wrong)  # type: ignore[arg-type]
