"""A margin that grows with the embedding's length, so that the length tells a face's quality."""

import math

import torch
from torch import Tensor

from mien.training.losses.arcface import arc_margin
from mien.training.losses.cosine_head import CosineHead
from mien.training.losses.ranges import above, at_least, within


class MagFace(CosineHead):
    """ArcFace with the margin m(a), plus λ_g·g(a), where a = ‖x‖ held in [l_a, u_a].

    m(a) = l_m + (u_m − l_m)·(a − l_a)/(u_a − l_a) and g(a) = 1/a + a/u_a². A long embedding has the greater margin, g
    draws to length: easy faces become long, hard ones stay short. The gradient goes through the length.

    Meng et al., MagFace: A Universal Representation for Face Recognition and Quality Assessment, CVPR 2021, section
    3. Outside [l_a, u_a] the length has no gradient, as in its authors' code, so a
    network must begin inside: the length of D values of unit variance is √D. Beyond θ_y = π − m, ArcFace's guard.

    Args:
        num_classes: C, at least 2.
        embedding_size: D, at least 1.
        s: The scale, above 0.
        l_a: Where length begins to count, above 0.
        u_a: Where it ends, above `l_a`.
        l_m: The margin there in radians, from 0 to π.
        u_m: The margin here, from `l_m` to π.
        lambda_g: λ_g, at least 0.

    Raises:
        ValueError: An argument is outside its range.
    """

    def __init__(
        self,
        num_classes: int,
        embedding_size: int,
        s: float = 64.0,
        l_a: float = 10.0,
        u_a: float = 110.0,
        l_m: float = 0.45,
        u_m: float = 0.8,
        lambda_g: float = 35.0,
    ) -> None:
        super().__init__(num_classes, embedding_size, s)
        above(0, l_a=l_a)
        above(l_a, u_a=u_a)
        within(0, math.pi, l_m=l_m)
        within(l_m, math.pi, u_m=u_m)
        at_least(0, lambda_g=lambda_g)
        self.l_a, self.u_a, self.l_m, self.u_m, self.lambda_g = l_a, u_a, l_m, u_m, lambda_g

    def _length(self, embeddings: Tensor) -> Tensor:
        length: Tensor = torch.linalg.vector_norm(embeddings, dim=1)
        return length.clamp(self.l_a, self.u_a)

    def _margin(self, cosine: Tensor, embeddings: Tensor) -> Tensor:
        share = (self._length(embeddings) - self.l_a) / (self.u_a - self.l_a)
        return arc_margin(cosine, self.l_m + (self.u_m - self.l_m) * share)

    def _losses(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        length = self._length(embeddings)
        return super()._losses(embeddings, labels) + self.lambda_g * (1 / length + length / self.u_a**2)
