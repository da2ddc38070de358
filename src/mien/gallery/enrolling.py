"""From photos to templates: what is enrolled of each person before it is written."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mien.errors import MienError
from mien.faces import FacePolicy, Faces, choose, too_blurred
from mien.gallery.records import Box, SkippedPhoto
from mien.gallery.tables import NewTemplate
from mien.photos import Photo, PhotoFile, PhotoSource, name_of
from mien.recognizer import Recognizer


@dataclass(eq=False)
class Draft:
    """A person about to be enrolled."""

    name: str
    templates: list[NewTemplate] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    repeated: list[tuple[str, str]] = field(default_factory=list)
    skipped: list[SkippedPhoto] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, faces: Faces, source: str, photo_sha256: str, policy: FacePolicy) -> None:
        """Take the face of a photo that counts, or note why there is none."""
        try:
            face = choose(faces, policy)
            if face.blurred[0]:
                raise too_blurred(source)
        except MienError as problem:
            self.skipped.append(SkippedPhoto(source, problem))
            return
        self.templates.append(
            NewTemplate(face.embeddings[0].copy(), source, photo_sha256, box_of(face.boxes[0]), float(face.scores[0]))
        )
        self.notes += [f"{source}: {note}" for note in face.notes]

    @property
    def known_photos(self) -> tuple[str, ...]:
        """Photos that were enrolled before, or are given again after they could be used."""
        used = {template.photo_sha256 for template in self.templates}
        return (*self.known, *(source for source, sha256 in self.repeated if sha256 in used))


def drafts(
    people: Mapping[str, Iterable[PhotoSource]],
    recognizer: Recognizer,
    policy: FacePolicy,
    photos_known: Callable[[str], set[str]],
) -> Iterator[Draft]:
    """Embed everybody's photos in one stream and yield each person as soon as theirs are done.

    Args:
        people: Names and photos.
        recognizer: Finds and embeds the faces.
        policy: Which face of a photo counts.
        photos_known: Gives the SHA-256 of the photos that are enrolled for a name; those are not embedded again.
    """
    begun: deque[Draft] = deque()
    under_way: deque[tuple[Draft, str, str]] = deque()  # whose photo, its source and hash, in the recognizer's order

    def new_photos() -> Iterator[PhotoSource]:
        for name, sources in people.items():
            draft = Draft(name)
            begun.append(draft)
            known, seen = photos_known(name), set[str]()
            for source in sources:
                try:
                    photo, sha256 = _hashed(source)
                except MienError as problem:
                    draft.skipped.append(SkippedPhoto(name_of(source), problem))
                    continue
                if sha256 in known:
                    draft.known.append(name_of(source))
                    continue
                if sha256 in seen:
                    draft.repeated.append((name_of(source), sha256))
                    continue
                seen.add(sha256)
                under_way.append((draft, name_of(source), sha256))
                yield photo

    for faces in recognizer.embed_many(new_photos()):
        draft, source, sha256 = under_way.popleft()
        while begun[0] is not draft:
            yield begun.popleft()
        draft.take(faces, source, sha256, policy)
    yield from begun


def box_of(row: NDArray[np.float32]) -> Box:
    """One row of `Faces.boxes` as plain numbers."""
    x, y, width, height = map(float, row)
    return x, y, width, height


def _hashed(source: PhotoSource) -> tuple[PhotoSource, str]:
    """A photo to embed, and the SHA-256 of its bytes: a file is read once, and one that is known is not decoded."""
    photo = PhotoFile.read(source) if isinstance(source, str | os.PathLike) else Photo.open(source)
    return photo, photo.sha256
