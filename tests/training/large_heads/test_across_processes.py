from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.multiprocessing.spawn import spawn

from divided_classes import MARGIN, SCALE, take_part
from mien.training.large_heads import margin_cross_entropy

PROCESSES, CLASSES, SIZE = 2, 11, 6
COUNTS = [4, 3]  # the last batch of an epoch needn't be even


def batch() -> tuple[Tensor, list[Tensor], list[Tensor]]:
    generator = torch.Generator().manual_seed(5)
    weight = torch.randn(CLASSES, SIZE, dtype=torch.float64, generator=generator)
    embeddings = torch.randn(sum(COUNTS), SIZE, dtype=torch.float64, generator=generator)
    labels = torch.tensor([0, 10, 4, 5, 5, 10, 2])
    return weight, list(torch.split(embeddings, COUNTS)), list(torch.split(labels, COUNTS))


def of_processes(folder: Path, share: float, averaged: bool = False) -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
    torch.save(batch(), folder / "batch.pt")
    spawn(take_part, (PROCESSES, folder, share, averaged), nprocs=PROCESSES)  # type: ignore[no-untyped-call]
    return [torch.load(folder / f"result-{rank}.pt") for rank in range(PROCESSES)]


def of_one_process(classes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The loss, and the gradients of the embeddings and of all weights, where only some classes take part."""
    weight, parts, labels = batch()
    embeddings = torch.cat(parts).requires_grad_()
    weight.requires_grad_()
    positions = torch.searchsorted(classes, torch.cat(labels))
    loss = margin_cross_entropy(embeddings, weight[classes], positions, scale=SCALE, margin=MARGIN).mean()
    to_embeddings, to_weight = torch.autograd.grad(loss, (embeddings, weight))
    return loss.detach(), to_embeddings, to_weight


@pytest.mark.parametrize(("share", "averaged"), [(1.0, False), (0.6, True)])
def test_two_processes_are_one(tmp_path: Path, share: float, averaged: bool) -> None:
    results = of_processes(tmp_path, share, averaged)
    classes = torch.cat([rows for *_, rows in results])
    assert len(classes) == (CLASSES if share == 1 else 7)  # ⌈0.6 · 5⌉ + ⌈0.6 · 6⌉
    loss, to_embeddings, to_weight = of_one_process(classes)
    for each, *_ in results:
        torch.testing.assert_close(each, loss, rtol=1e-12, atol=0)
    torch.testing.assert_close(torch.cat([weights for _, _, weights, _ in results]), to_weight, rtol=1e-10, atol=1e-14)
    # DistributedDataParallel divides by the number of processes afterwards.
    factor = PROCESSES if averaged else 1
    torch.testing.assert_close(
        torch.cat([embeddings for _, embeddings, *_ in results]), factor * to_embeddings, rtol=1e-10, atol=1e-14
    )
