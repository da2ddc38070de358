import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mien.decisions.calibration import Calibration, checked
from mien.decisions.measured import EncoderIdentity
from mien.decisions.rate import Rate
from mien.decisions.wording import counted, interval_words, rate_words
from mien.errors import MienError

IdentificationDecision = Literal["match", "unknown", "ambiguous", "unusable"]

CLEARLY_LIKELIER = 10.0
"""How many times as likely as the second person the first must be, so that the answer is not ambiguous."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody in the gallery, and how alike the probe is to the most alike of their templates.

    Args:
        person: Who.
        similarity: Cosine.
        log_likelihood_ratio: ln(P(similarity | one person) / P(similarity | different people)); None if not known.
    """

    person: str
    similarity: float
    log_likelihood_ratio: float | None

    def to_dict(self) -> dict[str, Any]:
        """The candidate as JSON-ready data."""
        return {
            "person": self.person,
            "similarity": self.similarity,
            "log_likelihood_ratio": self.log_likelihood_ratio,
        }


@dataclass(frozen=True, slots=True)
class Identification:
    """Who somebody is, or that it is nobody in the gallery, and how often a stranger gets a name.

    Like a `Verification`, it has no truth value: compare `decision`.

    Args:
        decision: ``"match"``; ``"unknown"`` if nobody reaches the threshold; ``"ambiguous"`` if two people do and
            neither is clearly likelier; ``"unusable"`` if the photo gave nothing to compare.
        reason: The same as a sentence, with the rate, its interval and whose data it comes from.
        person: Who it is, if the decision is match.
        similarity: Of the most alike person; None if there is nobody to compare with.
        threshold: What it was compared with; None if there is nobody to compare with.
        fpir: The false positive identification rate at the threshold and this gallery's size; None where not known.
        gallery_size: With how many templates the probe was compared.
        candidates: The most alike people, most alike first.
        calibration: Where the rate comes from.
        likelihood: Where the candidates' likelihood ratios come from: `calibration`, or another if that has none.
        encoder: Whose embeddings were compared; None if that wasn't said, which leaves the calibration's.
        problem: Why it is unusable.
    """

    decision: IdentificationDecision
    reason: str
    person: str | None = None
    similarity: float | None = None
    threshold: float | None = None
    fpir: Rate | None = None
    gallery_size: int = 0
    candidates: tuple[Candidate, ...] = ()
    calibration: Calibration | None = None
    likelihood: Calibration | None = None
    encoder: EncoderIdentity | None = None
    problem: MienError | None = None

    @classmethod
    def unusable(
        cls,
        problem: MienError,
        calibration: Calibration | None = None,
        encoder: EncoderIdentity | None = None,
    ) -> "Identification":
        """The answer where a photo has no face, or is no photo."""
        return cls("unusable", f"unusable: {problem}", calibration=calibration, encoder=encoder, problem=problem)

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON-ready data."""
        encoder = self.encoder or (self.calibration.encoder if self.calibration else None)
        return {
            "decision": self.decision,
            "reason": self.reason,
            "person": self.person,
            "similarity": self.similarity,
            "threshold": self.threshold,
            "fpir": self.fpir.value if self.fpir else None,
            "fpir_interval": [self.fpir.low, self.fpir.high] if self.fpir else None,
            "gallery_size": self.gallery_size,
            "candidates": [candidate.to_dict() for candidate in self.candidates],
            "calibration": self.calibration.summary() if self.calibration else None,
            "likelihood": self.likelihood.summary() if self.likelihood else None,
            "encoder": encoder.to_dict() if encoder else None,
            "problem": self.problem.to_dict() if self.problem else None,
        }

    def __bool__(self) -> bool:
        raise TypeError("an identification is not just true or false: compare its .decision with 'match'")


def identify(
    candidates: Sequence[tuple[str, float]],
    gallery_size: int,
    calibration: Calibration | None,
    *,
    fpir: float = 0.01,
    threshold: float | None = None,
    likelihood: Calibration | None = None,
) -> Identification:
    """Decide who somebody is, given how alike they are to the people of a gallery.

    Args:
        candidates: People of the gallery with the similarity of their most alike template, each person once. Not all
            are needed, but the two most alike are.
        gallery_size: With how many templates the probe was compared: as many chances for a stranger to match. (People
            with several templates have them correlated; counting each errs on the safe side.)
        calibration: For the encoder of the embeddings; may be None if `threshold` is given.
        fpir: How often somebody who is not in the gallery may be taken for somebody who is.
        threshold: Decides instead of the one that follows from `fpir`; a similarity at it is a match.
        likelihood: For the same encoder; says which of two people is likelier where `calibration` was made without
            mated comparisons and can't. No threshold and no rate comes from it.

    Raises:
        ValueError: If an argument is out of range, NaN included, if a person comes twice, if a gallery that is not
            empty has no candidate, or if neither a calibration nor a threshold is given.
        CalibrationError: If the calibration does not support the rate at this gallery's size.
    """
    people = {person for person, _ in candidates}
    if len(people) < len(candidates):
        raise ValueError("a candidate comes twice; each person's most alike template is wanted")
    if gallery_size < len(candidates) or (gallery_size > 0 and not candidates):
        raise ValueError(f"{len(candidates)} candidates from a gallery of {gallery_size}")
    if calibration is None and threshold is None:
        raise ValueError("a decision needs a calibration or a threshold")
    likelihood = next((each for each in (calibration, likelihood) if each and each.likelihood), None)
    ranked = tuple(
        _candidate(person, similarity, likelihood)
        for person, similarity in sorted(candidates, key=lambda candidate: (-checked(candidate[1]), candidate[0]))
    )
    if not ranked:
        return Identification(
            decision="unknown", reason="unknown: nobody is enrolled in the gallery", calibration=calibration
        )
    if threshold is not None:
        limit = checked(threshold)
    else:
        assert calibration is not None
        limit = calibration.threshold_for_fpir(fpir, gallery_size).similarity
    rate = calibration.fpir(limit, gallery_size) if calibration else None
    decision = _decide(ranked, limit)
    return Identification(
        decision=decision,
        reason=_reason(decision, ranked, limit, rate, calibration, likelihood, gallery_size),
        person=ranked[0].person if decision == "match" else None,
        similarity=ranked[0].similarity,
        threshold=limit,
        fpir=rate,
        gallery_size=gallery_size,
        candidates=ranked,
        calibration=calibration,
        likelihood=likelihood,
    )


def _candidate(person: str, similarity: float, likelihood: Calibration | None) -> Candidate:
    similarity = checked(similarity)
    return Candidate(person, similarity, likelihood.log_likelihood_ratio(similarity) if likelihood else None)


def _decide(ranked: Sequence[Candidate], threshold: float) -> IdentificationDecision:
    if ranked[0].similarity < threshold:
        return "unknown"
    if not _second_is_alike(ranked, threshold):
        return "match"
    times = _times_as_likely(*ranked[:2])
    return "match" if times is not None and times >= CLEARLY_LIKELIER else "ambiguous"


def _second_is_alike(ranked: Sequence[Candidate], threshold: float) -> bool:
    return len(ranked) > 1 and ranked[1].similarity >= threshold


def _times_as_likely(first: Candidate, second: Candidate) -> float | None:
    if first.log_likelihood_ratio is None or second.log_likelihood_ratio is None:
        return None
    return math.exp(first.log_likelihood_ratio - second.log_likelihood_ratio)


def _reason(
    decision: IdentificationDecision,
    ranked: Sequence[Candidate],
    threshold: float,
    rate: Rate | None,
    calibration: Calibration | None,
    likelihood: Calibration | None,
    gallery_size: int,
) -> str:
    first = ranked[0]
    if decision == "unknown":
        what = f"unknown: the most alike of the gallery, {first.person}, has similarity {first.similarity:.4f}, below"
    elif not _second_is_alike(ranked, threshold):
        what = f"match: {first.person} has similarity {first.similarity:.4f}, at or above"
    else:
        what = f"{_two_alike(decision, first, ranked[1], likelihood, calibration)}; both at or above"
    if rate is None or calibration is None:
        return f"{what} {threshold:.4f}, the threshold given (no calibration says how often that is wrong)"
    return (
        f"{what} {threshold:.4f}, the threshold at which {rate_words(rate.value)} of strangers "
        f"({interval_words(rate)}) would match somebody in this gallery of {counted(gallery_size, 'photo')}, "
        f"as measured on {calibration.source_words(threshold)}"
    )


def _two_alike(
    decision: IdentificationDecision,
    first: Candidate,
    second: Candidate,
    likelihood: Calibration | None,
    calibration: Calibration | None,
) -> str:
    by = ""
    if likelihood is not None and likelihood is not calibration:
        by = f" (by {likelihood.people:,} people of {likelihood.data.name}"
        by += f", {likelihood.whose})" if likelihood.whose else ")"
    one, other = (f"{each.person} ({each.similarity:.4f})" for each in (first, second))
    times = _times_as_likely(first, second)
    if times is None:
        return f"ambiguous: {one} and {other} are both alike enough, and no calibration says which is likelier"
    if decision == "ambiguous":
        likelier = "neither is likelier" if f"{times:.2g}" == "1" else f"one is only {times:.2g} times likelier"
        return f"ambiguous: {one} and {other} are both alike enough, and {likelier}{by}"
    return f"match: {one} is {float(f'{times:.2g}'):,.0f} times likelier than {other}{by}"
