"""Triplets and pairs of a batch against pytorch-metric-learning's miners and losses, on the same tensors."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from pytorch_metric_learning import losses as peers
from pytorch_metric_learning import miners as peer_miners
from pytorch_metric_learning.distances import LpDistance
from torch import Tensor

from benchmarks.results import table
from mien.training.losses import CrossBatchMemory, MultiSimilarity, Triplet
from mien.training.mining import BatchAll, BatchHard, EasyPositive, SemiHard

BATCH, SIZE, MARGIN, MEMORY = 512, 512, 0.2, 8192
PHOTOS = (4, 32)
ROUNDS = 7
MIEN, LISTS, PEER = "mien", "mien, with a miner's list", "pytorch-metric-learning"
Figures = dict[str, float]
Loss = Callable[[Tensor, Tensor], Tensor]


def measure() -> str:
    """Compare speed in one process for each number of photos, and memory in a process for each contender."""
    return (
        "# Mining within a batch\n\n"
        f"Forward and backward of mining and loss together, batch {BATCH}, embeddings of {SIZE} float32 values, "
        f"{torch.get_num_threads()} threads; triplets by squared Euclidean distance with a margin of {MARGIN}, their "
        "mean over those whose loss is above 0. The contenders take turns in one process on the same tensors; seconds "
        "are the best round's, ratios medians of those within a round. Memory is the peak (VmHWM) of a process of its "
        "own above what libraries and embeddings take. Loss and gradient say by how much mien's differ from the "
        "other's, of the loss and of the greatest value of the gradient. "
        f"The load average was {os.getloadavg()[1]:.1f}: where that is above the cores, others slowed it down, and "
        "ratios tell more than seconds.\n"
        + "".join(map(_comparison, PHOTOS))
        + "\nSemi-hard triplets are all those with d⁺ < d⁻ < d⁺ + α, as pytorch-metric-learning's `TripletMarginMiner` "
        "of type `semihard` lists them. FaceNet's own choice, for each mated pair the nearest negative that is farther "
        "than the positive, is `hardest_semi_hard`; pytorch-metric-learning has no miner for it. "
        f"The memory is full of {MEMORY} embeddings of 128 people, and its loss is over all triplets of the batch with "
        "it, about 270 million, of which pytorch-metric-learning would make a list.\n"
    )


def _comparison(photos: int) -> str:
    figures = _apart("compare", photos)
    memory = {(name, who): _apart("occupy", photos, name, who)["memory"] / 1e6 for name, who in _contenders()}
    rows = []
    for name, who in _contenders():
        key = f"{name}, {who}"
        compared = who != PEER and (name, PEER) in memory
        rows.append(
            (
                name,
                who,
                f"{figures[f'{key}: seconds']:.4f}",
                f"{figures[f'{key}: ratio']:.1f} ×" if compared else "",
                f"{memory[name, who]:.1f}",
                f"{memory[name, PEER] / max(memory[name, who], 0.1):.0f} ×" if compared else "",
                f"{figures[f'{key}: loss']:.0e}" if compared else "",
                f"{figures[f'{key}: gradient']:.0e}" if compared else "",
            )
        )
    return (
        f"\n## {BATCH // photos} people with {photos} photos each\n\n"
        + table(("", "", "seconds", f"{PEER} takes", "memory, MB", f"{PEER} takes", "loss", "gradient"), rows)
        + f"\nThe bound of batch-all is two matrix products, {figures['operations'] / 1e9:.2f} GFLOP: the distances, "
        f"and their gradient. `torch.mm` did {figures['rate'] / 1e9:.0f} GFLOP/s in the same rounds, so "
        f"{1000 * figures['operations'] / figures['rate']:.1f} ms; batch-all takes {figures['above']:.1f} × that, all "
        "else included (median within a round).\n"
    )


def _triplets(miner: torch.nn.Module | None = None) -> Loss:
    return _mined(peers.TripletMarginLoss(MARGIN, distance=_peer_distance()), miner)


def _mined(loss: torch.nn.Module, miner: torch.nn.Module | None) -> Loss:
    return lambda x, y: loss(x, y, None if miner is None else miner(x, y))


def _peer_distance() -> LpDistance:
    return LpDistance(power=2)


def _full_memory() -> Loss:
    """A memory that is full of 128 people, in evaluation mode so that every round meets the same."""
    loss = CrossBatchMemory(SIZE, Triplet(MARGIN), size=MEMORY).eval()
    draws = torch.Generator().manual_seed(1)
    loss.memory.copy_(torch.randn(MEMORY, SIZE, generator=draws))
    loss.whose.copy_(torch.randint(BATCH // min(PHOTOS), (MEMORY,), generator=draws))
    loss.filled.fill_(MEMORY)
    return loss


MAKE: dict[str, dict[str, Callable[[], Loss]]] = {
    "batch-all": {
        MIEN: lambda: Triplet(MARGIN),
        LISTS: lambda: _mined(Triplet(MARGIN), BatchAll(MARGIN)),
        PEER: _triplets,
    },
    "semi-hard": {
        MIEN: lambda: Triplet(MARGIN, mining="semi_hard"),
        LISTS: lambda: _mined(Triplet(MARGIN), SemiHard(MARGIN)),
        PEER: lambda: _triplets(peer_miners.TripletMarginMiner(MARGIN, "semihard", distance=_peer_distance())),
    },
    "batch-hard": {
        MIEN: lambda: Triplet(MARGIN, mining="batch_hard"),
        LISTS: lambda: _mined(Triplet(MARGIN), BatchHard()),
        PEER: lambda: _triplets(peer_miners.BatchHardMiner(distance=_peer_distance())),
    },
    "hardest semi-hard": {MIEN: lambda: Triplet(MARGIN, mining="hardest_semi_hard")},
    "batch-all, soft margin": {
        MIEN: lambda: Triplet(MARGIN, soft=True),
        PEER: lambda: _mined(peers.TripletMarginLoss(MARGIN, smooth_loss=True, distance=_peer_distance()), None),
    },
    "easy positive, semi-hard negative": {
        LISTS: lambda: _mined(Triplet(MARGIN), EasyPositive()),
        PEER: lambda: _triplets(peer_miners.BatchEasyHardMiner("easy", "semihard", distance=_peer_distance())),
    },
    "multi-similarity": {
        MIEN: lambda: MultiSimilarity(2, 50, 0.5, 0.1),
        PEER: lambda: _mined(peers.MultiSimilarityLoss(2, 50, 0.5), peer_miners.MultiSimilarityMiner(0.1)),
    },
    "batch-all with a memory": {MIEN: _full_memory},
}


def _contenders() -> list[tuple[str, str]]:
    return [(name, who) for name, makers in MAKE.items() for who in makers]


def compare(photos: str) -> Figures:
    """Time the contenders in turns, and the product that bounds them."""
    embeddings, labels = _tensors(int(photos))
    made = {(name, who): MAKE[name][who]() for name, who in _contenders()}
    seconds: dict[tuple[str, str], list[float]] = {key: [] for key in made}
    products: list[float] = []
    values: dict[tuple[str, str], tuple[Tensor, Tensor]] = {}
    for _ in range(ROUNDS + 1):
        for key, loss in made.items():
            begun = time.perf_counter()
            values[key] = _step(loss, embeddings, labels)
            seconds[key].append(time.perf_counter() - begun)
        begun = time.perf_counter()
        for _ in range(4):
            torch.mm(embeddings.detach(), embeddings.detach().T)
        products.append((time.perf_counter() - begun) / 4)
    for each in (*seconds.values(), products):
        del each[0]  # the round that warms up
    figures = {
        "operations": 2.0 * 2 * BATCH * BATCH * SIZE,
        "rate": 2 * BATCH * BATCH * SIZE / min(products),
        "above": _ratio(seconds["batch-all", MIEN], products) / 2,
    }
    for (name, who), times in seconds.items():
        label = f"{name}, {who}"
        figures[f"{label}: seconds"] = min(times)
        if who != PEER and (name, PEER) in values:
            (value, gradient), (expected, theirs) = values[name, who], values[name, PEER]
            figures[f"{label}: ratio"] = _ratio(seconds[name, PEER], times)
            figures[f"{label}: loss"] = abs(float(value / expected - 1))
            figures[f"{label}: gradient"] = float((gradient - theirs).abs().max() / theirs.abs().max())
    return figures


def occupy(photos: str, name: str, who: str) -> Figures:
    """Take one contender's memory."""
    embeddings, labels = _tensors(int(photos))
    loss = MAKE[name][who]()
    few = slice(0, None, BATCH // 16)
    _step(loss, embeddings[few].detach().requires_grad_(), labels[few])  # what libraries load at the first call
    before = _peak()
    for _ in range(2):
        _step(loss, embeddings, labels)
    return {"memory": _peak() - before}


PARTS: dict[str, Callable[..., Figures]] = {"compare": compare, "occupy": occupy}


def _tensors(photos: int) -> tuple[Tensor, Tensor]:
    """Embeddings as of a network that has learnt a little: mated pairs are nearer, but not all."""
    torch.manual_seed(0)
    labels = torch.arange(BATCH) // photos
    people = torch.randn(BATCH // photos, SIZE)
    return (0.5 * people[labels] + torch.randn(BATCH, SIZE)).requires_grad_(), labels


def _step(loss: Loss, embeddings: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    value = loss(embeddings, labels)
    (gradient,) = torch.autograd.grad(value, embeddings)
    return value.detach(), gradient


def _ratio(longer: list[float], shorter: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(longer, shorter, strict=True))


def _peak() -> int:
    """Bytes; unlike ru_maxrss, not those of the process that began this one."""
    return int(Path("/proc/self/status").read_text(encoding="utf-8").split("VmHWM:")[1].split()[0]) * 1024


def _apart(*arguments: object) -> Figures:
    command = [sys.executable, "-m", "benchmarks.mining", *map(str, arguments)]
    figures: Figures = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return figures


if __name__ == "__main__":
    print(json.dumps(PARTS[sys.argv[1]](*sys.argv[2:])))
