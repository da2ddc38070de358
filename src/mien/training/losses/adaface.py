"""A margin that makes hard samples count where a face is good, and not where it is poor."""

import math

import torch
from torch import Tensor

from mien.training.losses.combined_margin import combined_margin
from mien.training.losses.cosine_head import CosineHead
from mien.training.losses.ranges import above, within

EPSILON = 1e-3
"""Added to σ: lengths that don't differ are all of middling quality."""


class AdaFace(CosineHead):
    """Cross-entropy over s·cos θⱼ with s·(cos(θ_y − m·ẑ) − (m + m·ẑ)) for the own class.

    ẑ = (‖x‖ − μ)·h/σ, held in [−1, 1], stands for the face's quality: at −1 the margin is ArcFace's, at 0 CosFace's. It
    has no gradient. μ and σ follow the batches' mean and standard deviation of the length, α·old + (1 − α)·new, from
    the first batch on. Each call in training mode is a batch, but for a single sample, which has no deviation.

    Kim et al., AdaFace: Quality Adaptive Margin for Face Recognition, CVPR 2022, section 3.3. θ_y − m·ẑ is held in
    [0, π], as in its authors' code: outside, the cosine would turn round. There only the other classes pull.

    Args:
        num_classes: C, at least 2.
        embedding_size: D, at least 1.
        s: The scale, above 0.
        m: The margin, from 0 to π; radians where it is added to the angle.
        h: Above 0; 0.333 keeps about 2 in 3 lengths of a normal distribution inside a third of the range of ẑ.
        momentum: α, from 0 to 1.

    Attributes:
        mean: μ; 20 before the first batch.
        deviation: σ; 100 before the first batch.
        batches: How many there were.

    Raises:
        ValueError: An argument is outside its range.
    """

    mean: Tensor
    deviation: Tensor
    batches: Tensor

    def __init__(
        self,
        num_classes: int,
        embedding_size: int,
        s: float = 64.0,
        m: float = 0.4,
        h: float = 0.333,
        momentum: float = 0.99,
    ) -> None:
        super().__init__(num_classes, embedding_size, s)
        within(0, math.pi, m=m)
        above(0, h=h)
        within(0, 1, momentum=momentum)
        self.m, self.h, self.momentum = m, h, momentum
        self.register_buffer("mean", torch.tensor(20.0))
        self.register_buffer("deviation", torch.tensor(100.0))
        self.register_buffer("batches", torch.tensor(0))

    def _observe(self, embeddings: Tensor, labels: Tensor) -> None:
        if len(embeddings) < 2:
            return
        deviation, mean = torch.std_mean(torch.linalg.vector_norm(embeddings, dim=1))
        share = torch.where(self.batches == 0, 1.0, 1 - self.momentum).to(self.mean.dtype)
        self.mean.lerp_(mean.to(self.mean.dtype), share)
        self.deviation.lerp_(deviation.to(self.mean.dtype), share)
        self.batches += 1

    def _margin(self, cosine: Tensor, embeddings: Tensor) -> Tensor:
        with torch.no_grad():
            length: Tensor = torch.linalg.vector_norm(embeddings, dim=1)
            quality = ((length - self.mean) / (self.deviation + EPSILON) * self.h).clamp(-1, 1).to(cosine.dtype)
            angle = cosine.clamp(-1, 1).acos() - self.m * quality
        turned: Tensor = torch.where(
            (angle > 0) & (angle < math.pi),
            combined_margin(cosine, m2=-self.m * quality),
            angle.clamp(0, math.pi).cos(),
        )
        return turned - (self.m + self.m * quality)
