"""Margins that multiply the angle: L-Softmax, and SphereFace's A-Softmax on class vectors of unit length."""

import math

import torch
from torch import Tensor

from mien.training.large_heads.directions import unit
from mien.training.losses.loss import ClassificationLoss
from mien.training.losses.multiple_angle import multiple_angle
from mien.training.losses.ranges import at_least


def psi(cosine: Tensor, m: int) -> Tensor:
    """ψ(θ) = (−1)^k·cos(mθ) − 2k for θ in [kπ/m, (k + 1)π/m], k = 0 … m − 1, where cos θ = `cosine`.

    It falls from 1 at θ = 0 to 1 − 2m at θ = π, with a gradient without steps: cos(mθ) unfolded.

    Liu et al., Large-Margin Softmax Loss for Convolutional Neural Networks, ICML 2016, equation 6.

    Args:
        cosine: (…) of any real dtype.
        m: How many times the angle, at least 1.

    Returns:
        (…) float32 or float64.
    """
    of_multiple, _ = multiple_angle(cosine, m)
    with torch.no_grad():
        k = (cosine.to(of_multiple.dtype).clamp(-1, 1).acos() * (m / math.pi)).floor().clamp(max=m - 1)
        sign = 1 - 2 * (k % 2)
    return sign * of_multiple - 2 * k


class LSoftmax(ClassificationLoss):
    """Cross-entropy over W_j·x with ‖W_y‖‖x‖·(λ·cos θ_y + ψ(θ_y))/(1 + λ) for the own class.

    Liu et al., Large-Margin Softmax Loss for Convolutional Neural Networks, ICML 2016, equations 4 and 6. ψ alone
    doesn't learn from scratch, so λ falls from iteration to iteration: λ = max(λ_min, base·(1 + γ·iteration)^−power),
    the schedule of its authors' code. Each call in training mode is an iteration.

    Args:
        num_classes: C, at least 2.
        embedding_size: D, at least 1.
        m: The margin: how many times the angle, a whole number, at least 1. 1 is the softmax without bias.
        base: λ before the first iteration, at least 0; 0 for the margin at once.
        gamma: γ, at least 0; 0 to keep λ.
        power: How fast λ falls, at least 0.
        lambda_min: What λ doesn't fall below, at least 0.

    Attributes:
        iteration: How many there were.

    Raises:
        ValueError: An argument is outside its range.
    """

    iteration: Tensor

    def __init__(
        self,
        num_classes: int,
        embedding_size: int,
        m: int = 4,
        base: float = 1000.0,
        gamma: float = 0.12,
        power: float = 1.0,
        lambda_min: float = 5.0,
    ) -> None:
        super().__init__(num_classes, embedding_size)
        if m != int(m):
            raise ValueError(f"m must be a whole number, not {m}")
        at_least(1, m=m)
        at_least(0, base=base, gamma=gamma, power=power, lambda_min=lambda_min)
        self.m = int(m)
        self.base, self.gamma, self.power, self.lambda_min = base, gamma, power, lambda_min
        self.register_buffer("iteration", torch.tensor(0))

    @property
    def annealing(self) -> Tensor:
        """λ now: a scalar."""
        return (self.base * (1 + self.gamma * self.iteration.float()) ** -self.power).clamp(min=self.lambda_min)

    def _observe(self, embeddings: Tensor, labels: Tensor) -> None:
        self.iteration += 1

    def _vectors(self, embeddings: Tensor) -> Tensor:
        return self.weight.to(embeddings.dtype)

    def _logits(self, embeddings: Tensor) -> Tensor:
        return embeddings @ self._vectors(embeddings).T

    def _margin_logits(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        vectors, own = self._vectors(embeddings), labels[:, None]
        logits = embeddings @ vectors.T
        plain = logits.gather(1, own)[:, 0]
        length = torch.linalg.vector_norm(embeddings, dim=1) * torch.linalg.vector_norm(vectors[labels], dim=1)
        hard = length * psi(plain / length.where(length > 0, 1), self.m)
        weight = self.annealing.to(hard.dtype)
        return logits.scatter(1, own, ((weight * plain + hard) / (1 + weight))[:, None])


class SphereFace(LSoftmax):
    """Cross-entropy over ‖x‖·cos θⱼ with ‖x‖·(λ·cos θ_y + ψ(θ_y))/(1 + λ) for the own class.

    Liu et al., SphereFace: Deep Hypersphere Embedding for Face Recognition, CVPR 2017, section 3.2, A-Softmax: it is
    L-Softmax on class vectors of unit length. λ as in `LSoftmax`; its authors' code begins at 1000 and ends at 5.

    Args:
        num_classes: C, at least 2.
        embedding_size: D, at least 1.
        m: The margin: how many times the angle, a whole number, at least 1. 1 is `ModifiedSoftmax`.
        base: λ before the first iteration, at least 0; 0 for the margin at once.
        gamma: γ, at least 0; 0 to keep λ.
        power: How fast λ falls, at least 0.
        lambda_min: What λ doesn't fall below, at least 0.

    Attributes:
        iteration: How many there were.

    Raises:
        ValueError: An argument is outside its range.
    """

    def _vectors(self, embeddings: Tensor) -> Tensor:
        return unit(self.weight.to(embeddings.dtype))
