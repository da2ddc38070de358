"""Several centres a class, so that wrong labels and unusual photos can have their own."""

import math

import torch
from torch import Tensor, nn

from mien.training.losses.arcface import ArcFace
from mien.training.losses.cosines import cosines
from mien.training.losses.loss import ClassificationLoss
from mien.training.losses.ranges import at_least


class SubCenterArcFace(ArcFace):
    """ArcFace where a class's cos θⱼ is the greatest over its K sub-centres.

    Deng et al., Sub-center ArcFace: Boosting Face Recognition by Large-Scale Noisy Web Faces, ECCV 2020, section 3.2.

    Args:
        num_classes: C, at least 2.
        embedding_size: D, at least 1.
        s: The scale, above 0.
        m: The margin in radians, from 0 to π.
        sub_centers: K, at least 1; 1 is `ArcFace`.

    Attributes:
        weight: (C, K, D) the sub-centres.

    Raises:
        ValueError: An argument is outside its range.
    """

    def __init__(
        self, num_classes: int, embedding_size: int, s: float = 64.0, m: float = 0.5, sub_centers: int = 3
    ) -> None:
        super().__init__(num_classes, embedding_size, s, m)
        at_least(1, sub_centers=sub_centers)
        self.sub_centers = sub_centers
        self.weight = nn.Parameter(torch.randn(num_classes, sub_centers, embedding_size) / math.sqrt(embedding_size))

    def _cosines(self, embeddings: Tensor) -> Tensor:
        of_all = cosines(embeddings, self.weight.flatten(0, 1))
        return of_all.view(-1, self.num_classes, self.sub_centers).max(dim=2).values

    def _losses(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        # The logits of other classes change too, which the sum over chunks of classes doesn't know.
        return ClassificationLoss._losses(self, embeddings, labels)
