"""Galleries that calibrate themselves, and how many strangers they name."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.results import table
from benchmarks.splits import Population
from mien.decisions import Calibration
from mien.decisions.calibration import OWN_GALLERY
from mien.evaluation import calibrate
from mien.evaluation.intervals.clustered import clustered_shares
from mien.gallery.own_calibration import rule_for
from mien.progress import track

FPIRS = (0.1, 0.03, 0.01)
GALLERIES = ((100, 1), (100, 5), (300, 1), (1000, 1))
"""People, and templates of each at most."""
PROBES = 5
"""Photos of each stranger."""
DRAWS = 50


@dataclass(frozen=True)
class Searched:
    """What became of the strangers in one gallery: stated, got, and what LFW's threshold would have given."""

    stated: float
    low: float
    high: float
    got: float
    got_low: float
    got_high: float
    of_others: float
    supported: bool

    @property
    def covered(self) -> bool:
        """Whether the stated interval holds the population's rate; the strangers' own error is not charged to it."""
        if self.got == 0 or self.low == 0:
            return self.low <= self.got_high and self.got_low <= self.high
        away = np.log(self.got / self.stated)
        stated, judge = (
            (self.high / self.stated, self.got / max(self.got_low, 1e-300))
            if away > 0
            else (self.stated / self.low, self.got_high / self.got)
        )
        return bool(abs(away) <= np.hypot(np.log(stated), np.log(judge)))


def galleries_of(name: str, population: Population, known: Calibration) -> Iterator[tuple[object, ...]]:
    """Draw galleries from a set, and search its other people in them."""
    most = int(np.bincount(population.person).max())
    for people, photos in GALLERIES:
        if people > 0.7 * population.people or photos > most:
            continue
        drawn = [
            _search(population, known, people, photos, seed)
            for seed in track(range(DRAWS), f"{name}: galleries of {people}")
        ]
        for fpir in FPIRS:
            each = [searched[fpir] for searched in drawn]
            low, middle, high = np.quantile([one.got for one in each], [0.05, 0.5, 0.95])
            others = np.median([one.of_others for one in each])
            yield (
                name,
                people,
                photos,
                f"{100 * fpir:.0f} %",
                f"{100 * others:.2g} %",
                f"{100 * middle:.2g} % ({100 * low:.2g}–{100 * high:.2g})",
                f"{100 * float(np.median([one.stated for one in each])):.2g} %",
                f"{100 * np.mean([one.covered for one in each]):.0f} %",
                f"{100 * np.mean([one.supported for one in each]):.0f} %",
            )


def galleries_table(rows: list[tuple[object, ...]]) -> str:
    """The section of the page."""
    header = (
        "set",
        "people",
        "templates of each",
        "asked FPIR",
        "LFW's threshold: got",
        "the gallery's own: got",
        "stated",
        "covered",
        "supported",
    )
    return (
        f"## Galleries that calibrate themselves\n\n{DRAWS} galleries of each size, drawn; everybody else of the set, "
        f"with {PROBES} photos at most, is a stranger. Got: the share of strangers who match somebody (medians; 5 % "
        "and 95 % quantiles). Supported: in how many draws the gallery's people support the asked rate; where they "
        "don't, LFW's calibration decides unless they contradict it, and then the stricter threshold, with the rate "
        "that they say. Covered: the stated interval holds the strangers' rate, at the sum of both variances; it takes "
        "the comparisons of a probe as independent, which overstates the rate of people who come in kinds, such as "
        "small children.\n\n" + table(header, rows)
    )


def _search(population: Population, known: Calibration, people: int, photos: int, seed: int) -> dict[float, Searched]:
    rng = np.random.default_rng(seed)
    order = rng.permutation(population.people)
    gallery, strangers = population.some(order[:people], photos, rng), population.some(order[people:], PROBES, rng)
    size = len(gallery.person)
    names = gallery.person.astype(str).tolist()
    own = replace(
        calibrate(gallery.embeddings, names, name="own", encoder=known.encoder, data="own"), whose=OWN_GALLERY
    )
    best = (strangers.embeddings @ gallery.embeddings.T).max(axis=1)
    found = {}
    for fpir in FPIRS:
        rule = rule_for(own, known, fpir, size)
        assert rule.calibration is not None
        threshold = rule.threshold
        if threshold is None:
            threshold = rule.calibration.threshold_for_fpir(fpir, size).similarity
        stated = rule.calibration.fpir(threshold, size)
        others = known.threshold_for_fpir(fpir, size).similarity
        hits = np.stack([best >= threshold, best >= others], axis=1).astype(np.float64)
        (got, of_others), low, high = clustered_shares(hits, strangers.person)
        found[fpir] = Searched(
            stated.value,
            stated.low,
            stated.high,
            float(got),
            float(low[0]),
            float(high[0]),
            float(of_others),
            own.supports_fpir(fpir, size),
        )
    return found
