"""Is a face that is being enrolled known under another name already?"""

from collections.abc import Mapping

from mien.decisions import Calibration, Threshold
from mien.errors import CalibrationError
from mien.gallery.records import Lookalike

FPIR = 0.01
"""How often someone who is not in the gallery is reported as looking like anyone in it."""


def lookalike_threshold(calibration: Calibration, gallery_size: int) -> Threshold:
    """The similarity from which on two people are reported to look alike.

    It is the one of an identification at an FPIR of 1 %; in a gallery so large that the calibration can't support that,
    the one of the smallest false match rate that it supports.

    Raises:
        CalibrationError: It supports no rate at all.
    """
    try:
        return calibration.threshold_for_fpir(FPIR, gallery_size)
    except CalibrationError:
        if calibration.smallest_fmr is None:
            raise
        return calibration.threshold(calibration.smallest_fmr)


def lookalikes(
    person: str, similarities: Mapping[str, float], calibration: Calibration, gallery_size: int
) -> tuple[Lookalike, ...]:
    """Those whom a person being enrolled looks like, most similar first.

    Args:
        person: Who is being enrolled.
        similarities: Of other people of the gallery, each at best over all pairs of templates.
        calibration: What a similarity stands for.
        gallery_size: How many templates the gallery holds.
    """
    if not similarities:
        return ()
    threshold = lookalike_threshold(calibration, gallery_size)
    return tuple(
        _lookalike(person, other, similarity, threshold, calibration)
        for other, similarity in sorted(similarities.items(), key=lambda item: (-item[1], item[0]))
        if similarity >= threshold.similarity
    )


def _lookalike(person: str, other: str, similarity: float, threshold: Threshold, calibration: Calibration) -> Lookalike:
    fmr = calibration.fmr(similarity)
    reason = (
        f"{person} looks like {other}, who is in the gallery already: similarity {similarity:.3f}, at or above "
        f"{threshold.similarity:.3f}; two different people are that similar in {fmr.value:.1e} of comparisons "
        f"(95 % interval {fmr.low:.1e} to {fmr.high:.1e})."
    )
    return Lookalike(other, similarity, threshold.similarity, fmr, reason)
