import math
from dataclasses import dataclass
from typing import Any, Literal

from mien.decisions.calibration import Calibration, checked, posterior
from mien.decisions.measured import EncoderIdentity
from mien.decisions.rate import Rate
from mien.decisions.wording import interval_words, rate_words
from mien.errors import MienError

VerificationDecision = Literal["match", "no_match", "ambiguous", "unusable"]


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether two photos show one person, and how often such an answer is wrong.

    It has no truth value: half of the possible answers are neither yes nor no, and an object without a truth value of
    its own would count as true. Compare `decision`.

    Args:
        decision: ``"match"``; ``"no_match"``; ``"ambiguous"`` if the similarity lies where the threshold itself is
            uncertain; ``"unusable"`` if a photo gave nothing to compare.
        reason: The same as a sentence, with the rate, its interval and whose data it comes from.
        similarity: Of the two photos; None if unusable.
        threshold: What it was compared with; None if unusable. A given one has itself as its interval.
        threshold_interval: Lower and upper end of the threshold's 95 % interval.
        fmr: The false match rate at the threshold; None without a calibration.
        probability: P(one person), by the calibrated likelihood ratio and `prior`; None where that is not known.
        prior: P(one person) before looking.
        comparisons: Of how many pairs of faces the most alike was taken.
        calibration: Where the rate comes from.
        encoder: Whose embeddings were compared; None if that wasn't said, which leaves the calibration's.
        problem: Why it is unusable.
        notes: What else the user should know, such as that a photo shows several faces.
    """

    decision: VerificationDecision
    reason: str
    similarity: float | None = None
    threshold: float | None = None
    threshold_interval: tuple[float, float] | None = None
    fmr: Rate | None = None
    probability: float | None = None
    prior: float = 0.5
    comparisons: int = 1
    calibration: Calibration | None = None
    encoder: EncoderIdentity | None = None
    problem: MienError | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def unusable(
        cls,
        problem: MienError,
        calibration: Calibration | None = None,
        encoder: EncoderIdentity | None = None,
    ) -> "Verification":
        """The answer where a photo has no face, or is no photo."""
        return cls("unusable", f"unusable: {problem}", calibration=calibration, encoder=encoder, problem=problem)

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON-ready data."""
        encoder = self.encoder or (self.calibration.encoder if self.calibration else None)
        return {
            "decision": self.decision,
            "reason": self.reason,
            "similarity": self.similarity,
            "threshold": self.threshold,
            "threshold_interval": list(self.threshold_interval) if self.threshold_interval else None,
            "fmr": self.fmr.value if self.fmr else None,
            "fmr_interval": [self.fmr.low, self.fmr.high] if self.fmr else None,
            "probability": self.probability,
            "prior": self.prior,
            "comparisons": self.comparisons,
            "calibration": self.calibration.summary() if self.calibration else None,
            "encoder": encoder.to_dict() if encoder else None,
            "problem": self.problem.to_dict() if self.problem else None,
            "notes": list(self.notes),
        }

    def __bool__(self) -> bool:
        raise TypeError("a verification is not just true or false: compare its .decision with 'match'")


def verify(
    similarity: float,
    calibration: Calibration | None,
    *,
    fmr: float = 1e-4,
    prior: float = 0.5,
    threshold: float | None = None,
    comparisons: int = 1,
) -> Verification:
    """Decide whether two photos of this similarity show one person.

    Args:
        similarity: Cosine of the two embeddings; of the most alike pair, if several faces were compared.
        calibration: For the encoder of the embeddings; may be None if `threshold` is given.
        fmr: How often two different people may be called one person.
        prior: P(one person) before looking, for `probability`.
        threshold: Decides instead of the one that follows from `fmr`; a similarity at it is a match.
        comparisons: Of how many pairs of faces `similarity` is the greatest, which `fmr` allows for.

    Raises:
        ValueError: If an argument is out of range, NaN included, or neither a calibration nor a threshold is given.
        CalibrationError: If the calibration does not support the false match rate.
    """
    similarity = checked(similarity)
    if comparisons < 1:
        raise ValueError(f"the best of {comparisons} comparisons does not exist")
    if calibration is None and threshold is None:
        raise ValueError("a decision needs a calibration or a threshold")
    if threshold is not None:
        limit = low = high = checked(threshold)
    else:
        assert calibration is not None
        known = calibration.threshold(fmr, best_of=comparisons)
        limit, low, high = known.similarity, known.low, known.high
    rate = calibration.fmr(limit).best_of(comparisons) if calibration else None
    decision = _decide(similarity, limit, (low, high))
    if decision == "ambiguous":
        place = f"lies between {low:.4f} and {high:.4f}, and the threshold is known no better than that"
    else:
        side = "above" if similarity > limit else "below" if similarity < limit else "at"
        place = f"is {side} {limit:.4f}, the threshold" + (" given" if threshold is not None else "")
    return Verification(
        decision=decision,
        reason=f"{decision.replace('_', ' ')}: similarity {similarity:.4f} {place} "
        + _basis(rate, calibration, comparisons, limit),
        similarity=similarity,
        threshold=limit,
        threshold_interval=(low, high),
        fmr=rate,
        probability=_probability(similarity, calibration, prior, comparisons),
        prior=prior,
        comparisons=comparisons,
        calibration=calibration,
    )


def _decide(similarity: float, threshold: float, interval: tuple[float, float]) -> VerificationDecision:
    low, high = interval
    if low < high and low <= similarity <= high:
        return "ambiguous"
    return "match" if similarity >= threshold else "no_match"


def _probability(similarity: float, calibration: Calibration | None, prior: float, comparisons: int) -> float | None:
    """P(one person). The best of k has up to k times the false matches, so a likelihood ratio up to k times less."""
    if not 0 < prior < 1:
        raise ValueError(f"a prior probability lies between 0 and 1, not at {prior}")
    if calibration is None or calibration.likelihood is None:
        return None
    return posterior(calibration.log_likelihood_ratio(similarity) - math.log(comparisons), prior)


def _basis(rate: Rate | None, calibration: Calibration | None, comparisons: int, threshold: float) -> str:
    if rate is None or calibration is None:
        return "(no calibration says how often that is wrong)"
    several = (
        f"; the most alike of {comparisons:,} pairs of faces, which the rate allows for" if comparisons > 1 else ""
    )
    return (
        f"for a false match rate of {rate_words(rate.value)} ({interval_words(rate)}), measured on "
        f"{calibration.source_words(threshold)}{several}"
    )
