"""Intervals by drawing people again, because comparisons that share a person do not tell as much as independent ones.

A replicate is a half of the people, each counted twice: the half-sample bootstrap (Præstgaard & Wellner 1993). A mated
comparison of a person with the weight w = 0 or 2 weighs w, and a comparison of two people v·w. For what belongs to one
person that gives the right variance V, as drawing with replacement would. But a half meets nobody twice, so that it
stays right where a measure is the best of many, as the accuracy at the best threshold (Politis & Romano 1994), and says
how much too good that is. What belongs to one *pair* of people alone (a chance likeness) is counted three times, since
Var(v·w) = 3 (compare Owen 2007, *The pigeonhole bootstrap*); so replicates that draw only the pairs measure that part,
and it is taken off twice. What is left is the dyadic-robust variance of Aronow, Samii & Assenova (2015), or more where
there are only some dozens of pairs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.special import expit, logit

from mien.evaluation.intervals.proportions import CONFIDENCE, clopper_pearson_limits
from mien.progress import report

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Counts = tuple[Floats, Floats]
"""How many mated (B, T) and non-mated (B, T) comparisons have each of T similarities in each of B replicates."""
Draw = Callable[[np.random.Generator, int], Counts]

_AT_ONCE = 2**19  # numbers in one array of a chunk of replicates: 4 MB


@dataclass(frozen=True, eq=False)
class Sample:
    """Comparisons that can be drawn again.

    Args:
        mated: (T,) how many mated comparisons have each similarity.
        non_mated: (T,) how many non-mated ones.
        by_people: Gives so many replicates in which people are drawn.
        by_pairs: Gives so many in which only the pairs of people are drawn that make the non-mated comparisons; None
            where a comparison is not of two people.
        repeats: How many times too often `by_people` counts what belongs to one pair of people alone.
        mated_people: As how many people, each with equally many of them, the mated comparisons count.
        non_mated_people: As how many independent trials the non-mated comparisons count at the least.
        width: How many numbers a replicate needs.
    """

    mated: Indices
    non_mated: Indices
    by_people: Draw
    by_pairs: Draw | None
    repeats: int
    mated_people: float
    non_mated_people: float
    width: int


def independent(mated: Indices, non_mated: Indices) -> Sample:
    """Comparisons of which it isn't known whose they are: each is a person by itself.

    Args:
        mated: (T,) how many mated comparisons have each similarity.
        non_mated: (T,) how many non-mated ones.
    """
    return Sample(
        mated,
        non_mated,
        by_people=lambda rng, size: (_halved(mated, rng, size), _halved(non_mated, rng, size)),
        by_pairs=None,
        repeats=0,
        mated_people=float(mated.sum()),
        non_mated_people=float(non_mated.sum()),
        width=len(mated),
    )


def listed(
    bins: int, mated_bin: Indices, mated_person: Indices, non_mated_bin: Indices, non_mated_person: Indices
) -> Sample:
    """Comparisons of people, listed one by one.

    Args:
        bins: T.
        mated_bin: (M,) which similarity each mated comparison has, from 0 to T − 1.
        mated_person: (M,) whose it is, from 0; nobody is left out.
        non_mated_bin: (N,) which similarity each non-mated comparison has.
        non_mated_person: (N, 2) whom it compares; or (N, 1), where it depends on one person only (a search).
    """
    mated, non_mated = (np.bincount(kind, minlength=bins) for kind in (mated_bin, non_mated_bin))
    people = int(max(mated_person.max(initial=-1), non_mated_person.max(initial=-1))) + 1
    of_two = non_mated_person.shape[1] == 2

    def by_people(rng: np.random.Generator, size: int) -> Counts:
        drawn, drawn_non_mated = np.empty((2, size, bins))
        for replicate in range(size):
            weight = _half(people, rng)
            drawn[replicate] = np.bincount(mated_bin, weight[mated_person], bins)
            both = weight[non_mated_person[:, 0]]
            if of_two:
                both *= weight[non_mated_person[:, 1]]
            drawn_non_mated[replicate] = np.bincount(non_mated_bin, both, bins)
        return drawn, drawn_non_mated

    def by_pairs(rng: np.random.Generator, size: int) -> Counts:
        drawn = np.empty((size, bins))
        for replicate in range(size):
            weight = np.bincount(rng.integers(pairs, size=pairs), minlength=pairs)
            drawn[replicate] = np.bincount(non_mated_bin, weight[pair], bins)
        return np.tile(mated, (size, 1)), drawn

    if of_two:
        low, high = np.sort(non_mated_person, axis=1).T
        pair = np.unique(low * people + high, return_inverse=True)[1]
        pairs = int(pair.max(initial=-1)) + 1
    return Sample(
        mated,
        non_mated,
        by_people=by_people,
        by_pairs=by_pairs if of_two else None,
        repeats=2,
        mated_people=_equal_people(np.bincount(mated_person)),
        non_mated_people=_equal_people(np.bincount(non_mated_person.ravel())) / non_mated_person.shape[1],
        width=max(bins, people),
    )


def by_person(
    mated: Indices, non_mated: Indices, group: Indices, mated_by_person: Floats, non_mated_by_person: Floats
) -> Sample:
    """Comparisons of everybody with everybody, of which only histograms per person are known.

    A comparison of two people then weighs v + w − 1, the linear part of v·w (Hájek's projection), whose variance is 2.

    Args:
        mated: (T,) how many mated comparisons have each similarity.
        non_mated: (T,) how many non-mated ones.
        group: (T,) to which of G coarser bins each similarity belongs.
        mated_by_person: (S, G) each person's mated comparisons in the coarser bins.
        non_mated_by_person: (S, G) the non-mated ones that have the person on either side.
    """

    def grown(counts: Indices, change: Floats) -> Floats:
        """The counts, each grown like the coarser bin that it is in, which changes by `change` (B, G)."""
        whole = np.bincount(group, counts, minlength=change.shape[1])
        with np.errstate(invalid="ignore", divide="ignore"):
            factor = np.where(whole > 0, np.maximum(1 + change / whole, 0), 1.0)
        return np.asarray(counts * factor[:, group])

    def by_people(rng: np.random.Generator, size: int) -> Counts:
        people = len(mated_by_person)
        more = np.array([_half(people, rng) for _ in range(size)]).reshape(size, people) - 1
        return grown(mated, more @ mated_by_person), grown(non_mated, more @ non_mated_by_person)

    return Sample(
        mated,
        non_mated,
        by_people=by_people,
        by_pairs=lambda rng, size: (np.tile(mated, (size, 1)), _redrawn(non_mated, rng, size)),
        repeats=1,
        mated_people=_equal_people(mated_by_person.sum(axis=1)),
        non_mated_people=_equal_people(non_mated_by_person.sum(axis=1)) / 2,
        width=max(len(mated), len(mated_by_person)),
    )


@dataclass(frozen=True, eq=False)
class Replicates:
    """Measures of many replicates, by name.

    Args:
        undrawn: (…) each, of the comparisons as they are, in the bins of the replicates.
        people: (B, …) each, with people drawn.
        pairs: (B, …) each, with pairs of people drawn; None where comparisons are not of two people.
        repeats: How many times too often `people` counts what belongs to one pair of people alone.
    """

    undrawn: Mapping[str, Floats]
    people: Mapping[str, Floats]
    pairs: Mapping[str, Floats] | None
    repeats: int

    def tells(self, name: str) -> bool:
        """Whether a scalar measure has replicates with an answer: a half of two people compares nobody with anybody."""
        return int(np.isfinite(self.people[name]).sum()) > 1

    def variance(self, name: str) -> Floats:
        """(…) the variance of a measure."""
        variance = _moments(self.people[name])[1]
        if self.pairs is None:
            return variance
        alone = _moments(self.pairs[name])[1]
        return np.maximum(variance - self.repeats * alone, alone)

    def bias(self, name: str) -> Floats:
        """(…) how much too great a measure comes out that was chosen to be the best, or fitted: its optimism.

        It shrinks with n^(−2/3) as the people grow (Kim & Pollard 1990 for a maximum; Zhang 2002 for an isotonic fit),
        so that half as many have 2^(2/3) times as much. Of pairs of people a half keeps a quarter: where pairs differ
        more than people do, this is up to 1.8 times too much, and the interval errs on the safe side.
        """
        return np.asarray((_moments(self.people[name])[0] - self.undrawn[name]) / (2 ** (2 / 3) - 1))

    def interval(self, name: str, value: float, people: float, *, bias: float = 0.0) -> tuple[float, float]:
        """A scalar measure's interval: the percentiles of its replicates about their mean, about `value` − `bias`.

        As much wider as Student's t is than a normal at `people` − 1 degrees of freedom, and by the bias, which may be
        anything from none to twice what it seems (variance b²/3).
        """
        away = self._deviations(name) * _wider(people)
        low, high = np.quantile(away, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        variance = float(self.variance(name))
        low, high = np.array([low, high]) * np.sqrt(1 + bias**2 / 3 / variance if variance > 0 else 1)
        return min(value - bias + float(low), value), max(value - bias + float(high), value)

    def about(self, value: float, name: str, people: float) -> tuple[float, float, float]:
        """A difference's interval and p-value, which agree: 0 is outside if and only if p is below 0.05.

        The interval is symmetric, for percentiles of a skewed difference leave out 0 far too often; and as much wider
        as Student's t is than a normal at `people` − 1 degrees of freedom.

        Returns:
            Lower end, upper end, and how often replicates about 0 are as far from it, 1/(B + 1) or more.
        """
        away = np.sort(np.abs(self._deviations(name))) * _wider(people)
        half = float(away[min(int(np.ceil(CONFIDENCE * (len(away) + 1))), len(away)) - 1])
        return value - half, value + half, float((1 + (away >= abs(value)).sum()) / (1 + len(away)))

    def minus(self, other: "Replicates") -> "Replicates":
        """The differences of two samples' measures that were drawn alike."""
        return Replicates(
            _less(self.undrawn, other.undrawn),
            _less(self.people, other.people),
            None if self.pairs is None or other.pairs is None else _less(self.pairs, other.pairs),
            self.repeats,
        )

    def _deviations(self, name: str) -> Floats:
        """(B,) a scalar measure's replicates about their mean, with the variance that is due."""
        draws = self.people[name]
        mean, variance = _moments(draws)
        if not variance > 0:
            return np.zeros(len(draws))
        return np.asarray((draws[np.isfinite(draws)] - mean) * np.sqrt(self.variance(name) / variance))


def replicates(
    sample: Sample, measure: Callable[[Counts], Mapping[str, Floats]], *, resamples: int, seed: int
) -> Replicates:
    """Measure a sample drawn again and again.

    Every replicate has as many mated and as many non-mated comparisons as the sample: how many there are of either is
    the protocol's choice. One that drew none of a kind tells nothing: its measures are NaN.

    Args:
        sample: What is drawn from.
        measure: Gives each measure of every replicate, (B, …), from their counts.
        resamples: How many replicates, at least 2.
        seed: Two samples with the same rows and the same seed are drawn alike.

    Raises:
        ValueError: If there are too few replicates.
    """
    if resamples < 2:
        raise ValueError(f"{resamples} replicates have no variance")
    kinds = [sample.by_people, *([sample.by_pairs] if sample.by_pairs else [])]
    chunk = max(1, _AT_ONCE // max(sample.width, 1))
    measured: list[dict[str, Floats]] = []
    for at, draw in enumerate(kinds):
        rng = np.random.default_rng([seed, at])
        parts = []
        for start in range(0, resamples, chunk):
            report("drawing people again", at * resamples + start, len(kinds) * resamples)
            counts = draw(rng, min(chunk, resamples - start))
            filled = _filled_up(counts[0], sample.mated), _filled_up(counts[1], sample.non_mated)
            tells = np.asarray(np.isfinite(np.concatenate(filled, axis=1)).all(axis=1))
            parts.append({name: _where(tells, values) for name, values in measure(filled).items()})
        measured.append({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
    report("drawing people again", len(kinds) * resamples, len(kinds) * resamples)
    undrawn = measure((sample.mated[None].astype(np.float64), sample.non_mated[None].astype(np.float64)))
    return Replicates(
        {name: values[0] for name, values in undrawn.items()},
        measured[0],
        measured[1] if sample.by_pairs else None,
        sample.repeats,
    )


def share_limits(
    share: Floats,
    variance: Floats,
    *,
    fewest: float,
    most: float,
    bias: float = 0.0,
    lend: bool = False,
) -> tuple[Floats, Floats]:
    """The limits of shares whose variance is known: Clopper–Pearson at the effective trials (Korn & Graubard 1998).

    n_eff = p(1 − p)/V, times (z/t)² with Student's t of `fewest` − 1 degrees of freedom. Unlike a percentile interval
    it has a width where no error was seen: there n_eff is `fewest`, or with `lend` that of the nearest share that has
    an error.

    Args:
        share: (C,) from 0 to 1.
        variance: (C,).
        fewest: As how many independent trials the comparisons count at the least.
        most: How many comparisons there are, where the share is one of independent trials at best; else infinite.
        bias: How much too great the shares are; taken off their log-odds, so that they stay within 0 and 1. It may be
            anything from none to twice that, which widens the limits.
        lend: Whether neighbours stand for a share without errors.
    """
    fewest = min(max(fewest, 1.0), most)
    binomial = share * (1 - share)
    variance = np.where(variance > 0, variance + bias**2 / 3, variance)
    shows = (binomial > 0) & (variance > 1e-9 * binomial)  # more than rounding
    with np.errstate(invalid="ignore", divide="ignore"):
        trials = np.where(shows, np.clip(binomial / variance, 1, most), fewest)
        centre = np.where(shows, expit(logit(share) - bias / binomial), share)
    trials = np.maximum(trials / _wider(fewest) ** 2, 1e-3)
    if lend and shows.any():
        known = np.flatnonzero(shows)
        trials = trials[known[np.abs(np.arange(len(share))[:, None] - known).argmin(axis=1)]]
    low, high = clopper_pearson_limits(centre * trials, trials)
    return np.minimum(low, share), np.maximum(high, share)


def _less(one: Mapping[str, Floats], other: Mapping[str, Floats]) -> dict[str, Floats]:
    return {name: one[name] - other[name] for name in one if one[name].shape == other[name].shape}


def _filled_up(counts: Floats, whole: Indices) -> Floats:
    """(B, T) the counts of each replicate in proportion, with the sum that they have undrawn; NaN if it drew none."""
    if not whole.any():
        return counts
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(counts * (whole.sum() / counts.sum(axis=1, keepdims=True)))


def _where(tells: NDArray[np.bool_], values: Floats) -> Floats:
    """(B, …) the values of the replicates that tell something, NaN for the others."""
    return np.where(tells.reshape(-1, *[1] * (values.ndim - 1)), values, np.nan)


def _moments(draws: Floats) -> tuple[Floats, Floats]:
    """(…) mean and variance along the first axis, of the replicates that have an answer (comparisons of both kinds)."""
    known = np.isfinite(draws)
    count = np.maximum(known.sum(axis=0), 2)
    mean = np.where(known, draws, 0).sum(axis=0) / count
    return mean, np.asarray((np.where(known, draws - mean, 0) ** 2).sum(axis=0) / (count - 1))


def _half(count: int, rng: np.random.Generator) -> Floats:
    """(count,) 2 for half of the people, drawn without replacement, and 0 for the others; an odd one now and then."""
    weight = np.zeros(count)
    weight[rng.permutation(count)[: (count + int(rng.integers(2))) // 2]] = 2
    return weight


def _wider(people: float) -> float:
    """How many times wider Student's t is than a normal, at the degrees of freedom that so many people have."""
    outside = (1 - CONFIDENCE) / 2
    return float(scipy.stats.t.isf(outside, max(people - 1, 1)) / scipy.stats.norm.isf(outside))


def _redrawn(counts: Indices, rng: np.random.Generator, size: int) -> Floats:
    """(size, T) as many comparisons as in `counts` (T,), drawn from it with replacement."""
    total = int(counts.sum())
    if not total:
        return np.zeros((size, len(counts)))
    return rng.multinomial(total, counts / total, size).astype(np.float64)


def _halved(counts: Indices, rng: np.random.Generator, size: int) -> Floats:
    """(size, T) half of the comparisons in `counts` (T,), each counted twice."""
    kept = (int(counts.sum()) + rng.integers(2, size=size)) // 2
    return 2.0 * np.array([rng.multivariate_hypergeometric(counts, count, method="marginals") for count in kept])


def _equal_people(counts: NDArray[np.int64] | Floats) -> float:
    """(Σm)²/Σm²: as how many people with equally many comparisons these count (Kish 1965)."""
    squares = float((counts.astype(np.float64) ** 2).sum())
    return float(counts.sum()) ** 2 / squares if squares else 0.0
