"""Heads over s·cos θ, with a margin on the cosine of a sample's own class."""

from torch import Tensor

from mien.training.large_heads import margin_cross_entropy
from mien.training.losses.cosines import cosines
from mien.training.losses.loss import ClassificationLoss
from mien.training.losses.ranges import above


class CosineHead(ClassificationLoss):
    """Cross-entropy over s·cos θⱼ, where the own class has s·φ(cos θ_y) instead. A new one says what φ is: `_margin`.

    Args:
        num_classes: C, at least 2.
        embedding_size: D, at least 1.
        s: The scale, above 0.

    Raises:
        ValueError: A size or the scale is too small.
    """

    def __init__(self, num_classes: int, embedding_size: int, s: float) -> None:
        super().__init__(num_classes, embedding_size)
        above(0, s=s)
        self.s = s

    def _margin(self, cosine: Tensor, embeddings: Tensor) -> Tensor:
        """φ: (N,) from the (N,) cosines of (N, D) embeddings with their own class's vector."""
        return cosine

    def _cosines(self, embeddings: Tensor) -> Tensor:
        return cosines(embeddings, self.weight)

    def _logits(self, embeddings: Tensor) -> Tensor:
        return self.s * self._cosines(embeddings)

    def _margin_logits(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        cosine, own = self._cosines(embeddings), labels[:, None]
        target = self._margin(cosine.gather(1, own)[:, 0], embeddings)
        return (self.s * cosine).scatter_(1, own, self.s * target[:, None])

    def _losses(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """As cross-entropy of `_margin_logits`, without (N, C) values at once where classes are many."""

        def margin(cosine: Tensor) -> Tensor:
            return self._margin(cosine, embeddings)

        return margin_cross_entropy(embeddings, self.weight, labels, scale=self.s, margin=margin)
