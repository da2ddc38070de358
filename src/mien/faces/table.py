"""The embedded faces of many photos as one table, which can be saved, read again and carried on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from mien.errors import InputError
from mien.faces.alignment import align
from mien.faces.faces import Faces
from mien.photos import Photo


@dataclass(eq=False)
class FaceTable:
    """One row a face, and a list of the photos that gave none.

    Attributes:
        encoder_name: What made the embeddings.
        encoder_identity: SHA-256 over all that an embedding depends on.
        settings: How faces were found and chosen; JSON-ready.
        sources: For each face, the photo it is from.
        boxes: (N, 4) float32 pixels of that photo.
        landmarks: (N, 5, 2) float32 pixels of that photo.
        scores: (N,) float32 detection scores.
        embeddings: (N, D) float32 of unit length.
        problems: For each photo without a face, why.
    """

    encoder_name: str
    encoder_identity: str
    settings: dict[str, Any] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)
    boxes: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    landmarks: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 5, 2), np.float32))
    scores: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    embeddings: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    problems: dict[str, dict[str, str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.sources)

    def photos_done(self) -> set[str]:
        """The photos that the table has an answer for."""
        return {*self.sources, *self.problems}

    def forget_unreadable(self) -> None:
        """Forget the photos that could not be read, so that they are tried again; those without a face stay."""
        self.problems = {name: why for name, why in self.problems.items() if why["code"].startswith("no-face")}

    def extend(self, photos: Iterable[Faces]) -> None:
        """Add the faces of more photos; when the iterable is interrupted, all that came before is kept."""
        new: list[Faces] = []
        try:
            for faces in photos:
                new.append(faces)
                if faces.problem is not None:
                    self.problems[faces.source] = faces.problem.to_dict()
                elif not len(faces):
                    self.problems[faces.source] = {"code": "no-face.none", "message": "No face was found.", "hint": ""}
        finally:
            new = [faces for faces in new if len(faces)]
            self.sources += [faces.source for faces in new for _ in range(len(faces))]
            if new:
                self.boxes = np.concatenate([self.boxes, *(faces.boxes for faces in new)])
                self.landmarks = np.concatenate([self.landmarks, *(faces.landmarks for faces in new)])
                self.scores = np.concatenate([self.scores, *(faces.scores for faces in new)])
                old = [self.embeddings] if len(self.embeddings) else []
                self.embeddings = np.concatenate([*old, *(faces.embeddings for faces in new)])

    def only(self, photos: Iterable[str]) -> FaceTable:
        """The part of the table that is about these photos."""
        wanted = set(photos)
        rows = [row for row, source in enumerate(self.sources) if source in wanted]
        return replace(
            self,
            sources=[self.sources[row] for row in rows],
            boxes=self.boxes[rows],
            landmarks=self.landmarks[rows],
            scores=self.scores[rows],
            embeddings=self.embeddings[rows],
            problems={name: why for name, why in self.problems.items() if name in wanted},
        )

    def photo_numbers(self) -> NDArray[np.int64]:
        """For each face, a number that is the same for faces of one photo, (N,)."""
        numbers: dict[str, int] = {}
        return np.array([numbers.setdefault(source, len(numbers)) for source in self.sources], np.int64)

    def crops(self, template: str = "arcface-112") -> Iterator[NDArray[np.uint8]]:
        """Cut each face out of its photo, which is opened again: (H, W, 3) uint8 RGB each.

        Raises:
            PhotoError: A photo is no longer there.
        """
        for source, rows in groupby(range(len(self)), key=lambda row: self.sources[row]):
            yield from align(Photo.open(source).pixels, self.landmarks[list(rows)], template)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table as a NumPy archive; an interrupted write leaves the old file as it was."""
        path = Path(path)
        about = {
            "encoder_name": self.encoder_name,
            "encoder_identity": self.encoder_identity,
            "settings": self.settings,
            "problems": self.problems,
        }
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        try:
            with partial.open("wb") as file:
                np.savez(
                    file,
                    sources=np.array(self.sources, np.str_),
                    boxes=self.boxes,
                    landmarks=self.landmarks,
                    scores=self.scores,
                    embeddings=self.embeddings,
                    about=np.array(json.dumps(about, ensure_ascii=False)),
                )
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FaceTable:
        """Read a table that `save` wrote.

        Raises:
            InputError: It isn't there, or is not such a table.
        """
        try:
            with Path(path).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                about: dict[str, Any] = json.loads(str(file["about"]))
                return cls(
                    about["encoder_name"],
                    about["encoder_identity"],
                    about["settings"],
                    file["sources"].tolist(),
                    file["boxes"],
                    file["landmarks"],
                    file["scores"],
                    file["embeddings"],
                    about["problems"],
                )
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise InputError(
                f"{os.fspath(path)} is not a table of faces that `mien embed` wrote ({error}).",
                hint="Make one with: mien embed PHOTOS -o faces.npz",
            ) from error
