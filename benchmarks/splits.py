"""Own people calibrate, other people judge: many splits of the people of one set."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import KEPT, PHOTOS, embedded_set
from mien.decisions import Rate
from mien.evaluation import EDGES, FalseMatches, measure_false_matches, score_all_pairs
from mien.evaluation.intervals.proportions import clopper_pearson_limits, effective_trials
from mien.faces import FaceTable
from mien.progress import track

SETS = ("celeba_test", "pins", "cfp", "rof", "att", "utkface", "lfw")
RATES = (1e-2, 1e-3, 1e-4)
MOST_PHOTOS = 30
"""Of each person, drawn: two hundred splits take minutes then."""
MOST_PEOPLE_JUDGED = 0.03
"""Comparisons below the threshold for this false match rate are not kept; nobody asks for more."""


@dataclass(frozen=True, eq=False)
class Population:
    """Photos of some people: (N, D) embeddings and (N,) int64 numbers of people, rising."""

    embeddings: NDArray[np.float32]
    person: NDArray[np.int64]

    @cached_property
    def people(self) -> int:
        return int(self.person.max()) + 1

    def some(self, people: NDArray[np.int64], photos: int, rng: np.random.Generator) -> "Population":
        """Some photos, drawn, of some people."""
        rows = rng.permutation(np.flatnonzero(np.isin(self.person, people)))
        rows = rows[np.argsort(self.person[rows], kind="stable")]
        first = np.searchsorted(self.person[rows], self.person[rows])
        rows = np.sort(rows[np.arange(len(rows)) - first < photos])
        return Population(self.embeddings[rows], np.unique(self.person[rows], return_inverse=True)[1])


@dataclass(frozen=True)
class Judged:
    """What one split says of one asked rate, and the counted false match rate on the people it did not see.

    `low` and `high` are the stated interval around `value`; `judge_low` and `judge_high` that of `got` itself.
    """

    asked: float
    value: float
    low: float
    high: float
    modelled: bool
    got: float
    judge_low: float
    judge_high: float

    @property
    def ratio(self) -> float:
        return self.got / self.asked

    @property
    def covered(self) -> bool:
        return holds_the_truth(Rate(self.value, self.low, self.high), Rate(self.got, self.judge_low, self.judge_high))


def holds_the_truth(stated: Rate, judge: Rate) -> bool:
    """Whether a stated interval holds the population's rate, as far as the judging people can tell.

    The judge is a sample too. The difference of two independent estimates has the sum of their variances, so the stated
    half-width and the judge's are added as squares, on a logarithmic scale; the judge's error is then not charged to
    the stated interval. (A split of a finite set into people who calibrate and people who judge has exactly this
    variance, because what one half has too much the other has too little.)
    """
    if judge.value == 0:
        return stated.low <= judge.high
    away = np.log(judge.value / stated.value)
    reach, judges = (
        (stated.high / stated.value, judge.value / max(judge.low, 1e-300))
        if away > 0
        else (stated.value / max(stated.low, 1e-300), judge.high / judge.value)
    )
    return bool(abs(away) <= np.hypot(np.log(reach), np.log(judges)))


@dataclass(frozen=True)
class Split:
    """One draw of people: what they support and how it was judged; rates that they don't support are missing."""

    counted: float | None
    modelled: float | None
    judged: tuple[Judged, ...]


class Judge:
    """The non-mated comparisons of a set above a similarity, by people; each pair of people weighs the same."""

    def __init__(self, population: Population) -> None:
        self.people = population.people
        photos = np.bincount(population.person)
        units, person = population.embeddings, population.person
        rng = np.random.default_rng(0)
        some = rng.integers(0, len(person), (2, 1_000_000))
        some = some[:, person[some[0]] != person[some[1]]]
        weight = 1 / (photos[person[some[0]]] * photos[person[some[1]]])
        similarity = np.einsum("nd,nd->n", units[some[0]], units[some[1]])
        order = np.argsort(-similarity)
        total = np.cumsum(weight[order])
        least = similarity[order][int(np.searchsorted(total, MOST_PEOPLE_JUDGED * total[-1]))]
        found: list[tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]] = []
        for start in range(0, len(person), 1000):
            block = units[start : start + 1000] @ units[start:].T
            row, column = np.nonzero(block >= least)
            apart = person[start + row] < person[start + column]
            row, column = row[apart], column[apart]
            found.append((block[row, column], person[start + row], person[start + column]))
        similarity, first, second = (np.concatenate(part) for part in zip(*found, strict=True))
        order = np.argsort(-similarity, kind="stable")
        self.similarity, self.first, self.second = similarity[order], first[order], second[order]
        self.weight: NDArray[np.float64] = 1 / (photos[self.first] * photos[self.second])

    def rates(self, people: NDArray[np.int64], thresholds: list[float]) -> Iterator[tuple[float, float, float]]:
        """The false match rate among `people` at each threshold, with its interval over them."""
        inside = np.zeros(self.people, bool)
        inside[people] = True
        kept = inside[self.first] & inside[self.second]
        similarity, first, second = self.similarity[kept], self.first[kept], self.second[kept]
        weight, n = self.weight[kept], len(people)
        pairs = n * (n - 1) / 2
        for threshold in thresholds:
            above = slice(0, int(np.searchsorted(-similarity, -threshold, side="right")))
            rate = float(weight[above].sum() / pairs)
            by_person = np.bincount(first[above], weight[above], self.people) + np.bincount(
                second[above], weight[above], self.people
            )
            influence = np.asarray(by_person[people] - rate * (n - 1), np.float64)[:, None]
            pair, place = np.unique(first[above] * self.people + second[above], return_inverse=True)
            shared = max(float((np.bincount(place, weight[above], len(pair)) ** 2).sum()) - rate**2 * pairs, 0.0)
            spread = n * (n - 1) / (n - 2) ** 2 * float((influence**2).sum())
            variance = np.array([max(spread - shared, rate * (1 - rate)) / pairs**2])
            trials = effective_trials(np.array([rate]), influence, variance, bounds=(n / 2, max(n, 1e12)), lend=False)
            low, high = clopper_pearson_limits(rate * trials, trials)
            yield rate, min(float(low[0]), rate), max(float(high[0]), rate)


def splits_of(name: str, population: Population, judge: Judge, people: int, photos: int, splits: int) -> list[Split]:
    """Draw people, calibrate on them, judge on the others; kept in bench-results/, as this takes a while."""
    kept = KEPT / "transfer" / f"{name.replace(' ', '-')}-{people}-{photos}-{splits}.json"
    if kept.exists():
        return [
            Split(each["counted"], each["modelled"], tuple(Judged(**judged) for judged in each["judged"]))
            for each in json.loads(kept.read_text())
        ]
    done = [
        _split(population, judge, people, photos, seed)
        for seed in track(range(splits), f"{name}: {people} people, {photos} photos")
    ]
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps([asdict(each) for each in done]))
    return done


def threshold_of(rates: FalseMatches, asked: float) -> float:
    """The lowest similarity on `EDGES` at which the rate is the asked one or less."""
    return float(EDGES[np.searchsorted(-rates.curve.value, -asked)])


def _split(population: Population, judge: Judge, people: int, photos: int, seed: int) -> Split:
    rng = np.random.default_rng(seed)
    order = rng.permutation(population.people)
    seen = population.some(order[:people], photos, rng)
    rates = measure_false_matches(score_all_pairs(seen.embeddings, seen.person.astype(str).tolist()))
    smallest = rates.smallest_modelled or rates.smallest_counted or 1.0
    asked = [rate for rate in RATES if rate >= smallest]
    thresholds = [threshold_of(rates, rate) for rate in asked]
    judged = []
    for rate, threshold, (got, low, high) in zip(
        asked, thresholds, judge.rates(np.sort(order[people:]), thresholds), strict=True
    ):
        stated = rates.curve.at(threshold, EDGES)
        modelled = rate < (rates.smallest_counted or 1.0)
        judged.append(Judged(rate, stated.value, stated.low, stated.high, modelled, got, low, high))
    return Split(rates.smallest_counted, rates.smallest_modelled, tuple(judged))


def populations(sets: Sequence[str] = SETS) -> Iterator[tuple[str, Population]]:
    """The sets, each with at most `MOST_PHOTOS` photos a person."""
    for name in sets:
        table = embedded_set(name, "sface", flip=True)
        for title, whose in _people_of(name, table):
            rows = np.array([person is not None for person in whose])
            person = np.unique([person for person in whose if person is not None], return_inverse=True)[1]
            order = np.argsort(person, kind="stable")
            everybody = Population(table.embeddings[rows][order], person[order].astype(np.int64))
            yield title, everybody.some(np.arange(everybody.people), MOST_PHOTOS, np.random.default_rng(0))


def _people_of(name: str, table: FaceTable) -> Iterator[tuple[str, list[str | None]]]:
    paths = [Path(source).relative_to(PHOTOS / name) for source in table.sources]
    by_part: Callable[[str], list[str | None]] = lambda part: [  # noqa: E731
        path.parts[1] if path.parts[0] == part else None for path in paths
    ]
    if name == "rof":
        yield from ((f"rof {part}", by_part(part)) for part in ("neutral", "sunglasses", "masked"))
    elif name == "utkface":
        yield "utkface strangers", [str(path) for path in paths]
    else:
        yield name, [path.parts[0] for path in paths]
