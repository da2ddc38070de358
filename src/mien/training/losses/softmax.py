"""The softmaxes without margin: linear, on unit class vectors, and on the cosine."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.training.large_heads.directions import unit
from mien.training.losses.cosines import cosines
from mien.training.losses.loss import ClassificationLoss
from mien.training.losses.ranges import above


class Softmax(ClassificationLoss):
    """Cross-entropy over the linear layer Wx + b: −log(e^{W_y·x + b_y} / Σⱼ e^{W_j·x + b_j}).

    Args:
        num_classes: C, at least 2.
        embedding_size: D, at least 1.

    Attributes:
        weight: (C, D).
        bias: (C,), 0 at first.
    """

    def __init__(self, num_classes: int, embedding_size: int) -> None:
        super().__init__(num_classes, embedding_size)
        self.bias = nn.Parameter(torch.zeros(num_classes))

    def _logits(self, embeddings: Tensor) -> Tensor:
        return functional.linear(embeddings, self.weight.to(embeddings.dtype), self.bias.to(embeddings.dtype))


class ModifiedSoftmax(ClassificationLoss):
    """Cross-entropy over ‖x‖·cos θⱼ: the linear layer with ‖W_j‖ = 1 and no bias.

    Liu et al., SphereFace: Deep Hypersphere Embedding for Face Recognition, CVPR 2017, section 3.1.

    Args:
        num_classes: C, at least 2.
        embedding_size: D, at least 1.
    """

    def _logits(self, embeddings: Tensor) -> Tensor:
        return embeddings @ unit(self.weight.to(embeddings.dtype)).T


class NormFace(ClassificationLoss):
    """Cross-entropy over s·cos θⱼ: embeddings and class vectors of unit length, times a scale.

    Wang et al., NormFace: L2 Hypersphere Embedding for Face Verification, ACM Multimedia 2017, section 3.
    The loss can't fall below log(1 + (C − 1)·e^{−s·C/(C−1)}) (their proposition 2, with ℓ² = s), so a small s hurts.

    Args:
        num_classes: C, at least 2.
        embedding_size: D, at least 1.
        s: The scale, above 0.
        learn_scale: Whether s is learnt too.

    Raises:
        ValueError: A size or the scale is too small.
    """

    def __init__(self, num_classes: int, embedding_size: int, s: float = 30.0, learn_scale: bool = False) -> None:
        super().__init__(num_classes, embedding_size)
        above(0, s=s)
        self.s = nn.Parameter(torch.tensor(float(s)), requires_grad=learn_scale)

    def _logits(self, embeddings: Tensor) -> Tensor:
        return self.s.to(embeddings.dtype) * cosines(embeddings, self.weight)
