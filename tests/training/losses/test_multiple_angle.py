import math

import pytest
import torch
from torch.nn import functional

from mien.training.losses.multiple_angle import multiple_angle

MULTIPLES = [1, 2, 3, 4, 0.5, 1.35, 2.5]


@pytest.mark.parametrize("m", MULTIPLES)
def test_it_is_the_cosine_and_sine_of_the_multiple(m: float) -> None:
    angle = torch.linspace(0, math.pi, 101, dtype=torch.float64)
    cosine, sine = multiple_angle(angle.cos(), m)
    torch.testing.assert_close(cosine, (m * angle).cos(), rtol=0, atol=1e-12)
    torch.testing.assert_close(sine, (m * angle).sin(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("m", MULTIPLES)
def test_its_gradient_is_that_of_finite_differences(m: float) -> None:
    cosine = torch.linspace(-0.999, 0.999, 31, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda values: multiple_angle(values, m), cosine)
    assert torch.autograd.gradgradcheck(lambda values: multiple_angle(values, m), cosine)


@pytest.mark.parametrize("m", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_at_the_ends_the_part_with_a_limit_is_the_limit(m: int, dtype: torch.dtype) -> None:
    ends = torch.tensor([1.0, -1.0], dtype=dtype, requires_grad=True)
    cosine, _ = multiple_angle(ends, m)
    (gradient,) = torch.autograd.grad(cosine.sum(), ends)
    # cos(mθ) is the Chebyshev polynomial T_m(cos θ); T_m' is m² at 1 and (−1)^(m+1)·m² at −1.
    assert gradient.tolist() == [m**2, (-1) ** (m + 1) * m**2]


@pytest.mark.parametrize("m", MULTIPLES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_part_that_grows_is_held(m: float, dtype: torch.dtype) -> None:
    precision = torch.finfo(dtype).eps
    ends = torch.tensor([1, 1 - precision, -1 + precision, -1], dtype=dtype, requires_grad=True)
    for values in multiple_angle(ends, m):
        (gradient,) = torch.autograd.grad(values.sum(), ends, retain_graph=True)
        assert gradient.isfinite().all()
        assert gradient.abs().max() <= m / math.sqrt(precision) + m**2
    _, sine = multiple_angle(ends, 1)
    (gradient,) = torch.autograd.grad(sine.sum(), ends)
    assert gradient[0] == pytest.approx(-1 / math.sqrt(precision))


@pytest.mark.parametrize("m", MULTIPLES)
def test_in_float32_the_gradient_of_the_vectors_is_near_the_exact_one_at_any_angle(m: float) -> None:
    """|∂cos(mθ + ½)/∂x| = m·|sin(mθ + ½)| on the sphere, except where θ is so small that float32 sees none."""
    for angle in [*torch.linspace(2e-3, math.pi - 2e-3, 50).tolist(), 1e-4, math.pi - 1e-4, 0.0]:
        vector = torch.tensor([math.cos(angle), math.sin(angle)], requires_grad=True)
        cosine, sine = multiple_angle((functional.normalize(vector, dim=0) * torch.tensor([1.0, 0])).sum(), m)
        (gradient,) = torch.autograd.grad(cosine * math.cos(0.5) - sine * math.sin(0.5), vector)
        length = float(gradient.norm())
        if 1e-3 < angle < math.pi - 1e-3:
            assert length == pytest.approx(m * abs(math.sin(m * angle + 0.5)), rel=0.05, abs=0.01)
        else:
            assert length <= 1.01 * m


def test_what_rounding_left_outside_counts_as_the_end() -> None:
    outside = torch.tensor([1.0000002, -1.0000002], requires_grad=True)
    cosine, sine = multiple_angle(outside, 3)
    assert cosine.tolist() == pytest.approx([1, -1])
    assert sine.tolist() == pytest.approx([0, 0], abs=1e-6)
    (gradient,) = torch.autograd.grad(cosine.sum(), outside)
    assert gradient.tolist() == [9, 9]


def test_it_computes_in_float32_at_least() -> None:
    for dtype, expected in ((torch.bfloat16, torch.float32), (torch.float16, torch.float32), (torch.float64,) * 2):
        assert multiple_angle(torch.tensor([0.3], dtype=dtype), 2)[0].dtype == expected
