"""What a loss that classifies sees: how near embeddings are to their own class, and what it asks of them."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mien.training.losses import ClassificationLoss
from mien.training.losses.cosines import cosines

BINS = 90
"""Of angles from 0 to 180 degrees."""
OWN, OTHER = "own class", "nearest other class"


class HeadWatch:
    """Angles between embeddings and class vectors, and how often the right class is the nearest, batch by batch."""

    def __init__(self) -> None:
        self.counts: dict[str, NDArray[np.int64]] = {}
        self.begin()

    def begin(self) -> None:
        """Forget the angles seen."""
        self.counts = {name: np.zeros(BINS, np.int64) for name in (OWN, OTHER)}

    @torch.no_grad()
    def see(self, head: ClassificationLoss | None, embeddings: Tensor, labels: Tensor) -> dict[str, float]:
        """Count a batch's angles.

        Args:
            head: The loss; without one there is nothing to see.
            embeddings: (N, D) raw.
            labels: (N,) int64.

        Returns:
            ``accuracy``, the share of the batch that the head would name right.
        """
        if head is None:
            return {}
        labels = labels.to(embeddings.device)
        cosine = class_cosines(head, embeddings)
        own = cosine.gather(1, labels[:, None])[:, 0]
        other = cosine.scatter(1, labels[:, None], -2.0).amax(dim=1)
        for name, values in ((OWN, own), (OTHER, other)):
            degrees = torch.rad2deg(torch.arccos(values.clamp(-1, 1))).cpu().numpy()
            self.counts[name] += np.histogram(degrees, BINS, (0, 180))[0]
        right = head.logits(embeddings).argmax(dim=1) == labels
        return {"accuracy": float(right.float().mean())}

    def rows(self, step: int) -> list[dict[str, Any]]:
        """Rows of the log: the counts of each kind of angle, in bins of 2 degrees."""
        return [
            {"step": step, "kind": name, **{f"{2 * place}": int(count) for place, count in enumerate(counts)}}
            for name, counts in self.counts.items()
            if counts.any()
        ]


def class_cosines(head: ClassificationLoss, embeddings: Tensor) -> Tensor:
    """(N, C) cosines of (N, D) embeddings with the class vectors; of a class with several, the nearest."""
    vectors = _vectors(head)
    cosine = cosines(embeddings, vectors.flatten(0, 1))
    return cosine.view(len(cosine), *vectors.shape[:2]).amax(dim=2)


@torch.no_grad()
def target_logits(head: ClassificationLoss, length: float) -> list[dict[str, float]]:
    """The logit of the own class over the angle to its vector: what the loss asks for, with its margin and without.

    Args:
        head: The loss.
        length: Of the embeddings, for losses that look at it.

    Returns:
        For each of 0, 2, … 180 degrees: ``degrees``, ``logit`` and ``plain``, the logit without margin.
    """
    direction = torch.nn.functional.normalize(_vectors(head)[0, 0], dim=0)
    aside = torch.zeros_like(direction)
    aside[direction.abs().argmin()] = 1
    aside = torch.nn.functional.normalize(aside - (aside @ direction) * direction, dim=0)
    degrees = torch.arange(0, 181, 2, device=direction.device)
    angle = torch.deg2rad(degrees.float())[:, None]
    embeddings = length * (angle.cos() * direction + angle.sin() * aside)
    labels = torch.zeros(len(degrees), dtype=torch.int64, device=direction.device)
    asked, plain = head.margin_logits(embeddings, labels)[:, 0], head.logits(embeddings)[:, 0]
    return [
        {"degrees": float(at), "logit": float(one), "plain": float(other)}
        for at, one, other in zip(degrees, asked, plain, strict=True)
    ]


def _vectors(head: ClassificationLoss) -> Tensor:
    """(C, K, D): the K vectors of each class, one for most losses."""
    return head.weight.flatten(1, -2) if head.weight.ndim > 2 else head.weight[:, None]
