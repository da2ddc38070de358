from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.decisions.wording import counted
from mien.errors import ConfigError, InputError
from mien.evaluation.evaluation import Evaluation
from mien.evaluation.protocols.people import labelled_photos, photos_by_person
from mien.evaluation.protocols.protocol import (
    Differences,
    EmbeddedPhotos,
    Settings,
    data_of,
    last_part,
    photos_without_face,
)
from mien.evaluation.protocols.searched import Named, Searched, threshold_for
from mien.evaluation.scores.normalisation import Normalisation
from mien.photos import PhotoSource


def open_set(
    folder: Path,
    *,
    enrolled: int = 1,
    strangers: float | None = None,
    fpir: float = 0.01,
    normalisation: Normalisation = "none",
    cohort: int = 300,
    seed: int = 0,
) -> "OpenSet":
    """A folder of people, some known and some strangers: are the known ones found, and the strangers nobody?

    Args:
        folder: Where the folders of the people are.
        enrolled: How many photos of each known person are in the gallery, the first ones; the others are probes.
        strangers: The share of the people who are strangers, drawn; by default all with too few photos to be known.
        fpir: The false positive identification rate whose threshold, by the calibration, follows the gallery's size.
        normalisation: How similarities are made comparable between templates, by a cohort of strangers.
        cohort: How many photos of strangers, drawn, are the cohort of a normalisation; they are no probes then.
        seed: Of what is drawn.
    """
    if enrolled < 1:
        raise ConfigError(f"{enrolled} photos can't be enrolled: give 1 or more.")
    if not 0 < fpir < 1 or not (strangers is None or 0 < strangers < 1):
        raise ConfigError("A rate or a share lies between 0 and 1.")
    photos, person = labelled_photos(folder)
    by_person = photos_by_person(person)
    rng = np.random.default_rng(seed)
    if strangers is None:
        unknown = {name for name, of_one in by_person.items() if len(of_one) <= enrolled}
    else:
        names = list(by_person)
        unknown = {names[at] for at in rng.permutation(len(names))[: round(strangers * len(names))].tolist()}
    known = [name for name, of_one in by_person.items() if name not in unknown and len(of_one) > enrolled]
    if not known or not unknown:
        raise InputError(
            f"{folder} has {counted(len(known), 'person', 'people')} to know and "
            f"{counted(len(unknown), 'stranger')}, and it takes both.",
            hint=f"People with more than {counted(enrolled, 'photo')} can be known"
            + ("; enrol fewer." if not known else "; --strangers 0.5 makes a half of all strangers."),
            code="input.people",
        )
    gallery = [photo for name in known for photo in by_person[name][:enrolled]]
    mated = [photo for name in known for photo in by_person[name][enrolled:]]
    of_strangers = [photo for name in by_person if name in unknown for photo in by_person[name]]
    drawn: list[str] = []
    if normalisation != "none":
        drawn, of_strangers = _drawn_cohort(of_strangers, person, cohort, rng)
    used = {photo: photos[photo] for photo in (*gallery, *mated, *of_strangers, *drawn)}
    return OpenSet(last_part(folder), used, person, gallery, mated, of_strangers, fpir, normalisation, drawn)


def _drawn_cohort(
    of_strangers: list[str], person: Mapping[str, str], cohort: int, rng: np.random.Generator
) -> tuple[list[str], list[str]]:
    """The photos of a cohort, and those of the strangers who are left as probes: nobody is both."""
    by_person = list(photos_by_person(person, of_strangers).values())
    drawn: list[str] = []
    for at in rng.permutation(len(by_person)).tolist():
        drawn += by_person[at][: cohort - len(drawn)]
    whose = {person[photo] for photo in drawn}
    left = [photo for photo in of_strangers if person[photo] not in whose]
    if not 2 <= cohort == len(drawn) or not left:
        raise ConfigError(
            f"A cohort of {cohort} can't be drawn of {counted(len(of_strangers), 'photo')} of "
            f"{counted(len(by_person), 'stranger')}.",
            hint="Give a smaller --cohort, of 2 or more, that leaves people as probes; or photos of more strangers.",
        )
    return drawn, left


@dataclass(frozen=True, eq=False)
class OpenSet:
    """Known people with some photos in a gallery, and strangers; nobody is both.

    Args:
        data: What the set is called.
        photos: What to open for each.
        person: Whose each is.
        gallery: The photos of the known people that are enrolled.
        mated: Their other photos, which are probes.
        strangers: The photos of strangers, which are probes.
        fpir: The false positive identification rate whose threshold follows N.
        normalisation: How similarities are made comparable.
        cohort: Photos of other strangers, for that.
    """

    data: str
    photos: Mapping[str, PhotoSource]
    person: Mapping[str, str]
    gallery: Sequence[str]
    mated: Sequence[str]
    strangers: Sequence[str]
    fpir: float
    normalisation: Normalisation
    cohort: Sequence[str]
    name = "open-set"
    aligned = False

    def evaluate(self, embedded: EmbeddedPhotos, settings: Settings) -> Evaluation:
        """Measure identification, at the given threshold or at the one that follows N too."""
        searched, threshold, source = self._searched(embedded, settings)
        known = {self.person[photo] for photo in self.gallery}
        unknown = {self.person[photo] for photo in self.strangers}
        return Evaluation(
            protocol=self.name,
            title=f"Open-set search in {self.data}",
            question=f"How often is one of {counted(len(searched.known), 'known person', 'known people')} found, and "
            f"how often is one of {counted(len(unknown), 'stranger')} taken for one of them?",
            data=data_of(
                self.data,
                list(self.photos),
                embedded,
                len({self.person[photo] for photo in self.photos}),
                {
                    "people in the gallery": len(searched.known),
                    "templates in the gallery": len(searched.gallery.names),
                    "most photos enrolled per person": max(
                        sum(1 for _ in of_one) for of_one in photos_by_person(self.person, self.gallery).values()
                    ),
                    "known people without a face to enrol": len(known) - len(searched.known),
                    "mated probes": len(self.mated),
                    "strangers": len(unknown),
                    "strangers' probes": len(self.strangers),
                    "normalisation": self.normalisation,
                    "photos in the cohort": len(self.cohort),
                    "threshold from": source,
                },
            ),
            encoder=embedded.encoder,
            calibration=settings.rule.summary() if settings.rule and settings.threshold is None else None,
            identification=searched.measures(threshold, settings),
            worst=(*searched.worst(threshold), *photos_without_face(list(self.photos), embedded, self.person)),
            made=settings.made(),
        )

    def compare(self, first: EmbeddedPhotos, second: EmbeddedPhotos, settings: Settings) -> Differences:
        """The differences of two encoders in the same searches."""
        one, other = (self._searched(embedded, settings)[0] for embedded in (first, second))
        return one.compare(other, settings)

    def answers(self, embedded: EmbeddedPhotos, settings: Settings) -> Iterator[dict[str, Any]]:
        """The most alike person of each probe, `unknown` below the threshold."""
        searched, threshold, _ = self._searched(embedded, settings)
        for answer, whose in zip(searched.answers(threshold), searched.probes.people, strict=True):
            yield {**answer, "truth": whose}

    def _searched(self, embedded: EmbeddedPhotos, settings: Settings) -> tuple[Searched, float | None, str]:
        gallery = embedded.found(self.gallery)
        known, enrolled = ({self.person[photo] for photo in photos} for photos in (self.gallery, gallery))
        searched = Searched(
            self._named([*self.mated, *self.strangers], embedded),
            self._named(gallery, embedded),
            known - enrolled,
            self.normalisation,
            embedded.vectors(embedded.found(self.cohort)) if self.cohort else None,
        )
        if self.normalisation == "none":
            return searched, *threshold_for(settings, self.fpir, len(gallery))
        return searched, settings.threshold, "given" if settings.threshold is not None else "none for normalised scores"

    def _named(self, photos: Sequence[str], embedded: EmbeddedPhotos) -> Named:
        vectors: NDArray[np.float32] = embedded.vectors(photos)
        return Named(photos, [self.person[photo] for photo in photos], vectors)
