"""Whether 95 % intervals hold the truth 95 times in 100: sets of simulated people are drawn, each measured once."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import table
from mien.evaluation import (
    Comparisons,
    Estimate,
    Measure,
    Searches,
    clopper_pearson,
    identification_measures,
    verification_measures,
)

PEOPLE, TRUTH_PEOPLE = (60, 200), 60_000
SETS, CHUNK = 1600, 100
Draw = Callable[[np.random.Generator, int], Mapping[str, Measure]]
Missed = dict[str, NDArray[np.int64]]
"""Of each measure: how many intervals lay above the truth, how many below, and how many there were."""


def measure() -> str:
    """Count how often the truth lies outside, of verification and of identification."""
    rows = [row for draw in (verification, identification) for row in _rows(draw)]
    return (
        "# How often 95 % intervals hold the truth\n\n"
        f"{SETS:,} sets of simulated people with 2 to 6 photos each, who differ in how hard they are to match and in "
        "how much they resemble others; each set is measured once, and the truth is what "
        f"{TRUTH_PEOPLE:,} people give. In brackets: what so many sets can tell of the share; then how many intervals "
        "lay above the truth, and how many below.\n\n"
        + table(("", *(f"{people} people" for people in PEOPLE)), rows)
        + "\nIntervals are drawn over people (docs/evaluation.md). The interval of a share that only a few errors "
        "decide (rank 1 of so few people) is Clopper and Pearson's, which holds the truth too often rather than too "
        "seldom.\n"
    )


def missed(draw: Draw, people: int, seeds: Sequence[int], truth: Mapping[str, float]) -> Missed:
    """How often each measure's interval on `people` people misses its true value, where so few support one."""
    counts = {name: np.zeros(3, np.int64) for name in truth}
    for seed in seeds:
        for name, found in draw(np.random.default_rng(seed), people).items():
            if isinstance(found, Estimate):
                counts[name] += (found.low > truth[name], found.high < truth[name], 1)
    return counts


def true_values(draw: Draw) -> dict[str, float]:
    """Each measure of a great many people."""
    values = draw(np.random.default_rng(10**6), TRUTH_PEOPLE)
    return {name: found.value for name, found in values.items() if isinstance(found, Estimate)}


def photos_of(people: int) -> NDArray[np.int64]:
    """The photos' people, who have 2 to 6 photos each."""
    return np.repeat(np.arange(people), 2 + np.arange(people) % 5)


def verification(rng: np.random.Generator, people: int) -> dict[str, Measure]:
    """Some people are hard to match, some resemble everybody; 3 mated and 16 non-mated comparisons a person."""
    hard, alike = 0.08 * rng.standard_normal((2, people))
    person = photos_of(people)
    one = np.concatenate([rng.choice(person, 3 * people), rng.choice(person, 16 * people)])
    mated = np.arange(19 * people) < 3 * people
    other = np.where(mated, one, rng.choice(person, 19 * people))
    other = np.where(~mated & (other == one), (one + 1) % people, other)
    level = np.where(mated, 0.6 + hard[one], 0.1 + alike[one] + alike[other])
    similarity = level + 0.12 * rng.standard_normal(19 * people)
    measures = verification_measures(
        Comparisons(similarity, mated, np.stack([one, other], axis=1)),
        threshold=0.4,
        resamples=150 if people < 10_000 else 2,
    )
    assert measures.at_threshold is not None
    return {
        "AUC": measures.auc,
        "EER": measures.eer,
        "accuracy": measures.accuracy,
        "d′": measures.d_prime,
        "average precision": measures.average_precision,
        "precision at recall 0.95": measures.precision_at_recall_095,
        "recall at precision 0.95": measures.recall_at_precision_095,
        "least Cllr": measures.min_cllr,
        "TAR at FAR 1e-2": measures.tar_at_far["1e-2"],
        "FMR": measures.at_threshold.fmr,
        "FNMR": measures.at_threshold.fnmr,
        "F1": measures.at_threshold.f1,
    }


def identification(rng: np.random.Generator, people: int) -> dict[str, Measure]:
    """A third of the people are enrolled; a probe's candidates and its mate shift together with its person."""
    person = photos_of(people)
    shift = 0.08 * rng.standard_normal(people)
    mate = np.where(person % 3 == 0, person, -1)
    own = 0.55 + shift[person] + 0.1 * rng.standard_normal(len(person))
    best_other = 0.3 + shift[person] / 2 + 0.05 * rng.gumbel(size=len(person))
    mated = mate >= 0
    measures = identification_measures(
        Searches(
            similarity=np.where(mated, np.maximum(own, best_other), best_other).astype(np.float32)[:, None],
            candidate=np.zeros((len(person), 1), np.int64),
            mate=mate,
            mate_similarity=np.where(mated, own, np.nan).astype(np.float32),
            mate_rank=np.where(mated, (best_other >= own).astype(np.int64), -1),
            person=person,
            probes=np.arange(len(person)),
            gallery_people=people // 3,
            gallery_templates=people // 3,
        ),
        threshold=0.45,
        resamples=150 if people < 10_000 else 2,
    )
    assert measures.at_threshold is not None
    return {
        "rank 1": measures.rank_1,
        "FNIR at FPIR 0.1": measures.fnir_at_fpir["0.1"],
        "FPIR": measures.at_threshold.fpir,
        "FNIR": measures.at_threshold.fnir,
    }


def _rows(draw: Draw) -> list[tuple[str, ...]]:
    """Of each measure: its name, and how often its intervals held the truth, for each number of people."""
    truth = true_values(draw)
    chunks = [range(start, start + CHUNK) for start in range(0, SETS, CHUNK)]
    with ProcessPoolExecutor() as pool:
        found = [list(pool.map(partial(missed, draw, people, truth=truth), chunks)) for people in PEOPLE]
    return [(name, *(_held(np.sum([part[name] for part in parts], axis=0)) for parts in found)) for name in truth]


def _held(counts: NDArray[np.int64]) -> str:
    above, below, sets = map(int, counts)
    if not sets:
        return "not supported"
    held = clopper_pearson(sets - above - below, sets)
    return f"{100 * held.value:.1f} % ({100 * held.low:.1f}–{100 * held.high:.1f}); {above} + {below}"
