"""What similarities stand for among the people of a gallery itself."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import sqlalchemy as sa

from mien.decisions import Calibration, EncoderIdentity
from mien.decisions.calibration import OTHER_PEOPLE, OWN_GALLERY
from mien.evaluation import Double, calibrate, find_doubles
from mien.evaluation.calibrating.doubles import LEAST_ALIKE
from mien.gallery import tables
from mien.gallery.index import Index

FEWEST_PEOPLE = 100
"""From so many on a gallery is calibrated of its own accord: `python -m benchmarks transfer` shows why."""
MOST_TEMPLATES = 4000
"""More are sampled, as many people as possible: eight million pairs say enough, and take a second or two."""
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
    """The calibration that is kept in a gallery; kept here too, as each search asks for it."""
    return replace(Calibration.from_json(content, source=gallery), whose=OWN_GALLERY)


def measure(index: Index, names: dict[int, str], encoder: EncoderIdentity, gallery: str) -> Calibration:
    """Calibrate on a gallery's templates: those under different names are non-mated.

    Raises:
        CalibrationError: If there are no two people.
    """
    embeddings, owners = index.sample(MOST_TEMPLATES)
    return calibrate(
        embeddings,
        [names[owner] for owner in owners.tolist()],
        name=f"the people of {gallery}",
        encoder=encoder,
        data=gallery,
        score={"templates": "each by itself"},
        command="mien calibrate --gallery",
    )


def doubles(index: Index, names: dict[int, str], known: Calibration | None) -> list[Double]:
    """Pairs of names under which there may be one person."""
    if not index.templates:
        return []
    embeddings, owners = index.sample(MOST_TEMPLATES)
    people = [names[owner] for owner in owners.tolist()]
    return find_doubles(embeddings, people, typical=typical_similarity(known))


def typical_similarity(known: Calibration | None) -> float | None:
    """How alike two photos of one person are at the lower quartile; None where a calibration does not tell."""
    if known is None or known.false_non_match is None:
        return None
    return float(known.similarity[int(np.searchsorted(known.false_non_match.value, LEAST_ALIKE))])


def chosen(own: Calibration | None, known: Calibration | None, fpir: float | None, size: int) -> Calibration | None:
    """The gallery's own calibration where it supports the rate, unless the user brought another.

    Args:
        own: Of the gallery's people.
        known: The recognizer's: the shipped one, which is of other people, or the user's choice.
        fpir: The asked rate; None where a threshold was given.
        size: How many templates the gallery has.
    """
    if own is None or (known is not None and known.whose != OTHER_PEOPLE):
        return known
    return own if fpir is None or size == 0 or own.supports_fpir(fpir, size) else known
