"""Is this pair one person? Logistic regression on how two embeddings differ, value by value."""

import math
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.training.large_heads.directions import unit
from mien.training.losses.loss import Indices, Loss, at_least_float32
from mien.training.losses.pairs import as_pairs
from mien.training.losses.ranges import at_least, one_of

Difference = Literal["absolute", "chi_square"]


class SiameseHead(Loss):
    """Cross-entropy of σ(w·δ(f, g) + b) over pairs, where δ says how two embeddings differ, value by value.

    δᵢ is |fᵢ − gᵢ|, or chi-square's (fᵢ − gᵢ)²/(fᵢ + gᵢ). Taigman et al., DeepFace: Closing the Gap to Human-Level
    Performance in Face Verification, CVPR 2014, sections 4.1 and 4.2. Chi-square is for values of at least 0; below the
    line stands |fᵢ| + |gᵢ|, which is the same for those and takes others too. Without `indices_tuple` all pairs of the
    batch are used: N²/2 rows of D values.

    Args:
        embedding_size: D, at least 1.
        difference: ``"absolute"`` or ``"chi_square"``.
        normalize: Whether embeddings are brought to unit length first.
        balanced: Whether mated and non-mated pairs weigh the same together; else each pair does.

    Attributes:
        weight: (D,) w, −1/√D at first: the more they differ, the less they are one person.
        bias: b, 0 at first.

    Raises:
        ValueError: An argument is outside its range.
    """

    def __init__(
        self,
        embedding_size: int,
        difference: Difference = "absolute",
        normalize: bool = True,
        balanced: bool = False,
    ) -> None:
        super().__init__()
        at_least(1, embedding_size=embedding_size)
        one_of(get_args(Difference), difference=difference)
        self.embedding_size = embedding_size
        self.difference, self.normalize, self.balanced = difference, normalize, balanced
        self.weight = nn.Parameter(torch.full((embedding_size,), -1 / math.sqrt(embedding_size)))
        self.bias = nn.Parameter(torch.tensor(0.0))

    def pair_logits(self, first: Tensor, second: Tensor) -> Tensor:
        """w·δ + b of pairs: the log-odds that the head gives for one person.

        Args:
            first: (P, D) raw.
            second: (P, D) raw.

        Returns:
            (P,) float32 or float64.
        """
        first, second = at_least_float32(first), at_least_float32(second)
        if self.normalize:
            first, second = unit(first), unit(second)
        return self._differences(first, second) @ self.weight.to(first.dtype) + self.bias.to(first.dtype)

    def _differences(self, first: Tensor, second: Tensor) -> Tensor:
        difference = first - second
        if self.difference == "absolute":
            return difference.abs()
        total = first.abs() + second.abs()
        return difference.square() / total.where(total > 0, 1)

    def _value(self, embeddings: Tensor, labels: Tensor, indices_tuple: Indices | None) -> Tensor:
        first, second, mated = _pairs(labels, indices_tuple)
        logits = self.pair_logits(embeddings[first], embeddings[second])
        losses = functional.binary_cross_entropy_with_logits(logits, mated.to(logits.dtype), reduction="none")
        if not self.balanced:
            return losses.sum() / max(len(losses), 1)
        shares = [losses[kind].sum() / kind.sum().clamp(min=1) for kind in (mated, ~mated)]
        return (shares[0] + shares[1]) / 2


def _pairs(labels: Tensor, indices_tuple: Indices | None) -> tuple[Tensor, Tensor, Tensor]:
    """(P,) first and second of each pair, and whether they are mated."""
    if indices_tuple is None:
        first, second = torch.triu_indices(len(labels), len(labels), 1, device=labels.device)
        return first, second, labels[first] == labels[second]
    of_mated, positives, of_others, negatives = as_pairs(indices_tuple, labels.device)
    first, second = torch.cat((of_mated, of_others)), torch.cat((positives, negatives))
    return first, second, torch.arange(len(first), device=labels.device) < len(positives)
