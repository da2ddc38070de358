"""What a gallery answers with."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Self

from mien.decisions import Identification, Rate
from mien.errors import MienError

Box = tuple[float, float, float, float]
"""x, y of the upper left corner, width, height in pixels of the upright photo."""


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """One person of a gallery.

    Attributes:
        name: What the person is called; unique in the gallery.
        templates: How many templates (faces) of them it holds.
        created: When the person was enrolled first, in UTC.
    """

    name: str
    templates: int
    created: datetime

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON-ready data."""
        return {"name": self.name, "templates": self.templates, "created": self.created.isoformat()}


@dataclass(frozen=True, slots=True)
class TemplateRecord:
    """Where one template came from; the embedding itself stays in the gallery.

    Attributes:
        source: The photo, as its path was given.
        photo_sha256: Of the photo's bytes, hexadecimal.
        box: The face in the photo.
        score: How sure the detector was that this is a face, in [0, 1].
        created: When it was enrolled, in UTC.
    """

    source: str
    photo_sha256: str
    box: Box
    score: float
    created: datetime

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON-ready data."""
        return {**asdict(self), "box": list(self.box), "created": self.created.isoformat()}


@dataclass(frozen=True, slots=True)
class PersonDetails:
    """One person of a gallery with all their templates, oldest first."""

    name: str
    created: datetime
    templates: tuple[TemplateRecord, ...]

    def to_dict(self) -> dict[str, Any]:
        """The details as JSON-ready data."""
        return {
            "name": self.name,
            "created": self.created.isoformat(),
            "templates": [template.to_dict() for template in self.templates],
        }


@dataclass(frozen=True)
class IdentifiedFace(Identification):
    """Who one face of a photo is, or that it is nobody in the gallery.

    Attributes:
        box: Which face; None if the photo shows none.
        notes: What else the user should know: how the face was found or chosen, and whether the stated rates do not
            hold in this gallery.
    """

    box: Box | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, identification: Identification, box: Box | None, notes: tuple[str, ...] = ()) -> Self:
        """An identification, of the face at `box`."""
        told = {each.name: getattr(identification, each.name) for each in fields(identification)}
        return cls(**told, box=box, notes=notes)

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON-ready data."""
        box = None if self.box is None else [round(side, 2) for side in self.box]
        return {"box": box, **super().to_dict(), "notes": list(self.notes)}


@dataclass(frozen=True, slots=True)
class SkippedPhoto:
    """A photo that could not be enrolled, and why."""

    source: str
    problem: MienError

    def __str__(self) -> str:
        return f"{self.source}: {self.problem}"

    def to_dict(self) -> dict[str, Any]:
        """The photo and its problem as JSON-ready data."""
        return {"source": self.source, **self.problem.to_dict()}


@dataclass(frozen=True, slots=True)
class Lookalike:
    """Another person of the gallery whom a face being enrolled looks like, above the threshold for identification.

    Attributes:
        person: Under which name that face is known already.
        similarity: Of the new face and theirs, at best (cosine, in [−1, 1]).
        threshold: From which on it counts.
        fmr: How often two different people are as similar as that.
        reason: All of this in a sentence.
    """

    person: str
    similarity: float
    threshold: float
    fmr: Rate
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """The lookalike as JSON-ready data."""
        return {**asdict(self), "fmr": self.fmr.to_dict()}


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What came of enrolling one person.

    Attributes:
        person: The name, as it is kept.
        new: Whether the person was not in the gallery before.
        added: The new templates.
        known: The photos that were enrolled for this person before.
        skipped: The photos that could not be used.
        lookalikes: Other people of the gallery whom the new templates look like.
        refused: Nothing was added because of the lookalikes.
        notes: What else the user should know, such as that a photo shows several faces.
    """

    person: str
    new: bool = False
    added: tuple[TemplateRecord, ...] = ()
    known: tuple[str, ...] = ()
    skipped: tuple[SkippedPhoto, ...] = ()
    lookalikes: tuple[Lookalike, ...] = ()
    refused: bool = False
    notes: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Everything to look at, as sentences: lookalikes, notes and skipped photos."""
        return (*(each.reason for each in self.lookalikes), *self.notes, *map(str, self.skipped))

    def to_dict(self) -> dict[str, Any]:
        """The enrolment as JSON-ready data."""
        return {
            "person": self.person,
            "new": self.new,
            "added": [each.to_dict() for each in self.added],
            "known": list(self.known),
            "skipped": [each.to_dict() for each in self.skipped],
            "lookalikes": [each.to_dict() for each in self.lookalikes],
            "refused": self.refused,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class ForgetReceipt:
    """What was deleted of a person.

    Attributes:
        person: The name.
        templates: How many templates were deleted.
        erased: The gallery's files were rewritten, then searched, and hold no part of the deleted embeddings. (Backups,
            snapshots and the disk's own spare blocks are out of reach.)
        reason: What that means; if not erased, why not and what to do.
        forgotten: When, in UTC.
    """

    person: str
    templates: int
    erased: bool
    reason: str
    forgotten: datetime

    def to_dict(self) -> dict[str, Any]:
        """The receipt as JSON-ready data."""
        return {**asdict(self), "forgotten": self.forgotten.isoformat()}
