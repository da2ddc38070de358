"""Templates of several photos each, as in IJB-A (Klare et al. 2015), IJB-B and IJB-C (Maze et al. 2018)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import ConfigError, InputError
from mien.evaluation.evaluation import Evaluation
from mien.evaluation.protocols.listed_pairs import ListedPairs
from mien.evaluation.protocols.people import AllPairs
from mien.evaluation.protocols.photo_pairs import PhotoPairs
from mien.evaluation.protocols.protocol import (
    Differences,
    EmbeddedPhotos,
    EvaluationProtocol,
    Settings,
    data_of,
    photos_without_face,
)
from mien.evaluation.protocols.searched import Named, Searched
from mien.evaluation.protocols.tables import photo_files, read_table
from mien.photos import PhotoSource


def templates(
    listed: Path,
    *,
    photos: Path | None = None,
    pairs: Path | None = None,
    gallery: Path | None = None,
    probes: Path | None = None,
) -> "Templates":
    """Templates of several photos and video frames each, as in IJB: verification, or searches in a gallery.

    Args:
        listed: A CSV (template,subject,media,photo): the photos of each template; frames of one video share a media.
        photos: The folder that the photos' names start from; by default the list's.
        pairs: A CSV (first,second): the templates to compare; by default each with every other.
        gallery: A CSV (template): search the templates of --probes among these instead.
        probes: A CSV (template).
    """
    rows = read_table(listed, ("template", "subject", "media", "photo"))
    members: dict[str, list[tuple[str, str]]] = {}
    subject: dict[str, str] = {}
    for line, row in rows.items():
        if subject.setdefault(row["template"], row["subject"]) != row["subject"]:
            raise InputError(
                f"Line {line} of {listed}: the template {row['template']} is of two subjects.", code="input.templates"
            )
        members.setdefault(row["template"], []).append((row["media"], row["photo"]))
    if (gallery is None) != (probes is None) or (gallery and pairs):
        raise ConfigError("--gallery and --probes go together, and without --pairs.", code="config.templates")

    def named(path: Path, column: str) -> dict[int, str]:
        wanted = read_table(path, (column,))
        for line, row in wanted.items():
            if row[column] not in subject:
                raise InputError(
                    f"Line {line} of {path}: there is no template {row[column]} in {listed}.", code="input.templates"
                )
        return {line: row[column] for line, row in wanted.items()}

    held = {template: dict.fromkeys((photo for _, photo in parts), template) for template, parts in members.items()}
    compared = search = None
    if pairs is not None:
        first, second = named(pairs, "first"), named(pairs, "second")
        compared = list(zip(first.values(), second.values(), strict=True))
        for line, (one, other) in zip(first, compared, strict=True):
            _refuse_shared(pairs, line, one, held[one], held[other])
    elif gallery is not None and probes is not None:
        enrolled, searched = named(gallery, "template"), named(probes, "template")
        search = list(dict.fromkeys(enrolled.values())), list(dict.fromkeys(searched.values()))
        holders = _holders(held[template] for template in search[0])
        for line, probe in searched.items():
            _refuse_shared(probes, line, probe, held[probe], holders)
    else:
        holders = _holders(held.values())
        for line, row in rows.items():
            if holders[row["photo"]] != row["template"]:
                _refuse_shared(listed, line, row["template"], [row["photo"]], holders)
    folder = photos or listed.parent
    files = photo_files(listed, (row["photo"] for row in rows.values()), folder)
    return Templates(listed.stem, files, members, subject, compared, search)


def _holders(held: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The first of several templates that has each photo, from the photos of each with its own name."""
    return {photo: template for photos in reversed(list(held)) for photo, template in photos.items()}


def _refuse_shared(path: Path, line: int, template: str, photos: Iterable[str], holders: Mapping[str, str]) -> None:
    """Refuse a template that would be compared with one of the same photo: of that they are alike, whoever it shows."""
    for photo in photos:
        if photo in holders:
            raise InputError(
                f"Line {line} of {path}: the templates {template} and {holders[photo]} would be compared, and both "
                f"have the photo {photo}.",
                hint="Compare templates that share no photo: --pairs, or --gallery and --probes, say which.",
                code="input.templates",
            )


def pool(embeddings: NDArray[np.float32], quality: NDArray[np.float32], media: Sequence[str]) -> NDArray[np.float32]:
    """One template from the photos of a person: their mean per medium, then the mean of these.

    Both means are weighted: a photo by its quality, a medium by the mean quality of its photos. So a video of a
    thousand frames weighs as much as one photo as good.

    Args:
        embeddings: (n, D) of unit length, n ≥ 1.
        quality: (n,) above 0.
        media: (n,) which photo or video each one is of.

    Returns:
        (D,) of unit length.
    """
    _, index, frames = np.unique(np.asarray(media, str), return_inverse=True, return_counts=True)
    weight = quality.astype(np.float64) / frames[index]  # Σ over a medium: its mean quality
    template = (weight[:, None] * embeddings).sum(axis=0)
    return np.asarray(template / max(float(np.linalg.norm(template)), np.finfo(np.float32).tiny), np.float32)


@dataclass(frozen=True, eq=False)
class Templates:
    """Templates of photos, compared or searched as if each were one photo.

    Args:
        data: What the set is called.
        photos: What to open for each photo.
        members: The medium and the photo of each part of each template.
        subject: Whose each template is.
        pairs: Which templates to compare; None for all.
        search: The templates of the gallery and of the probes, for searches instead.
    """

    data: str
    photos: Mapping[str, PhotoSource]
    members: Mapping[str, Sequence[tuple[str, str]]]
    subject: Mapping[str, str]
    pairs: Sequence[tuple[str, str]] | None
    search: tuple[Sequence[str], Sequence[str]] | None
    name = "templates"
    aligned = False

    def evaluate(self, embedded: EmbeddedPhotos, settings: Settings) -> Evaluation:
        """Pool the templates, and measure what was asked; the worst errors show each template's best photo."""
        pooled = self._pooled(embedded)
        evaluation = self._measured(pooled, settings)
        best = self._best_photos(embedded)
        worst = [
            replace(error, first=best[error.first], second=error.second and best[error.second])
            for error in evaluation.worst
            if error.kind != "no face"
        ]
        facts = {
            "templates": len(self.members),
            "templates without a face": len(self.members) - len(pooled.names),
            "media": len({(template, medium) for template, parts in self.members.items() for medium, _ in parts}),
            "pooling": "mean per medium, then over media, weighted by the detection score",
            **evaluation.data.facts,
        }
        return replace(
            evaluation,
            protocol=self.name,
            title=f"Templates of {self.data}",
            data=data_of(self.data, list(self.photos), embedded, len(set(self.subject.values())), facts),
            worst=(*worst, *photos_without_face(list(self.photos), embedded)),
        )

    def compare(self, first: EmbeddedPhotos, second: EmbeddedPhotos, settings: Settings) -> Differences:
        """The differences of two encoders on the same templates."""
        one, other = self._pooled(first), self._pooled(second)
        if self.search is not None:
            return self._searched(one, *self.search).compare(self._searched(other, *self.search), settings)
        return self._compared().compare(one, other, settings)

    def answers(self, embedded: EmbeddedPhotos, settings: Settings) -> Iterator[dict[str, Any]]:
        """The listed pairs of templates with their similarities, or the best subject for each probe."""
        pooled = self._pooled(embedded)
        if self.search is not None:
            return self._searched(pooled, *self.search).answers(settings.threshold)
        return self._compared().answers(pooled, settings)

    def _measured(self, pooled: EmbeddedPhotos, settings: Settings) -> Evaluation:
        if self.search is None:
            return self._compared().evaluate(pooled, settings)
        searched = self._searched(pooled, *self.search)
        probes, known = len(searched.probes.names), len(searched.known)
        return Evaluation(
            protocol=self.name,
            title=self.data,
            question=f"How often is the subject of each of {probes:,} templates found among {known:,} known ones?",
            data=data_of(
                self.data,
                [],
                pooled,
                None,
                {
                    "templates in the gallery": len(searched.gallery.names),
                    "known people without a face to enrol": len(searched.not_enrolled),
                    "probes": probes,
                },
            ),
            encoder=pooled.encoder,
            identification=searched.measures(settings.threshold, settings),
            worst=tuple(searched.worst(settings.threshold)),
            made=settings.made(),
        )

    def _compared(self) -> EvaluationProtocol:
        if self.pairs is None:
            return AllPairs(self.data, dict.fromkeys(self.members, b""), self.subject)
        people = np.array([(self.subject[one], self.subject[other]) for one, other in self.pairs], np.str_)
        first, second = zip(*self.pairs, strict=True)
        found = PhotoPairs(first, second, people[:, 0] == people[:, 1], np.zeros(len(people), np.int64), people)
        return ListedPairs(self.name, self.data, self.data, found, {})

    def _searched(self, pooled: EmbeddedPhotos, gallery: Sequence[str], probes: Sequence[str]) -> Searched:
        enrolled = pooled.found(gallery)
        return Searched(
            Named(probes, [self.subject[name] for name in probes], pooled.vectors(probes)),
            Named(enrolled, [self.subject[name] for name in enrolled], pooled.vectors(enrolled)),
            {self.subject[name] for name in gallery} - {self.subject[name] for name in enrolled},
        )

    def _pooled(self, embedded: EmbeddedPhotos) -> EmbeddedPhotos:
        """The templates as if each were a photo."""
        row = {name: at for at, name in enumerate(embedded.names)}
        names, vectors, quality = [], [], []
        for template, parts in self.members.items():
            found = [(medium, row[photo]) for medium, photo in parts if photo in row]
            if found:
                rows = [at for _, at in found]
                names.append(template)
                quality.append(float(embedded.quality[rows].mean()))
                vectors.append(pool(embedded.embeddings[rows], embedded.quality[rows], [medium for medium, _ in found]))
        if not names:
            raise InputError(f"No photo of {self.data} has a face.", code="input.templates")
        there = set(names)
        without = [name for name in self.members if name not in there]
        return EmbeddedPhotos(names, np.array(vectors), np.array(quality, np.float32), without, embedded.encoder)

    def _best_photos(self, embedded: EmbeddedPhotos) -> dict[str, str]:
        """The photo of each template that shows it best."""
        quality = dict(zip(embedded.names, embedded.quality.tolist(), strict=True))
        return {
            template: max((photo for _, photo in parts), key=lambda photo: quality.get(photo, -1.0))
            for template, parts in self.members.items()
        }
