"""What every protocol is given, and what it does with it."""

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mien._version import __version__
from mien.decisions.calibration import Calibration
from mien.decisions.measured import EncoderIdentity
from mien.evaluation.calibrating.calibrate import list_sha256
from mien.evaluation.evaluation import Evaluation, EvaluationData, WorstError
from mien.evaluation.measures.differences import Difference
from mien.evaluation.measures.estimate import Unsupported
from mien.evaluation.measures.verification import VerificationMeasures, verification_measures
from mien.evaluation.scores.comparisons import Comparisons
from mien.evaluation.scores.pair_scores import PairScores
from mien.photos import PhotoSource

Differences = Mapping[str, Difference | Unsupported]
"""By measure, such as "eer", or measure and rate, such as "tar_at_far 1e-3"."""

_PAIRS_AT_ONCE = 65_536
WORST = 24
"""How many of the worst errors of each kind an evaluation keeps."""


@dataclass(frozen=True, eq=False)
class EmbeddedPhotos:
    """The photos of a protocol, after an encoder saw them.

    Args:
        names: (N,) the photos with a face, a row each.
        embeddings: (N, D) float32 of unit length.
        quality: (N,) float32 in [0, 1], how good each one is; the detection score, for now.
        without_face: The photos that gave no embedding.
        encoder: What made the embeddings.
        blurred: (N,) bool, which faces are so blurred, noisy or small that no two of them are to be compared
            (`Faces.blurred`); None where nobody looked.
    """

    names: Sequence[str]
    embeddings: NDArray[np.float32]
    quality: NDArray[np.float32]
    without_face: Sequence[str]
    encoder: EncoderIdentity
    blurred: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        if not len(self.names) == len(self.embeddings) == len(self.quality):
            raise ValueError(f"{len(self.names)} photos, {len(self.embeddings)} embeddings, {len(self.quality)} scores")

    def rows(self, photos: Sequence[str]) -> NDArray[np.int64]:
        """The row of each photo; −1 where it has no face."""
        row = {name: at for at, name in enumerate(self.names)}
        return np.array([row.get(photo, -1) for photo in photos], np.int64)

    def vectors(self, photos: Sequence[str]) -> NDArray[np.float32]:
        """The embedding of each photo, (n, D); a row of NaN where it has no face."""
        rows = self.rows(photos)
        vectors = np.full((len(rows), self.embeddings.shape[1]), np.nan, np.float32)
        vectors[rows >= 0] = self.embeddings[rows[rows >= 0]]
        return vectors

    def found(self, photos: Sequence[str]) -> list[str]:
        """Those of the photos that have a face, in the same order."""
        there = set(self.names)
        return [photo for photo in photos if photo in there]


@dataclass(frozen=True)
class Settings:
    """What the user may ask of any protocol.

    Args:
        threshold: A similarity at which error rates are wanted too.
        calibration: What maps similarities to likelihood ratios whose cost is wanted; None: no such measures.
        rule: What thresholds for a wanted error rate are taken from; None where there is none for the encoder.
        failures_are_errors: Whether a photo without a face counts as an error, or is left out and only counted.
        resamples: How many draws a bootstrap makes.
        seed: Of all that is drawn.
        command: What the evaluation was asked by.
    """

    threshold: float | None = None
    calibration: Calibration | None = None
    rule: Calibration | None = None
    failures_are_errors: bool = False
    resamples: int = 1000
    seed: int = 0
    command: str = ""

    def verification(self, scores: Comparisons | PairScores, without_face: Sequence[str] = ()) -> VerificationMeasures:
        """The error rates of comparisons, as these settings ask for them; `verification_measures` says of what."""
        return verification_measures(
            scores,
            without_face=without_face,
            threshold=self.threshold,
            calibration=self.calibration,
            failures_are_errors=self.failures_are_errors,
            resamples=self.resamples,
            seed=self.seed,
        )

    def made(self) -> dict[str, Any]:
        """How an evaluation with these settings came about."""
        return {
            "command": self.command,
            "seed": self.seed,
            "resamples": self.resamples,
            "failures_are_errors": self.failures_are_errors,
            "date": datetime.now(UTC).strftime("%Y-%m-%d"),
            "version": __version__,
            "python": platform.python_version(),
            **{package: version(package) for package in ("numpy", "onnxruntime", "scikit-learn")},
        }


class EvaluationProtocol(Protocol):
    """Which photos are compared with which, and what is measured of that."""

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        ...

    @property
    def photos(self) -> Mapping[str, PhotoSource]:
        """What to open for each photo, by the name that the protocol calls it."""
        ...

    @property
    def aligned(self) -> bool:
        """Whether the photos are aligned crops already, in which no face needs to be looked for."""
        ...

    def evaluate(self, embedded: EmbeddedPhotos, settings: Settings) -> Evaluation:
        """Measure."""
        ...

    def compare(self, first: EmbeddedPhotos, second: EmbeddedPhotos, settings: Settings) -> Differences:
        """How much greater measures are for one encoder than for another, draw by draw; none if that isn't known."""
        ...

    def answers(self, embedded: EmbeddedPhotos, settings: Settings) -> Iterator[dict[str, Any]]:
        """Each comparison, or what came of each probe or photo, as a row of a table."""
        ...


def data_of(
    name: str, photos: Sequence[str], embedded: EmbeddedPhotos, people: int | None, facts: Mapping[str, Any]
) -> EvaluationData:
    """What an evaluation says of its photos."""
    return EvaluationData(
        name=name,
        people=people,
        photos=len(photos),
        photos_without_face=len(set(photos) - set(embedded.names)),
        list_sha256=list_sha256(photos),
        facts=facts,
    )


def last_part(path: Path) -> str:
    """What a file or folder is called, be it by dots."""
    return path.resolve().name if path.name in ("", "..") else path.name


def similarities(embeddings: NDArray[np.float32], pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """The cosine of each pair of rows, (P,) float64; NaN where a row is −1.

    Args:
        embeddings: (N, D) of unit length.
        pairs: (P, 2) rows.
    """
    similarity = np.full(len(pairs), np.nan)
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        part = pairs[start : start + _PAIRS_AT_ONCE]
        there = (part >= 0).all(axis=1)
        first, second = embeddings[part[there]].astype(np.float64).transpose(1, 0, 2)
        similarity[start : start + _PAIRS_AT_ONCE][there] = (first * second).sum(axis=1)
    return similarity


def worst_comparisons(
    scores: Comparisons, names: Sequence[tuple[str, str]], people: Sequence[tuple[str, str]] | None
) -> list[WorstError]:
    """The non-mated comparisons that are most alike, and the mated ones that are least alike, the worst first.

    Args:
        scores: P comparisons.
        names: (P, 2) the names of both photos.
        people: (P, 2) who is on them; None where that isn't known.
    """
    worst = []
    for kind, mated, sign in (("false match", False, -1), ("false non-match", True, 1)):
        rows = np.flatnonzero((scores.mated == mated) & ~np.isnan(scores.similarity))
        order = rows[np.argsort(sign * scores.similarity[rows], kind="stable")]
        for row in order[:WORST].tolist():
            who = (None, None) if people is None else (str(people[row][0]), str(people[row][1]))
            worst.append(WorstError(kind, float(scores.similarity[row]), *names[row], *who))  # type: ignore[arg-type]
    return worst


def photos_without_face(
    photos: Sequence[str], embedded: EmbeddedPhotos, person: Mapping[str, str] | None = None
) -> list[WorstError]:
    """The photos of a protocol in which no face was found, as errors."""
    there = set(embedded.names)
    return [
        WorstError("no face", None, photo, None, person.get(photo) if person else None, None)
        for photo in photos
        if photo not in there
    ]
