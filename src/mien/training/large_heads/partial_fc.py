"""A margin softmax whose classes are too many for one step, or for one process."""

import math

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed import ProcessGroup

from mien.training.large_heads.across_processes import gathered, log_sum_exp, summed
from mien.training.large_heads.directions import unit
from mien.training.large_heads.huge_pages import on_huge_pages
from mien.training.large_heads.margin_cross_entropy import Margin, with_margin
from mien.training.large_heads.sampled_classes import sampled_classes
from mien.training.large_heads.target_and_rest import TargetAndRest, target_and_rest


class PartialFC(nn.Module):
    """Margin cross-entropy over the classes of the batch and a random share of the others, drawn at each step.

    An et al., Partial FC: Training 10 Million Identities on a Single Machine, ICCV workshops 2021; An et al., Killing
    Two Birds with One Stone: Efficient and Robust Training of Face Recognition CNNs by Partial FC, CVPR 2022. With a
    share of 1 it is `margin_cross_entropy`, as it always is in `eval()`.

    With `group`, each of its processes holds about C/P classes in a row, and draws from these. A process calls it with
    its own part of the batch; the loss is the whole batch's mean, the same in all of them. Keep the head out of
    DistributedDataParallel, which would mix the classes of different processes.

    The gradient of `weight` is sparse where classes are drawn: optimise with `RowSGD`, or an optimiser that takes such.
    `head_memory` says beforehand what a head needs.

    Args:
        num_classes: C, at least 2, and at least one for each process.
        embedding_size: D, at least 1.
        margin: Of the own class, from (N,) cosines in [−1, 1]; `partial(arc_margin, m=0.5)` for ArcFace.
        s: The scale, above 0.
        share: Of the classes, in (0, 1].
        seed: Of the first weights and of the draws.
        dtype: What the matrix products are computed in; None for float32 at least.
        group: The processes that share the classes; None if this one has them all.
        averaged: Whether the network before runs under DistributedDataParallel, which divides its gradients by the
            number of processes; the embeddings' gradients are then multiplied by it.

    Attributes:
        weight: (C, D) or this process's share of it.
        classes: The classes whose vectors they are.

    Raises:
        ValueError: An argument is outside its range.
    """

    def __init__(
        self,
        num_classes: int,
        embedding_size: int,
        *,
        margin: Margin,
        s: float = 64.0,
        share: float = 0.1,
        seed: int = 0,
        dtype: torch.dtype | None = None,
        group: ProcessGroup | None = None,
        averaged: bool = False,
    ) -> None:
        super().__init__()
        processes = dist.get_world_size(group) if group else 1
        rank = dist.get_rank(group) if group else 0
        if num_classes < max(2, processes) or embedding_size < 1:
            raise ValueError(f"{num_classes} classes of {embedding_size} values over {processes} processes are too few")
        if not 0 < share <= 1 or not (s > 0 and math.isfinite(s)):
            raise ValueError(f"share {share} must be in (0, 1], and s {s} above 0")
        self.num_classes, self.embedding_size = num_classes, embedding_size
        self.margin, self.s, self.share, self.dtype = margin, s, share, dtype
        self.group, self.factor = group, float(processes) if averaged else 1.0
        self.classes = range(num_classes * rank // processes, num_classes * (rank + 1) // processes)
        self.generator = torch.Generator().manual_seed(seed + rank)
        self.weight = nn.Parameter(on_huge_pages(len(self.classes), embedding_size))
        nn.init.normal_(self.weight, std=embedding_size**-0.5, generator=self.generator)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The mean loss.

        Args:
            embeddings: (n, D) floating, raw.
            labels: (n,) integer, 0 … C − 1.

        Returns:
            A scalar.

        Raises:
            ValueError: The shapes don't fit, or a label is not one of the classes.
        """
        self._check(embeddings, labels)
        embeddings, labels = embeddings.to(torch.promote_types(embeddings.dtype, torch.float32)), labels.long()
        if self.group:
            embeddings, labels = gathered(embeddings, self.group, self.factor), gathered(labels, self.group)
        rows, positions = self._drawn(labels - self.classes.start)
        logits = target_and_rest(unit(embeddings) * self.s, self.weight, positions, rows=rows, dtype=self.dtype)
        if self.group:
            logits = TargetAndRest(summed(logits.target, self.group), log_sum_exp(logits.rest, self.group))
        return with_margin(logits, self.s, self.margin).mean()

    def get_extra_state(self) -> Tensor:
        """Where the draws are, so that training goes on from a checkpoint as if it had not stopped."""
        return self.generator.get_state()

    def set_extra_state(self, state: Tensor) -> None:
        """Go on drawing from there."""
        self.generator.set_state(state)

    def _drawn(self, labels: Tensor) -> tuple[Tensor | None, Tensor]:
        """The rows of `weight` that take part, None for all, and each sample's class among them, −1 for not here."""
        here = (labels >= 0) & (labels < len(self.classes))
        if self.share == 1 or not self.training:
            return None, labels.where(here, -1)
        rows = sampled_classes(labels[here], len(self.classes), self.share, self.generator)
        return rows, torch.searchsorted(rows, labels).where(here, -1)

    def _check(self, embeddings: Tensor, labels: Tensor) -> None:
        if embeddings.ndim != 2 or embeddings.shape[1] != self.embedding_size:
            raise ValueError(f"embeddings must be (n, {self.embedding_size}), not {tuple(embeddings.shape)}")
        if labels.shape != embeddings.shape[:1]:
            raise ValueError(f"labels of shape {tuple(labels.shape)} for {len(embeddings)} embeddings")
        least, greatest = labels.aminmax() if len(labels) else (0, 0)
        if not 0 <= least <= greatest < self.num_classes:
            raise ValueError(f"labels must lie in 0 … {self.num_classes - 1}, not {int(least)} … {int(greatest)}")
