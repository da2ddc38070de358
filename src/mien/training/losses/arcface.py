"""A margin added to the angle."""

import math

import torch
from torch import Tensor

from mien.training.losses.combined_margin import combined_margin
from mien.training.losses.cosine_head import CosineHead
from mien.training.losses.loss import at_least_float32
from mien.training.losses.ranges import within


def arc_margin(cosine: Tensor, m: float | Tensor) -> Tensor:
    """cos(θ + m) up to θ = π − m, and cos θ − m·sin m beyond, where cos(θ + m) would grow again.

    It falls everywhere in θ, with a step down of cos m + m·sin m − 1 at the guard.

    Args:
        cosine: (…) cos θ, of any real dtype.
        m: The margin in radians, from 0 to π; a number or a tensor (…), which may have a gradient of its own.

    Returns:
        (…) float32 or float64.
    """
    cosine = at_least_float32(cosine)
    m = torch.as_tensor(m, dtype=cosine.dtype, device=cosine.device)
    return torch.where(cosine > -m.cos(), combined_margin(cosine, m2=m), cosine - m * m.sin())


class ArcFace(CosineHead):
    """Cross-entropy over s·cos θⱼ with s·cos(θ_y + m) for the own class.

    Deng et al., ArcFace: Additive Angular Margin Loss for Deep Face Recognition, CVPR 2019, equation 3, with the guard
    of its authors' first code where θ_y + m passes π: s·(cos θ_y − m·sin m).

    Args:
        num_classes: C, at least 2.
        embedding_size: D, at least 1.
        s: The scale, above 0.
        m: The margin in radians, from 0 to π.

    Raises:
        ValueError: An argument is outside its range.
    """

    def __init__(self, num_classes: int, embedding_size: int, s: float = 64.0, m: float = 0.5) -> None:
        super().__init__(num_classes, embedding_size, s)
        within(0, math.pi, m=m)
        self.m = m

    def _margin(self, cosine: Tensor, embeddings: Tensor) -> Tensor:
        return arc_margin(cosine, self.m)
