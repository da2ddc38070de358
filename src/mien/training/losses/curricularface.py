"""Classes that are mistaken for the right one count the more, the further training is."""

import math

import torch
from torch import Tensor

from mien.training.large_heads.directions import unit
from mien.training.losses.arcface import arc_margin
from mien.training.losses.cosine_head import CosineHead
from mien.training.losses.loss import ClassificationLoss
from mien.training.losses.ranges import within


class CurricularFace(CosineHead):
    """ArcFace whose hard negatives grow: cos θⱼ·(t + cos θⱼ) where cos θⱼ > cos(θ_y + m), else cos θⱼ.

    t follows the batches' mean cosine r of samples and their own classes, t ← α·t + (1 − α)·r, from 0 on; each call in
    training mode is a batch. So hard negatives count less at first and more later.

    Huang et al., CurricularFace: Adaptive Curriculum Learning Loss for Deep Face Recognition, CVPR 2020, section
    3.2; the own class has ArcFace's guard, as in its authors' code.

    Args:
        num_classes: C, at least 2.
        embedding_size: D, at least 1.
        s: The scale, above 0.
        m: The margin in radians, from 0 to π.
        momentum: α, from 0 to 1.

    Attributes:
        t: Now.

    Raises:
        ValueError: An argument is outside its range.
    """

    t: Tensor

    def __init__(
        self, num_classes: int, embedding_size: int, s: float = 64.0, m: float = 0.5, momentum: float = 0.99
    ) -> None:
        super().__init__(num_classes, embedding_size, s)
        within(0, math.pi, m=m)
        within(0, 1, momentum=momentum)
        self.m, self.momentum = m, momentum
        self.register_buffer("t", torch.tensor(0.0))

    def _observe(self, embeddings: Tensor, labels: Tensor) -> None:
        own = (unit(embeddings) * unit(self.weight[labels].to(embeddings.dtype))).sum(dim=1)
        self.t.lerp_(own.mean().to(self.t.dtype), 1 - self.momentum)

    def _margin_logits(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        cosine, own = self._cosines(embeddings), labels[:, None]
        target = cosine.gather(1, own)
        hard = cosine > (target.clamp(-1, 1).acos() + self.m).cos()
        modulated = torch.where(hard, cosine * (self.t.to(cosine.dtype) + cosine), cosine)
        return self.s * modulated.scatter(1, own, arc_margin(target, self.m))

    def _losses(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        # The logits of other classes change too, which the sum over chunks of classes doesn't know.
        return ClassificationLoss._losses(self, embeddings, labels)
