"""Is a face that is being enrolled known under another name already?"""

from collections.abc import Callable, Sequence

import numpy as np
import sqlalchemy as sa

from mien.decisions import Calibration
from mien.decisions.wording import interval_words, rate_words
from mien.errors import CalibrationError
from mien.gallery import tables
from mien.gallery.index import Index
from mien.gallery.own_calibration import Rule
from mien.gallery.records import Lookalike
from mien.gallery.tables import NewTemplate

FPIR = 0.01
"""How often someone who is not in the gallery is reported as looking like anyone in it."""

AT_MOST = 5
"""How many lookalikes of each new template are reported."""


def lookalike_threshold(calibration: Calibration, gallery_size: int) -> float:
    """The similarity from which on two people are reported to look alike.

    It is the one of an identification at an FPIR of 1 %; in a gallery so large that the calibration can't support that,
    the one of the smallest false match rate that it supports by counting.

    Raises:
        CalibrationError: It supports no rate at all.
    """
    try:
        return calibration.threshold_for_fpir(FPIR, gallery_size).similarity
    except CalibrationError:
        if calibration.smallest_fmr is None:
            raise
        return calibration.threshold(calibration.smallest_fmr).similarity


def find_lookalikes(
    connection: sa.Connection,
    index: Index,
    rule_for: Callable[[float, int], Rule],
    name: str,
    number: int | None,
    templates: Sequence[NewTemplate],
) -> tuple[tuple[Lookalike, ...], tuple[str, ...]]:
    """Other people of the gallery whom someone being enrolled looks like, most similar first.

    Args:
        connection: Sees the state that `index` is in step with.
        index: All embeddings.
        rule_for: Gives by what a search is decided, for an FPIR and the size of the gallery.
        name: Who is being enrolled.
        number: Their number, if they are in the gallery already.
        templates: What is new of them.

    Returns:
        The lookalikes, and a note if there is no calibration to judge by.
    """
    if not templates:
        return (), ()
    probes = np.stack([each.embedding for each in templates])
    found, similarities = index.search(probes, AT_MOST, leave_out=number)
    best: dict[int, float] = {}
    for other, similarity in zip(found.ravel().tolist(), similarities.ravel().tolist(), strict=True):
        best[other] = max(similarity, best.get(other, similarity))
    if not best:
        return (), ()
    try:
        rule = rule_for(FPIR, index.templates)
        calibration = rule.calibration
        assert calibration is not None  # where there is none, the call says so
        threshold = rule.threshold or lookalike_threshold(calibration, index.templates)
    except CalibrationError as problem:
        return (), (f"Whether {name} is enrolled under another name was not checked: {problem.message}",)
    names = tables.names(connection, best)
    alike = [
        _lookalike(name, names[other], similarity, threshold, calibration)
        for other, similarity in sorted(best.items(), key=lambda item: (-item[1], item[0]))
        if similarity >= threshold
    ]
    return tuple(alike), ()


def _lookalike(person: str, other: str, similarity: float, threshold: float, calibration: Calibration) -> Lookalike:
    fmr = calibration.fmr(similarity)
    reason = (
        f"{person} looks like {other}, who is in the gallery already: similarity {similarity:.3f}, at or above "
        f"{threshold:.3f}; two different people are that similar in {rate_words(fmr.value)} of comparisons "
        f"({interval_words(fmr)})."
    )
    return Lookalike(other, similarity, threshold, fmr, reason)
