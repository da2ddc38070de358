"""Margin softmax over many classes against pytorch-metric-learning's and the plain formula, on the same tensors."""

import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from pytorch_metric_learning.losses import ArcFaceLoss
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.results import table
from mien.training.large_heads import PartialFC, RowSGD, head_memory, margin_cross_entropy
from mien.training.large_heads.products import product
from mien.training.losses import ArcFace, arc_margin

BATCH, SIZE, SCALE, MARGIN = 512, 512, 64.0, 0.5
ROUNDS = {10_000: 15, 100_000: 5}
MANY, SHARE, STEPS = 1_000_000, 0.1, 3
SMALL = 1_000
MIEN, IN_BFLOAT16 = "mien: `ArcFace`", "mien: `margin_cross_entropy`, products in bfloat16"
PEER, FORMULA = "pytorch-metric-learning", "the formula in plain PyTorch"
Figures = dict[str, float]
Loss = Callable[[Tensor, Tensor], Tensor]


def measure() -> str:
    """Compare speed in one process for each number of classes, and memory in a process for each contender."""
    return (
        "# Heads over many classes\n\n"
        f"ArcFace (s {SCALE:g}, m {MARGIN}) forward and backward, batch {BATCH}, embeddings of {SIZE} float32 values, "
        f"{torch.get_num_threads()} threads that wait without spinning (`OMP_WAIT_POLICY=passive`; spinning on busy "
        "cores costs chunks most). The contenders take turns in one process on the same tensors; seconds, and CPU "
        "seconds over all threads, are the best round's, ratios medians of those of seconds within a round. Memory is "
        "the peak (VmHWM) of a process of its own above what it had taken for a small head: weights, their gradient, "
        "and all that comes and goes. "
        f"The load average was {os.getloadavg()[1]:.1f}: where that is above the cores, others slowed it down, and "
        "ratios and CPU seconds tell more than seconds.\n" + "".join(map(_comparison, ROUNDS)) + _a_million()
    )


def _comparison(classes: int) -> str:
    figures = _apart("compare", classes)
    memory = {name: _apart("occupy", classes, name)["memory"] / 1e6 for name in CONTENDERS}
    need = head_memory(classes, SIZE, BATCH)
    return (
        f"\n## {classes:,} classes\n\n"
        + table(
            ("", "seconds", "CPU seconds", f"{PEER} takes", "memory, MB", f"{PEER} takes"),
            [
                (
                    name,
                    f"{figures[f'{name}: seconds']:.3f}",
                    f"{figures[f'{name}: cpu']:.3f}",
                    f"{figures[f'{name}: ratio']:.2f} ×",
                    f"{memory[name]:.0f}",
                    f"{memory[PEER] / memory[name]:.1f} ×",
                )
                for name in CONTENDERS
            ],
        )
        + f"\nThe bound is three matrix products, {figures['operations'] / 1e9:.0f} GFLOP. In the same rounds mien's "
        f"product did {figures['rate'] / 1e9:.0f} GFLOP a CPU second at best, `torch.mm` {figures['mm'] / 1e9:.0f}: "
        f"{figures['operations'] / figures['rate']:.3f} CPU seconds, of which a step takes "
        f"{figures[f'{MIEN}: cpu'] * figures['rate'] / figures['operations']:.2f} ×. "
        f"`head_memory` says {need.total / 1e6:.0f} MB, {(need.weights + need.gradient) / 1e6:.0f} of them weights and "
        f"their gradient. From {PEER} the loss differs by {figures['loss']:.1e} of itself, and gradients by at most "
        f"{figures['gradient']:.1e} of their greatest value.\n"
    )


def _a_million() -> str:
    figures = _apart("sample")
    need = head_memory(MANY, SIZE, BATCH, share=SHARE, momentum=True)
    parts = ("weights", "gradient", "optimiser", "working", "total")
    return (
        f"\n## PartialFC: {MANY:,} classes, {SHARE:.0%} of them in a step\n\n"
        + table(
            ("MB", *parts),
            [
                ("`head_memory`, beforehand", *(f"{getattr(need, part) / 1e6:.0f}" for part in parts)),
                ("measured", "", "", "", "", f"{figures['memory'] / 1e6:.0f}"),
            ],
        )
        + f"\nThe whole process peaked at {figures['peak'] / 1e9:.2f} GB, momentum of all classes included. The best "
        f"of {STEPS} steps took {figures['step']:.2f} s ({figures['step cpu']:.2f} CPU seconds) forward and backward "
        f"over {figures['rows']:,.0f} classes, and {figures['move']:.2f} s ({figures['move cpu']:.2f}) to move them.\n"
    )


def _mien(weight: Tensor) -> tuple[Loss, nn.Parameter]:
    loss = ArcFace(len(weight), SIZE, s=SCALE, m=MARGIN)
    loss.weight.data.copy_(weight)
    return loss, loss.weight


def _in_bfloat16(weight: Tensor) -> tuple[Loss, nn.Parameter]:
    own = nn.Parameter(weight)
    loss = partial(margin_cross_entropy, scale=SCALE, margin=partial(arc_margin, m=MARGIN), dtype=torch.bfloat16)
    return (lambda embeddings, labels: loss(embeddings, own, labels).mean()), own


def _peer(weight: Tensor) -> tuple[Loss, nn.Parameter]:
    loss = ArcFaceLoss(len(weight), SIZE, margin=math.degrees(MARGIN), scale=SCALE)
    loss.W = nn.Parameter(weight.T.contiguous())
    return loss, loss.W


def _formula(weight: Tensor) -> tuple[Loss, nn.Parameter]:
    own = nn.Parameter(weight)

    def loss(embeddings: Tensor, labels: Tensor) -> Tensor:
        cosine = functional.normalize(embeddings) @ functional.normalize(own).T
        target = arc_margin(cosine.gather(1, labels[:, None]), MARGIN)
        return functional.cross_entropy(SCALE * cosine.scatter(1, labels[:, None], target), labels)

    return loss, own


CONTENDERS: dict[str, Callable[[Tensor], tuple[Loss, nn.Parameter]]] = {
    MIEN: _mien,
    IN_BFLOAT16: _in_bfloat16,
    PEER: _peer,
    FORMULA: _formula,
}


def compare(classes: str) -> Figures:
    """Time the contenders in turns, and the products that bound them."""
    embeddings, labels, weight = _tensors(int(classes))
    heads = {name: make(weight) for name, make in CONTENDERS.items()}
    block, batch = weight[:4096], embeddings.detach()
    products: dict[str, Callable[[], Tensor]] = {
        "product": lambda: product(block, batch, torch.float32),
        "mm": lambda: block @ batch.T,
    }
    seconds: dict[str, list[float]] = {name: [] for name in [*heads, *products]}
    cpu: dict[str, list[float]] = {name: [] for name in seconds}
    values: dict[str, Tensor] = {}
    for _ in range(ROUNDS[len(weight)] + 1):
        for name, (loss, own) in heads.items():
            own.grad = embeddings.grad = None
            with _timed(seconds[name], cpu[name]):
                values[name] = _step(loss, embeddings, labels)
        for name, multiply in products.items():
            for _ in range(4):
                with _timed(seconds[name], cpu[name]):
                    multiply()
    for name in heads:
        del seconds[name][0], cpu[name][0]  # the round that warms up
    theirs, ours = _gradient(heads[PEER][1]), _gradient(heads[MIEN][1]).T
    return {
        "operations": 3 * 2 * BATCH * SIZE * len(weight),
        "rate": 2 * BATCH * SIZE * len(block) / min(cpu["product"]),
        "mm": 2 * BATCH * SIZE * len(block) / min(cpu["mm"]),
        "loss": abs(float(values[MIEN] / values[PEER] - 1)),
        "gradient": float((ours - theirs).abs().max() / theirs.abs().max()),
        **{f"{name}: seconds": min(seconds[name]) for name in heads},
        **{f"{name}: cpu": min(cpu[name]) for name in heads},
        **{
            f"{name}: ratio": statistics.median(a / b for a, b in zip(seconds[PEER], seconds[name], strict=True))
            for name in heads
        },
    }


def occupy(classes: str, name: str) -> Figures:
    """Take one contender's memory."""
    peaks = []
    for count in (SMALL, int(classes)):
        embeddings, labels, weight = _tensors(count)
        loss, own = CONTENDERS[name](weight)
        del weight
        for _ in range(2):
            own.grad = embeddings.grad = None
            _step(loss, embeddings, labels)
        peaks.append(_peak())
    return {"memory": peaks[1] - peaks[0]}


def sample() -> Figures:
    """Train a head of very many classes for a few steps."""
    _train(SMALL)
    before = _peak()
    figures = _train(MANY)
    return figures | {"memory": _peak() - before, "peak": _peak()}


def _train(classes: int) -> Figures:
    head = PartialFC(classes, SIZE, margin=partial(arc_margin, m=MARGIN), s=SCALE, share=SHARE)
    optimiser = RowSGD(head.parameters(), lr=0.1, weight_decay=5e-4)
    times: tuple[list[float], ...] = [], [], [], []
    for _ in range(STEPS):
        embeddings, labels = torch.randn(BATCH, SIZE, requires_grad=True), torch.randint(classes, (BATCH,))
        optimiser.zero_grad()
        with _timed(*times[:2]):
            _step(head, embeddings, labels)
        with _timed(*times[2:]):
            optimiser.step()
    best = dict(zip(("step", "step cpu", "move", "move cpu"), map(min, times), strict=True))
    return best | {"rows": len(_gradient(head.weight)._values())}


PARTS: dict[str, Callable[..., Figures]] = {"compare": compare, "occupy": occupy, "sample": sample}


def _tensors(classes: int) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    weight = torch.randn(classes, SIZE).div_(SIZE**0.5)
    return torch.randn(BATCH, SIZE, requires_grad=True), torch.randint(classes, (BATCH,)), weight


def _step(loss: Loss, embeddings: Tensor, labels: Tensor) -> Tensor:
    value = loss(embeddings, labels)
    torch.autograd.backward(value)
    return value.detach()


def _gradient(weight: nn.Parameter) -> Tensor:
    assert weight.grad is not None
    return weight.grad


@contextmanager
def _timed(seconds: list[float], cpu: list[float]) -> Iterator[None]:
    wall, busy = time.perf_counter(), time.process_time()
    yield
    cpu.append(time.process_time() - busy)
    seconds.append(time.perf_counter() - wall)


def _peak() -> int:
    """Bytes; unlike ru_maxrss, not those of the process that began this one."""
    return int(Path("/proc/self/status").read_text(encoding="utf-8").split("VmHWM:")[1].split()[0]) * 1024


def _apart(*arguments: object) -> Figures:
    command = [sys.executable, "-m", "benchmarks.heads", *map(str, arguments)]
    # Threads that spin while they wait for one that has no core would make times a matter of what else runs.
    waiting = {**os.environ, "OMP_WAIT_POLICY": "passive"}
    figures: Figures = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=waiting).stdout)
    return figures


if __name__ == "__main__":
    print(json.dumps(PARTS[sys.argv[1]](*sys.argv[2:])))
