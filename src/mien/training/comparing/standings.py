"""From runs to the table: means over seeds, what the seeds and the people leave unsure, and who is ahead of whom."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from mien.evaluation import Difference, Estimate, Measure, Unsupported
from mien.training.comparing.run_measures import MEASURES, RANKED_BY, RunFailure, RunMeasures

_OUTSIDE = 0.025


@dataclass(frozen=True)
class Standing:
    """A loss in the table.

    Attributes:
        name: The entrant's.
        title: What it is called.
        described: Its arguments in words.
        measures: The mean over seeds of each of `MEASURES`, with its interval over people and seeds.
        by_seed: The same of each run that went to its end.
        spread: Standard deviation over the seeds, where there are two or more.
        seconds: Mean over the seeds.
        peak_bytes: The most of all seeds.
        ahead: How much greater the measure that ranks is than the reference's, of the same people and seeds; None for
            the reference itself, or where it isn't known.
        failures: By seed, of runs that came to nothing.
    """

    name: str
    title: str
    described: str
    measures: Mapping[str, Measure]
    by_seed: Mapping[int, RunMeasures]
    spread: Mapping[str, float]
    seconds: float
    peak_bytes: int
    ahead: Measure | None
    failures: Mapping[int, RunFailure]

    @property
    def ranked_by(self) -> tuple[float, float]:
        """Greater is better: the measure that ranks, and the AUC where there is no such figure or a tie."""
        ranking, auc = (self.measures.get(name) for name in (RANKED_BY, "auc"))
        return (
            ranking.value if isinstance(ranking, Estimate) else -1.0,
            auc.value if isinstance(auc, Estimate) else -1.0,
        )

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON-ready data."""
        return {
            "loss": self.name,
            "title": self.title,
            "arguments": self.described,
            "measures": {name: measure.to_dict() for name, measure in self.measures.items()},
            "spread": dict(self.spread),
            "seconds": self.seconds,
            "peak_bytes": self.peak_bytes,
            "ahead": None if self.ahead is None else self.ahead.to_dict(),
            "seeds": {str(seed): run.to_dict() for seed, run in self.by_seed.items()},
            "failures": {str(seed): failure.message for seed, failure in self.failures.items()},
        }


def make_standing(
    name: str,
    title: str,
    described: str,
    outcomes: Mapping[int, RunMeasures | RunFailure | None],
    ahead: Measure | None = None,
) -> Standing:
    """A loss's line of the table from its runs, by seed; None stands for one that isn't over."""
    runs = {seed: run for seed, run in outcomes.items() if isinstance(run, RunMeasures)}
    failures = {seed: run for seed, run in outcomes.items() if isinstance(run, RunFailure)}
    measured = {key: [run.measures[key] for run in runs.values()] for key in MEASURES} if runs else {}
    return Standing(
        name=name,
        title=title,
        described=described,
        measures={key: over_seeds(values) for key, values in measured.items()},
        by_seed=runs,
        spread={key: spread for key, values in measured.items() if (spread := _spread(values)) is not None},
        seconds=float(np.mean([run.seconds for run in runs.values()])) if runs else 0.0,
        peak_bytes=max((run.peak_bytes for run in runs.values()), default=0),
        ahead=ahead,
        failures=failures,
    )


def ranked(standings: Iterable[Standing]) -> list[Standing]:
    """The best first; those whose runs all failed come last."""
    return sorted(standings, key=lambda standing: standing.ranked_by, reverse=True)


def over_seeds(measures: Sequence[Measure]) -> Measure:
    """The mean of a measure over the seeds, with an interval for other people and other seeds.

    All seeds are judged by the same people, so their own intervals are taken to err together: their mean is what the
    people leave unsure, t·s/√n what n seeds with standard deviation s do (Student's t, n − 1 degrees of freedom), and
    the two add as squares. With one seed, the interval is the people's alone.

    Args:
        measures: One for each seed, at least one.
    """
    refused = [measure for measure in measures if isinstance(measure, Unsupported)]
    if refused:
        return refused[0]
    known = [measure for measure in measures if isinstance(measure, Estimate)]
    return _mean([(one.value, one.low, one.high) for one in known], 0.0, 1.0)


def differences_over_seeds(differences: Sequence[Difference | Unsupported]) -> Measure:
    """The mean of a difference over the seeds, as `over_seeds` does."""
    refused = [one for one in differences if isinstance(one, Unsupported)]
    if refused:
        return refused[0]
    known = [one for one in differences if isinstance(one, Difference)]
    return _mean([(one.value, one.low, one.high) for one in known], -1.0, 1.0)


def _mean(found: Sequence[tuple[float, float, float]], least: float, most: float) -> Measure:
    value, low, high = np.array(found).T
    of_seeds = 0.0
    if len(value) > 1:
        of_seeds = float(stats.t.isf(_OUTSIDE, len(value) - 1) * value.std(ddof=1) / np.sqrt(len(value)))
    mean = float(value.mean())
    below, above = (float(np.hypot(np.mean(half), of_seeds)) for half in (value - low, high - value))
    return Estimate(mean, min(max(mean - below, least), mean), max(min(mean + above, most), mean))


def _spread(measures: Sequence[Measure]) -> float | None:
    values = [measure.value for measure in measures if isinstance(measure, Estimate)]
    return float(np.std(values, ddof=1)) if len(values) > 1 else None
