"""Many comparisons: all pairs of LFW against scikit-learn's ROC, and a million templates searched; each by itself."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, roc_curve

from benchmarks.results import embedded_set, table
from mien.evaluation import Comparisons, score_all_pairs, verification_measures
from mien.progress import reporting
from mien.similarity import top_k

TEMPLATES, PROBES, WIDTH, BEST = 1_000_000, 10_000, 128, 10
Figures = dict[str, float]
T = TypeVar("T")


def measure() -> str:
    """Measure each step in a process of its own, so that its peak memory is its own."""
    ours, peers, rows, search = (_apart(name) for name in STEPS)
    pairs = f"{ours['pairs'] / 1e6:.1f} million"
    return (
        "# Scale\n\nEach table's rows are processes of their own; memory is by how much the step raised the peak of "
        "its process, which held the embeddings or similarities already. CPU seconds are over all cores. "
        f"The load average was {os.getloadavg()[1]:.1f}: where that is above the cores, others slowed it down, and "
        "only CPU seconds and ratios tell.\n\n"
        f"## All pairs of LFW ({ours['photos']:,.0f} photos, {pairs} comparisons; SFace with flip)\n\n"
        + table(
            ("", "seconds", "CPU seconds", "memory, MB", "AUC"),
            [
                ("mien, from embeddings: `score_all_pairs`", *_row(ours)),
                (
                    "mien, every verification measure with 1,000 replicates over people, from these",
                    f"{ours['measures_seconds']:.1f}",
                    f"{ours['measures_cpu']:.1f}",
                    "",
                    "",
                ),
                ("scikit-learn, from the similarities: `roc_curve` alone", *_row(peers)),
            ],
        )
        + f"\nRatio: scikit-learn takes {peers['cpu'] / ours['cpu']:.1f} × the CPU time and "
        f"{peers['memory'] / ours['memory']:.0f} × the memory, for the curve alone and without intervals; it also has "
        "to be given all similarities in an array. AUCs differ by what the bins of 1/2000 blur.\n\n"
        "## Comparisons that are listed\n\n"
        + table(
            ("", "seconds", "CPU seconds"),
            [
                ("6,000 of 4,000 people, 1,000 replicates", f"{rows['few_seconds']:.1f}", f"{rows['few_cpu']:.1f}"),
                ("2,000,000 of unknown people, 1,000 replicates", f"{rows['seconds']:.1f}", f"{rows['cpu']:.1f}"),
            ],
        )
        + f"\n## The {BEST} best of {TEMPLATES:,} templates for each of {PROBES:,} probes ({WIDTH} values each)\n\n"
        + table(
            ("", "seconds", "memory, MB"),
            [
                ("mien: `top_k`, exact", f"{search['seconds']:.0f}", f"{search['memory']:.0f}"),
                (
                    f"the bound: the matrix product alone, at {search['gflops']:.0f} GFLOP/s in the same run",
                    f"{search['bound']:.0f}",
                    "",
                ),
            ],
        )
        + f"\n{search['seconds'] / search['bound']:.2f} × the bound; progress was reported "
        f"{search['reports']:,.0f} times.\n"
    )


def all_pairs() -> Figures:
    """Score and measure all pairs."""
    embeddings, people = _lfw()
    figures, scores = _timed(lambda: score_all_pairs(embeddings, people))
    measured, verification = _timed(lambda: verification_measures(scores))
    return figures | {
        "photos": len(people),
        "pairs": len(people) * (len(people) - 1) // 2,
        "auc": getattr(verification.auc, "value", float("nan")),
        "measures_seconds": measured["seconds"],
        "measures_cpu": measured["cpu"],
    }


def scikit_learn() -> Figures:
    """The same similarities, given whole."""
    embeddings, people = _lfw()
    person = np.unique(people, return_inverse=True)[1]
    count = len(people) * (len(people) - 1) // 2
    similarity, mated, at = np.empty(count, np.float32), np.empty(count, bool), 0
    for row in range(len(people) - 1):
        after = slice(at, at := at + len(people) - 1 - row)
        similarity[after] = embeddings[row + 1 :] @ embeddings[row]
        mated[after] = person[row + 1 :] == person[row]
    figures, _ = _timed(lambda: roc_curve(mated, similarity))
    return figures | {"auc": float(roc_auc_score(mated, similarity))}


def listed() -> Figures:
    """Measure comparisons that are listed one by one."""
    rng = np.random.default_rng(0)

    def drawn(count: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        mated = np.arange(count) % 2 == 0
        return rng.normal(np.where(mated, 0.5, 0.0), 0.12), mated

    people = rng.integers(0, 2000, (6000, 2)) * 2
    people[:, 1] = np.where(np.arange(6000) % 2 == 0, people[:, 0], people[:, 1] + 1)
    few, _ = _timed(lambda: verification_measures(Comparisons(*drawn(6000), people)))
    many, _ = _timed(lambda: verification_measures(Comparisons(*drawn(2_000_000))))
    return many | {"few_seconds": few["seconds"], "few_cpu": few["cpu"]}


def search_a_million() -> Figures:
    """Search in blocks."""
    rng = np.random.default_rng(0)
    templates = rng.standard_normal((TEMPLATES, WIDTH), np.float32)
    probes = templates[:PROBES] + rng.standard_normal((PROBES, WIDTH), np.float32)
    block, columns = probes[:1024], np.ascontiguousarray(templates[:8192].T)
    block @ columns
    start = time.perf_counter()
    for _ in range(20):
        block @ columns
    rate = 20 * 2 * 1024 * 8192 * WIDTH / (time.perf_counter() - start)
    reports = []
    with reporting(lambda label, done, total: reports.append(done)):
        figures, _ = _timed(lambda: top_k(probes, templates, BEST))
    return figures | {
        "gflops": rate / 1e9,
        "bound": 2 * TEMPLATES * PROBES * WIDTH / rate,
        "reports": len(reports),
    }


STEPS: dict[str, Callable[[], Figures]] = {
    "all_pairs": all_pairs,
    "scikit_learn": scikit_learn,
    "listed": listed,
    "search_a_million": search_a_million,
}


def _lfw() -> tuple[NDArray[np.float32], list[str]]:
    faces = embedded_set("lfw", "sface", flip=True)
    return faces.embeddings, [Path(source).parent.name for source in faces.sources]


def _timed(step: Callable[[], T]) -> tuple[Figures, T]:
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    result = step()
    seconds, busy = time.perf_counter() - wall, time.process_time() - cpu
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held
    return {"seconds": seconds, "cpu": busy, "memory": more / 1024}, result


def _apart(step: str) -> Figures:
    done = subprocess.run([sys.executable, "-m", "benchmarks.scale", step], check=True, stdout=subprocess.PIPE)
    figures: Figures = json.loads(done.stdout)
    return figures


def _row(figures: Figures) -> tuple[str, ...]:
    return tuple(
        f"{figures[name]:{how}}"
        for name, how in (("seconds", ".1f"), ("cpu", ".1f"), ("memory", ".0f"), ("auc", ".7f"))
    )


if __name__ == "__main__":
    print(json.dumps(STEPS[sys.argv[1]]()))
