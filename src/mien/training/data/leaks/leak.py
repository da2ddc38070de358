"""Who of a training set is in a test set too, and must be left out before any figure on it means something."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np

from mien.decisions import Calibration
from mien.decisions.wording import rate_words
from mien.similarity import top_k
from mien.training.data.leaks.embedded_people import EmbeddedPeople
from mien.training.data.leaks.names import same_names

PERSON_FMR: Final = 4e-6
"""Of SFace, a similarity of 0.494. Of 90 people whom three web sets share with LFW by name, 88 reach it, and one of the
other two is a namesake; of those who reach it just so, most are needless: about one stranger in thirteen does."""
PHOTO_FMR: Final = 1e-6
"""Of SFace, 0.706. There are many photos, and one says less than all of a person's: only what is certain counts."""


@dataclass(frozen=True)
class Leak:
    """Somebody of the training set who is in the test set, or may be.

    Args:
        person: In the training set.
        kind: Whether it was the name or the face that gave them away; the name where both did.
        other: The person in the test set.
        photo: The other's photo that is most like the person's photos together; "" where only names were compared.
        similarity: How alike they are; None where only names were compared.
        threshold: The similarity from which faces count; None where only names were compared.
        fmr: The false match rate that the threshold stands for in comparisons of two photos.
    """

    person: str
    kind: Literal["name", "face"]
    other: str
    photo: str = ""
    similarity: float | None = None
    threshold: float | None = None
    fmr: float | None = None

    @property
    def reason(self) -> str:
        """Why, as a sentence."""
        if self.similarity is None or self.threshold is None or self.fmr is None:
            return f"{self.person} is called like {self.other}."
        alike = f"{self.person}'s photos together and {self.photo} are alike ({self.similarity:.3f}"
        if self.kind == "face":
            return f"{alike}; from {self.threshold:.3f} on, a false match rate of {rate_words(self.fmr)}, it counts)."
        if self.similarity >= self.threshold:
            return f"{self.person} is called like {self.other}, and {alike})."
        return f"{self.person} is called like {self.other}, though their faces are not alike ({self.similarity:.3f})."

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON-ready data."""
        return {**asdict(self), "reason": self.reason}


@dataclass(frozen=True)
class StrayPhoto:
    """A photo that shows somebody of the test set, though its person doesn't: a wrong label, or two people on it.

    Args:
        photo: In the training set.
        other_photo: In the test set.
        similarity: How alike they are.
    """

    photo: str
    other_photo: str
    similarity: float

    def to_dict(self) -> dict[str, Any]:
        """The photo as JSON-ready data."""
        return asdict(self)


def find_leaks(
    training: EmbeddedPeople, test: EmbeddedPeople, calibration: Calibration, *, fmr: float = PERSON_FMR
) -> list[Leak]:
    """Find who of a training set is in a test set, by name and by face.

    Each person's template, the mean of all their embeddings, is compared with every photo of the test set. The
    threshold's rate is that of comparisons of two photos; means of many are more alike, both to the same person and to
    others, so that somewhat more people are left out needlessly than it says, and fewer are missed.

    Args:
        training: Who might have to be left out.
        test: Who must not be learnt from.
        calibration: Of the encoder that made both embeddings.
        fmr: The false match rate of the threshold; smaller leaves out fewer and misses more.

    Returns:
        One for each person found, in order of name.

    Raises:
        CalibrationError: It is another encoder's, or doesn't support the rate.
    """
    for people in (training, test):
        calibration.require_encoder(people.encoder_identity)
    threshold = calibration.threshold(fmr)
    similarity, nearest = top_k(training.templates, test.embeddings, 1)
    called = same_names(training.names, test.names)
    leaks = []
    for number, person in enumerate(training.names):
        if person in called:
            photo, alike = _most_alike(training, number, test, called[person])
            kind: Literal["name", "face"] = "name"
        elif len(test.photos) and similarity[number, 0] >= threshold.similarity:
            photo, alike = int(nearest[number, 0]), float(similarity[number, 0])
            kind = "face"
        else:
            continue
        found = Leak(
            person, kind, test.people[photo], test.photos[photo], alike, threshold.similarity, threshold.fmr.value
        )
        leaks.append(found)
    return leaks


def find_stray_photos(
    training: EmbeddedPeople,
    test: EmbeddedPeople,
    calibration: Calibration,
    *,
    fmr: float = PHOTO_FMR,
    left_out: Collection[str] = (),
) -> list[StrayPhoto]:
    """Find single photos of a training set that show somebody of a test set.

    Args:
        training: Whose photos are looked through.
        test: Who must not be learnt from.
        calibration: Of the encoder that made both embeddings.
        fmr: The false match rate of the threshold.
        left_out: People of the training set who need no look, because they are left out anyway.

    Returns:
        One for each photo found, in the training set's order.

    Raises:
        CalibrationError: It is another encoder's, or doesn't support the rate.
    """
    for people in (training, test):
        calibration.require_encoder(people.encoder_identity)
    threshold = calibration.threshold(fmr).similarity
    unwanted = set(left_out)
    rows = np.flatnonzero([person not in unwanted for person in training.people])
    similarity, nearest = top_k(training.embeddings[rows], test.embeddings, 1)
    return [
        StrayPhoto(training.photos[row], test.photos[photo[0]], float(alike[0]))
        for row, alike, photo in zip(rows, similarity, nearest, strict=True)
        if len(photo) and alike[0] >= threshold
    ]


def _most_alike(
    training: EmbeddedPeople, number: int, test: EmbeddedPeople, others: tuple[str, ...]
) -> tuple[int, float]:
    """The photo of some people of the test set that is most like a person, and how alike it is."""
    rows = np.flatnonzero([person in others for person in test.people])
    alike = test.embeddings[rows] @ training.templates[number]
    best = int(np.argmax(alike))
    return int(rows[best]), float(alike[best])
