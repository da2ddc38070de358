"""Whether non-mated scores still look like a calibration's, told as how many times its false match rate they have.

At the thresholds that the calibration gives for `RATES` the false match rate is measured anew, with its interval over
people, and divided by the stated one. The interval of the ratio comes from both rates' intervals on a logarithmic scale
(MOVER; Zou & Donner 2008): ln r − √(ln²(v/v.low) + ln²(c.high/c)) and its mirror image. A drift is a ratio that is
both surely not 1 and more than `HARMLESS`: a p-value alone would warn of any difference once there are enough photos.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.decisions.calibration import Calibration
from mien.decisions.rate import Rate
from mien.decisions.wording import rate_words
from mien.evaluation.intervals.proportions import clopper_pearson, effective_trials
from mien.evaluation.measures.error_rates import FEWEST_EFFECTIVE_ERRORS, false_match_rates
from mien.evaluation.measures.estimate import Estimate
from mien.evaluation.scores.pair_scores import EDGES, PairScores
from mien.similarity import all_pairs

RATES = (1e-1, 1e-2, 1e-3, 1e-4)
"""Stated false match rates at whose thresholds a drift is looked for, as far as the calibration supports them.

The new scores must support one too: at it, or at what is observed, as many of them must be wrong as
`FEWEST_EFFECTIVE_ERRORS` independent ones. Where few people own all the false matches, an interval can't tell how few.
"""
HARMLESS = 1.5
"""How many times its stated value, or its part, a rate may be without a warning."""

STRANGERS_NAMED = 0.01
"""The false positive identification rate at which a probe's most alike person counts as possibly its own."""


@dataclass(frozen=True)
class RateDrift:
    """A false match rate as it is now, beside the stated one.

    Args:
        threshold: The similarity that the calibration gives for it.
        stated: The calibration's rate at the threshold.
        observed: The rate of the new scores there, with its interval over people.
        ratio: observed / stated, with its interval.
    """

    threshold: float
    stated: Rate
    observed: Rate
    ratio: Estimate

    @property
    def drifted(self) -> bool:
        """Whether the rate is surely another, and by more than the factor `HARMLESS`."""
        surely = self.ratio.low > 1 or self.ratio.high < 1
        return surely and not 1 / HARMLESS <= self.ratio.value <= HARMLESS

    def to_dict(self) -> dict[str, Any]:
        """The drift as JSON-ready data."""
        return {
            "threshold": self.threshold,
            "stated": self.stated.to_dict(),
            "observed": self.observed.to_dict(),
            "ratio": self.ratio.to_dict(),
            "drifted": self.drifted,
        }


@dataclass(frozen=True)
class Drift:
    """What new non-mated scores say about a calibration.

    Args:
        rates: A comparison for each rate looked at, the greatest rate first.
        calibration: Which calibration, by its name.
        people: How many people the new scores are of.
    """

    rates: tuple[RateDrift, ...]
    calibration: str
    people: int

    @property
    def drifted(self) -> bool:
        """Whether any rate has drifted."""
        return any(rate.drifted for rate in self.rates)

    @property
    def reason(self) -> str:
        """The same as a sentence: the smallest rate that drifted, or the smallest that was looked at."""
        if not self.rates:
            return (
                f"no rate to see a drift at: what {self.calibration} states, "
                f"{self.people:,} people can't confirm or deny"
            )
        shown = next((rate for rate in reversed(self.rates) if rate.drifted), self.rates[-1])
        words = (
            f"where {self.calibration} states a false match rate of {rate_words(shown.stated.value)}, these "
            f"{self.people:,} people have {shown.ratio.value:.2g} times that "
            f"(95 % interval {shown.ratio.low:.2g} to {shown.ratio.high:.2g})"
        )
        return f"drifted: {words}" if shown.drifted else f"no drift seen: {words}"

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON-ready data."""
        return {
            "drifted": self.drifted,
            "reason": self.reason,
            "calibration": self.calibration,
            "people": self.people,
            "rates": [rate.to_dict() for rate in self.rates],
        }


def drift_of_people(calibration: Calibration, scores: PairScores) -> Drift:
    """Compare the people of a gallery, or of any labelled photos, with a calibration.

    Args:
        calibration: For the encoder of the scores.
        scores: All pairs of the photos (`score_all_pairs`).

    Raises:
        ValueError: If there are no two people.
    """
    measured = false_match_rates(scores)

    def observed(threshold: float) -> tuple[Rate, float]:
        return measured.curve.at(threshold, EDGES), FEWEST_EFFECTIVE_ERRORS / measured.trials_at(threshold)

    return _drift(calibration, len(scores.people), observed)


def drift_of_calibrated(calibration: Calibration, own: Calibration) -> Drift:
    """Compare people who have a calibration of their own with another one, without comparing their photos again.

    Args:
        calibration: For the encoder of `own`.
        own: Of the people who are compared with it.
    """
    return _drift(calibration, own.people, lambda threshold: (own.fmr(threshold), own.smallest_fmr or 1.0))


def drift_of_probes(
    calibration: Calibration,
    probes: NDArray[np.float32],
    templates: NDArray[np.float32],
    people: Sequence[str],
) -> Drift:
    """Compare a stream of probes, whoever they are, with a calibration.

    A probe's most alike person in the gallery is left out where they are a match at an FPIR of `STRANGERS_NAMED`: they
    may be its mate. All others are taken for non-mated. A mate that was missed counts as one of many strangers; so that
    this adds less than it takes for a warning, rates are looked at from one false match a probe upwards.

    Args:
        calibration: For the encoder of the embeddings.
        probes: (P, D) embeddings, each of another person as far as possible: intervals are over probes and people.
        templates: (N, D) embeddings of the gallery.
        people: (N,) whose each template is.

    Raises:
        ValueError: If lengths differ, or there is no probe or no second person in the gallery.
    """
    names, owner = np.unique(np.asarray(people, str), return_inverse=True)
    if len(templates) != len(owner) or not len(probes) or len(names) < 2:
        raise ValueError(
            f"{len(probes)} probes, {len(templates)} templates of {len(owner)} places, {len(names)} people"
        )
    order = np.argsort(owner, kind="stable")
    similarity = all_pairs(probes, templates[order])
    starts = np.searchsorted(owner[order], np.arange(len(names)))
    by_person = np.maximum.reduceat(similarity, starts, axis=1)
    found = by_person.max(axis=1) >= _threshold_for_matches(calibration, len(names))
    others = ~found[:, None] | (np.arange(len(names)) != by_person.argmax(axis=1)[:, None])

    def observed(threshold: float) -> tuple[Rate, float]:
        share = np.add.reduceat((similarity >= threshold).astype(np.float64), starts, axis=1) / np.bincount(owner)
        return _rate_of_searches(share, others)

    return _drift(calibration, len(names), observed, least=1 / len(names))


def _threshold_for_matches(calibration: Calibration, people: int) -> float:
    """The threshold for `STRANGERS_NAMED`, or the highest that the calibration supports."""
    if calibration.smallest_fmr is None:
        return 1.0
    return calibration.threshold(max(STRANGERS_NAMED / people, calibration.smallest_fmr)).similarity


def _drift(
    calibration: Calibration, people: int, observed: Callable[[float], tuple[Rate, float]], *, least: float = 0.0
) -> Drift:
    """`observed` gives the new rate at a threshold, and the smallest that the new scores support there."""
    rates = []
    for rate in RATES:
        if calibration.smallest_fmr is not None and rate >= max(calibration.smallest_fmr, least):
            threshold = calibration.threshold(rate)
            now, smallest = observed(threshold.similarity)
            if max(now.value, threshold.fmr.value) >= smallest:
                rates.append(RateDrift(threshold.similarity, threshold.fmr, now, _ratio(now, threshold.fmr)))
    return Drift(tuple(rates), calibration.name, people)


def _ratio(observed: Rate, stated: Rate) -> Estimate:
    """How many times the stated rate the observed one is; a supported rate's interval does not reach 0."""
    if observed.value == 0:
        return Estimate(0.0, 0.0, observed.high / stated.low)
    value = observed.value / stated.value
    below = math.hypot(_log(observed.value, observed.low), _log(stated.high, stated.value))
    above = math.hypot(_log(observed.high, observed.value), _log(stated.value, stated.low))
    return Estimate(value, value * math.exp(-below), value * math.exp(above))


def _log(greater: float, smaller: float) -> float:
    return math.log(greater / smaller) if smaller > 0 else math.inf


def _rate_of_searches(share: NDArray[np.float64], counted: NDArray[np.bool_]) -> tuple[Rate, float]:
    """The mean share of false matches over the counted cells of a (P, G) table, its interval over rows and columns.

    And the smallest rate that so many cells support.

    The variance is that of two-way clusters, Σ over rows of squared sums + Σ over columns − Σ over cells (Cameron,
    Gelbach & Miller 2011), and not below that of independent cells.
    """
    comparisons = int(counted.sum())
    rate = float(share[counted].mean())
    surplus = np.where(counted, share - rate, 0)
    by_probe, by_person = surplus.sum(axis=1), surplus.sum(axis=0)
    cells = float((surplus**2).sum())
    variance = max(float((by_probe**2).sum() + (by_person**2).sum()) - cells, cells) / comparisons**2
    fewer = by_probe if len(by_probe) < len(by_person) else by_person
    bounds = (len(fewer) / 2, comparisons)
    trials = float(effective_trials(np.array([rate]), fewer[:, None], np.array([variance]), bounds, lend=False)[0])
    return clopper_pearson(rate * trials, trials), FEWEST_EFFECTIVE_ERRORS / trials
