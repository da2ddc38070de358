from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from mien.decisions.measured import EncoderIdentity
from mien.decisions.wording import counted
from mien.evaluation.measures.closed_set import ClosedSet
from mien.evaluation.measures.clustering import ClusteringMeasures
from mien.evaluation.measures.estimate import Estimate
from mien.evaluation.measures.folds import FoldedAccuracy
from mien.evaluation.measures.identification import IdentificationMeasures
from mien.evaluation.measures.verification import VerificationMeasures

ErrorKind = Literal["false match", "false non-match", "no face", "wrong person", "missed"]


@dataclass(frozen=True, slots=True)
class EvaluationData:
    """The photos that an evaluation was made on.

    Args:
        name: What the set is called, such as ``"lfw"``.
        people: How many different people are in it; None where that isn't known.
        photos: How many photos have a part in the protocol, those without a face included; 0 where only scores are
            known.
        photos_without_face: In how many of them no face was found.
        list_sha256: SHA-256 over the names of the photos, sorted, a line each; "" where only scores are known.
        facts: What else says how hard it was: gallery size, photos per person, split …
    """

    name: str
    people: int | None
    photos: int
    photos_without_face: int
    list_sha256: str
    facts: Mapping[str, int | float | str]

    @property
    def counts(self) -> list[str]:
        """How many people and photos, in words; nothing of what isn't known."""
        counts = [counted(self.people, "person", "people")] if self.people else []
        counts += [counted(self.photos, "photo")] if self.photos else []
        return counts + [f"{self.photos_without_face:,} of them without a face"] * bool(self.photos_without_face)


@dataclass(frozen=True, slots=True)
class WorstError:
    """One of the comparisons that went most wrong, or a photo in which no face was found.

    Args:
        kind: "false match" and "false non-match" are the most and the least alike of their kind, whatever the
            threshold; in searches "wrong person" is a stranger or somebody else's probe that is most like a person of
            the gallery, and "missed" a probe whose mate was not found first, or below the threshold.
        similarity: Of the two photos; None without a face.
        first: The name of a photo.
        second: The name of the other one; None without a face.
        first_person: Who is on the first; None where that isn't known.
        second_person: Who is on the second.
    """

    kind: ErrorKind
    similarity: float | None
    first: str
    second: str | None
    first_person: str | None
    second_person: str | None


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a protocol measured of one encoder, or of scores from anywhere.

    Args:
        protocol: The protocol's name, such as ``"lfw"``.
        title: The same for people, such as "LFW view 2".
        question: What was measured, in one plain sentence.
        data: What it was measured on.
        encoder: What made the embeddings; None for plain scores.
        calibration: The summary of the calibration that was used; None without one.
        verification: Error rates of comparisons 1:1.
        folds: Accuracy on each fold, for protocols with folds.
        identification: Error rates of searches 1:N.
        closed_set: Accuracy of classifiers, where every probe is one of the known people.
        clustering: How right groups are.
        worst: What went most wrong.
        made: How it came about: command, seed, versions, date; JSON-ready.
    """

    protocol: str
    title: str
    question: str
    data: EvaluationData
    encoder: EncoderIdentity | None = None
    calibration: Mapping[str, Any] | None = None
    verification: VerificationMeasures | None = None
    folds: FoldedAccuracy | None = None
    identification: IdentificationMeasures | None = None
    closed_set: ClosedSet | None = None
    clustering: ClusteringMeasures | None = None
    worst: Sequence[WorstError] = ()
    made: Mapping[str, Any] | None = None

    @property
    def doubt(self) -> str | None:
        """What is probably wrong with the data, as a sentence: mated comparisons surely score lower than others."""
        auc = self.verification.auc if self.verification else None
        if isinstance(auc, Estimate) and auc.high < 0.5:
            return (
                "Non-mated scores are the higher ones: are they distances, or are mated and non-mated scores swapped? "
                "Greater should mean more alike."
            )
        return None

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON-ready data; the measures of verification (auc, eer, …) are keys of the top level."""
        return {
            "protocol": self.protocol,
            "title": self.title,
            "question": self.question,
            "data": asdict(self.data),
            "doubt": self.doubt,
            "encoder": self.encoder.to_dict() if self.encoder else None,
            "calibration": dict(self.calibration) if self.calibration else None,
            **(self.verification.to_dict() if self.verification else {}),
            "folds": self._folds(),
            "identification": self.identification.to_dict() if self.identification else None,
            "closed_set": self.closed_set.to_dict() if self.closed_set else None,
            "clustering": self.clustering.to_dict() if self.clustering else None,
            "worst": [asdict(error) for error in self.worst],
            "made": dict(self.made) if self.made else None,
        }

    def _folds(self) -> dict[str, Any] | None:
        if self.folds is None:
            return None
        return {
            "accuracy": self.folds.accuracy.tolist(),
            "threshold": self.folds.threshold.tolist(),
            "mean": self.folds.mean,
            "standard_error": self.folds.standard_error,
            "missed": self.folds.missed,
        }
