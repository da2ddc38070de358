"""Classes as normal distributions."""

from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.training.losses.loss import ClassificationLoss
from mien.training.losses.ranges import at_least, one_of

Covariance = Literal["identity", "diagonal"]


class LargeMarginGaussianMixture(ClassificationLoss):
    """Cross-entropy over the classes' log-densities, with a margin on the own class, plus λ times its negative one.

    d_j = ½·(x − μ_j)ᵀΛ_j⁻¹(x − μ_j) is half the squared Mahalanobis distance. The logits are −d_j − ½·log|Λ_j|, the own
    class's −(1 + α)·d_y − ½·log|Λ_y|; the likelihood term is d_y + ½·log|Λ_y|. All classes are equally likely.

    Wan et al., Rethinking Feature Distribution for Loss Functions in Image Classification, CVPR 2018, section 3. The
    density's constant, D/2·log 2π, is left out.

    Args:
        num_classes: C, at least 2.
        embedding_size: D, at least 1.
        alpha: α, at least 0; 0 for no margin.
        lam: λ, at least 0; 0 for no likelihood term.
        covariance: ``"identity"`` for Λ = I, ``"diagonal"`` for one of each class, learnt.

    Attributes:
        weight: (C, D) the means μ.
        log_variance: (C, D) the logarithms of the diagonals, 0 at first; None for the identity.

    Raises:
        ValueError: An argument is outside its range.
    """

    log_variance: nn.Parameter | None

    def __init__(
        self,
        num_classes: int,
        embedding_size: int,
        alpha: float = 0.1,
        lam: float = 0.1,
        covariance: Covariance = "identity",
    ) -> None:
        super().__init__(num_classes, embedding_size)
        at_least(0, alpha=alpha, lam=lam)
        one_of(get_args(Covariance), covariance=covariance)
        self.alpha, self.lam, self.covariance = alpha, lam, covariance
        shape = (num_classes, embedding_size)
        self.log_variance = nn.Parameter(torch.zeros(shape)) if covariance == "diagonal" else None

    def _distances(self, embeddings: Tensor) -> Tensor:
        """(N, C) d, as ½xᵀΛ⁻¹x − xᵀΛ⁻¹μ + ½μᵀΛ⁻¹μ: matrix products instead of N·C·D differences."""
        means = self.weight.to(embeddings.dtype)
        if self.log_variance is None:
            squares = embeddings.square().sum(dim=1, keepdim=True) + means.square().sum(dim=1)
            return squares / 2 - embeddings @ means.T
        precision = (-self.log_variance.to(embeddings.dtype)).exp()
        squares = embeddings.square() @ precision.T + (means.square() * precision).sum(dim=1)
        return squares / 2 - embeddings @ (means * precision).T

    def _own_distances(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """(N,) d of each one's class, from the difference itself: right where it is small, and never below 0."""
        squares = (embeddings - self.weight[labels].to(embeddings.dtype)).square()
        if self.log_variance is not None:
            squares = squares * (-self.log_variance[labels].to(embeddings.dtype)).exp()
        return squares.sum(dim=1) / 2

    def _half_log_determinant(self, embeddings: Tensor) -> Tensor:
        """(C,) ½·log|Λ|."""
        if self.log_variance is None:
            return embeddings.new_zeros(self.num_classes)
        return self.log_variance.to(embeddings.dtype).sum(dim=1) / 2

    def _logits(self, embeddings: Tensor) -> Tensor:
        return -self._distances(embeddings) - self._half_log_determinant(embeddings)

    def _margin_logits(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        own = -(1 + self.alpha) * self._own_distances(embeddings, labels)
        own = own - self._half_log_determinant(embeddings)[labels]
        return self._logits(embeddings).scatter(1, labels[:, None], own[:, None])

    def _losses(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        classified = functional.cross_entropy(self._margin_logits(embeddings, labels), labels, reduction="none")
        likelihood = self._own_distances(embeddings, labels) + self._half_log_determinant(embeddings)[labels]
        return classified + self.lam * likelihood
