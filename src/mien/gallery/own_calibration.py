"""What similarities stand for among the people of a gallery itself."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import sqlalchemy as sa

from mien.decisions import Calibration, EncoderIdentity
from mien.decisions.calibration import OTHER_PEOPLE, OWN_GALLERY
from mien.decisions.wording import rate_words
from mien.errors import CalibrationError, GalleryError
from mien.evaluation import (
    Double,
    Drift,
    calibrate,
    drift_of_calibrated,
    drift_of_people,
    find_doubles,
    score_all_pairs,
)
from mien.evaluation.calibrating.doubles import LEAST_ALIKE
from mien.gallery import tables
from mien.gallery.index import Floats, Index

FEWEST_PEOPLE = 100
"""From so many on a gallery is calibrated of its own accord: `python -m benchmarks transfer` shows why."""
MOST_TEMPLATES = 4000
"""More are sampled, as many people as possible: eight million pairs say enough, and take a second or two."""
FEWEST_PEOPLE_FOR_DRIFT = 20
"""Of fewer, an interval over people says too little to warn by."""
CHANGED = 0.2
"""It is done again when the gallery has grown or shrunk by this share."""


def is_due(connection: sa.Connection) -> bool:
    """Whether a gallery of enough people has no calibration of its own, or has changed by much since."""
    templates, before = tables.template_count(connection), tables.calibrated_templates(connection)
    if before is None:
        return tables.people_count(connection) >= FEWEST_PEOPLE
    return abs(templates - before) > CHANGED * before


@lru_cache(maxsize=8)
def read(content: str, gallery: str) -> Calibration:
    """The calibration that is kept in a gallery; kept here too, as each search asks for it.

    Raises:
        GalleryError: It is none, or was altered.
    """
    try:
        return replace(Calibration.from_json(content, source=gallery), whose=OWN_GALLERY)
    except CalibrationError as error:
        raise GalleryError(
            f"The gallery {gallery} is damaged: its own calibration is not as mien wrote it.",
            hint=f"Measure it anew with `mien calibrate --gallery {gallery}`.",
            code="gallery.damaged",
        ) from error


@dataclass(frozen=True, eq=False)
class Drawn:
    """Some of a gallery's templates: `embeddings` (N, D) of unit length, copied, and the `people` (N,) they are of."""

    embeddings: Floats
    people: list[str]


def draw(connection: sa.Connection, index: Index) -> Drawn:
    """At most `MOST_TEMPLATES`, of as many people as possible."""
    embeddings, owners = index.sample(MOST_TEMPLATES)
    names = tables.names(connection, set(owners.tolist()))
    return Drawn(embeddings, [names[owner] for owner in owners.tolist()])


def measure(drawn: Drawn, encoder: EncoderIdentity, gallery: str) -> Calibration:
    """Calibrate on a gallery's templates: those under different names are non-mated.

    Raises:
        CalibrationError: If there are no two people.
    """
    return calibrate(
        drawn.embeddings,
        drawn.people,
        name=f"the people of {gallery}",
        encoder=encoder,
        data=gallery,
        score={"templates": "each by itself"},
        command="mien calibrate --gallery",
    )


def doubles(drawn: Drawn, known: Calibration | None) -> list[Double]:
    """Pairs of names under which there may be one person."""
    if not drawn.people:
        return []
    return find_doubles(drawn.embeddings, drawn.people, typical=typical_similarity(known))


def drift(drawn: Drawn, own: Calibration | None, used: Calibration) -> Drift:
    """How far the gallery's people are from a calibration that was measured on others."""
    if own is not None:
        return drift_of_calibrated(used, own)
    return drift_of_people(used, score_all_pairs(drawn.embeddings, drawn.people))


def typical_similarity(known: Calibration | None) -> float | None:
    """How alike two photos of one person are at the lower quartile; None where a calibration does not tell."""
    if known is None or known.false_non_match is None:
        return None
    return float(known.similarity[int(np.searchsorted(known.false_non_match.value, LEAST_ALIKE))])


@dataclass(frozen=True)
class Rule:
    """By what a search in a gallery is decided.

    Args:
        calibration: Which states the rate; None if nobody can.
        threshold: The threshold, where it does not follow from the calibration and the asked rate.
        note: What else to say of it, for the end of the reason.
    """

    calibration: Calibration | None
    threshold: float | None = None
    note: str = ""


def rule_for(own: Calibration | None, known: Calibration | None, fpir: float, size: int) -> Rule:
    """The gallery's own calibration where it has one, unless the user brought another.

    Where its people are enough for a calibration, but too few for the rate, the shipped one decides, unless they
    contradict it: at the threshold of the smallest rate that they support they surely match more often than it says, or
    its threshold is lower than that. Then the stricter threshold decides, and the rate stated is the one among them.

    Args:
        own: Of the gallery's people.
        known: The recognizer's: the shipped one, which is of other people, or the user's choice.
        fpir: The asked rate.
        size: How many templates the gallery has.

    Raises:
        CalibrationError: If the shipped one is needed and does not support the rate.
    """
    if own is None or _brought(known):
        return Rule(known)
    if size == 0 or own.supports_fpir(fpir, size):
        return Rule(own)
    smallest = own.smallest_supported_fmr
    if known is None or smallest is None or own.people < FEWEST_PEOPLE:
        return Rule(known or own)
    of_others, least = known.threshold_for_fpir(fpir, size).similarity, own.threshold(smallest).similarity
    too_few = f"; the {own.people:,} of {OWN_GALLERY} that it was calibrated on are too few for {rate_words(fpir)}"
    if least > of_others:
        return Rule(own, least, f"{too_few}, and this is the threshold of the smallest rate that they support")
    if own.fmr(least).low > known.fmr(least).value:
        return Rule(own, of_others, f"{too_few}, and this is the threshold of {known.source_words(of_others)}")
    return Rule(known, None, too_few)


def rule_at(own: Calibration | None, known: Calibration | None, threshold: float) -> Rule:
    """A given threshold decides; the gallery's own calibration says its rate, unless the user brought another."""
    return Rule(known if _brought(known) else own or known, threshold)


def _brought(known: Calibration | None) -> bool:
    """Whether a calibration is not the shipped one, but the user's choice."""
    return known is not None and known.whose != OTHER_PEOPLE
