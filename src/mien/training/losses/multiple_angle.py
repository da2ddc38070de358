"""Cosine and sine of a multiple of an angle, from the angle's cosine, with gradients that stay finite."""

import math
from typing import Any

import torch
from torch import Tensor

from mien.training.losses.loss import at_least_float32


def multiple_angle(cosine: Tensor, m: float) -> tuple[Tensor, Tensor]:
    """cos(mθ) and sin(mθ), where cos θ = `cosine`.

    The gradients are m·sin(mθ)/sin θ and −m·cos(mθ)/sin θ. Where sin θ vanishes, at θ = 0 and π, they have a part with
    a limit, which is given exactly, and a part that grows as 1/sin θ, whose sin θ is held at √ε of the precision or
    more. What reaches the vectors isn't harmed: the gradient of cos θ has length sin θ, so that theirs is at most m
    long, and at the end itself, from where the angle changes alike in every direction, it is 0.

    Args:
        cosine: (…) of any real dtype; what rounding left outside [−1, 1] counts as its end.
        m: The multiple, above 0.

    Returns:
        Two tensors of the shape of `cosine`, in float32 at least.
    """
    cosine_of_multiple, sine_of_multiple = _MultipleAngle.apply(at_least_float32(cosine), m)  # type: ignore[no-untyped-call]
    return cosine_of_multiple, sine_of_multiple


class _MultipleAngle(torch.autograd.Function):
    @staticmethod
    def forward(cosine: Tensor, m: float) -> tuple[Tensor, Tensor]:
        angle = m * cosine.clamp(-1, 1).acos()
        return angle.cos(), angle.sin()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, float], output: tuple[Tensor, Tensor]) -> None:
        cosine, ctx.m = inputs
        ctx.save_for_backward(cosine)

    @staticmethod
    def backward(ctx: Any, cosine_gradient: Tensor, sine_gradient: Tensor) -> tuple[Tensor, None]:
        (cosine,), m = ctx.saved_tensors, ctx.m
        to_end = cosine.abs().clamp(max=1).acos()  # the angle to 0 or π, whichever is nearer: θ or π − θ
        sine = to_end.sin()
        at_end = sine == 0
        sine_ratio = torch.where(at_end, m, (m * to_end).sin() / torch.where(at_end, 1, sine))
        cosine_ratio = (m * to_end).cos() / sine.clamp(min=math.sqrt(torch.finfo(sine.dtype).eps))
        # Past π/2, mθ = mπ − m·(π − θ); rounded, so that no trace of the part that grows is left where m is whole.
        past, sin_mpi, cos_mpi = cosine < 0, round(math.sin(m * math.pi), 15), round(math.cos(m * math.pi), 15)
        sine_over_sine = torch.where(past, sin_mpi * cosine_ratio - cos_mpi * sine_ratio, sine_ratio)
        cosine_over_sine = torch.where(past, cos_mpi * cosine_ratio + sin_mpi * sine_ratio, cosine_ratio)
        return m * (cosine_gradient * sine_over_sine - sine_gradient * cosine_over_sine), None
