from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien.errors import ConfigError, InputError
from mien.evaluation.evaluation import Evaluation, WorstError
from mien.evaluation.measures.closed_set import closed_set_measures
from mien.evaluation.protocols.people import labelled_photos, photos_by_person
from mien.evaluation.protocols.protocol import (
    WORST,
    Differences,
    EmbeddedPhotos,
    Settings,
    data_of,
    last_part,
    photos_without_face,
)
from mien.photos import PhotoSource
from mien.similarity import top_k


def closed_set(folder: Path, *, train: float = 0.5, neighbours: int = 5, seed: int = 0) -> "ClosedSetOfPeople":
    """A folder of people: is each photo given to the right one of them, by classifiers made of their other photos?

    Args:
        folder: Where the folders of the people are; people with one photo have no part in it.
        train: The share of each person's photos that the classifiers are made of; at least one, and not all.
        neighbours: How many nearest neighbours vote.
        seed: Of the split.
    """
    if not 0 < train < 1:
        raise ConfigError(f"A share of {train} can't be used for training: it lies between 0 and 1.")
    if neighbours < 1:
        raise ConfigError(f"{neighbours} neighbours can't vote: give 1 or more.")
    photos, person = labelled_photos(folder)
    rng = np.random.default_rng(seed)
    trained, tested = [], []
    for of_one in photos_by_person(person).values():
        if len(of_one) > 1:
            count = min(max(1, round(train * len(of_one))), len(of_one) - 1)
            drawn = set(rng.permutation(len(of_one))[:count].tolist())
            trained += [photo for at, photo in enumerate(of_one) if at in drawn]
            tested += [photo for at, photo in enumerate(of_one) if at not in drawn]
    if len({person[photo] for photo in trained}) < 2:
        raise InputError(
            f"{folder} has not two people with two photos.",
            hint="A closed set takes two photos each.",
            code="input.people",
        )
    used = {photo: photos[photo] for photo in (*trained, *tested)}
    return ClosedSetOfPeople(last_part(folder), used, person, trained, tested, neighbours)


@dataclass(frozen=True, eq=False)
class ClosedSetOfPeople:
    """Photos of known people to make classifiers of, and others of the same people to ask them about.

    Args:
        data: What the set is called.
        photos: What to open for each.
        person: Whose each is.
        train: The photos that classifiers are made of.
        test: The photos that they are asked about.
        neighbours: How many nearest neighbours vote.
    """

    data: str
    photos: Mapping[str, PhotoSource]
    person: Mapping[str, str]
    train: list[str]
    test: list[str]
    neighbours: int
    name = "closed-set"
    aligned = False

    def evaluate(self, embedded: EmbeddedPhotos, settings: Settings) -> Evaluation:
        """Measure three classifiers; the worst errors are test photos whose nearest training photo is someone else."""
        train = embedded.found(self.train)
        known = {self.person[photo] for photo in train}
        test = [photo for photo in embedded.found(self.test) if self.person[photo] in known]
        if len(known) < 2 or not test:
            raise InputError(f"In {self.data}, faces were found of fewer than two people.", code="input.people")
        failed = set(self.test) - set(embedded.names) if settings.failures_are_errors else set()
        vectors = embedded.embeddings
        measures = closed_set_measures(
            vectors[embedded.rows(train)],
            [self.person[photo] for photo in train],
            vectors[embedded.rows(test)],
            [self.person[photo] for photo in test],
            failed_people=[self.person[photo] for photo in sorted(failed) if self.person[photo] in known],
            neighbours=self.neighbours,
        )
        wrong = [
            WorstError("wrong person", similarity, photo, nearest, self.person[photo], self.person[nearest])
            for photo, nearest, similarity in _nearest(embedded, test, train)
            if self.person[photo] != self.person[nearest]
        ]
        return Evaluation(
            protocol=self.name,
            title=f"The closed set of {self.data}",
            question=f"How often is the right one of {measures.people:,} people named, when every photo shows one?",
            data=data_of(
                self.data,
                list(self.photos),
                embedded,
                len({self.person[photo] for photo in self.photos}),
                {"training photos": len(self.train), "test photos": len(self.test)},
            ),
            encoder=embedded.encoder,
            closed_set=measures,
            worst=(
                *sorted(wrong, key=lambda error: -(error.similarity or 0))[:WORST],
                *photos_without_face(list(self.photos), embedded, self.person),
            ),
            made=settings.made(),
        )

    def compare(self, _: EmbeddedPhotos, __: EmbeddedPhotos, ___: Settings) -> Differences:
        """None: the figures stand beside each other."""
        return {}

    def answers(self, embedded: EmbeddedPhotos, _: Settings) -> Iterator[dict[str, Any]]:
        """The nearest training photo of each test photo."""
        found = _nearest(embedded, embedded.found(self.test), embedded.found(self.train))
        for photo, nearest, similarity in found:
            yield {
                "photo": photo,
                "person": self.person[photo],
                "nearest": nearest,
                "nearest_person": self.person[nearest],
                "similarity": f"{similarity:.6f}",
            }


def _nearest(embedded: EmbeddedPhotos, test: list[str], train: list[str]) -> Iterator[tuple[str, str, float]]:
    """Each test photo, the training photo that is most like it, and how alike they are."""
    vectors = embedded.embeddings
    similarity, nearest = top_k(vectors[embedded.rows(test)], vectors[embedded.rows(train)], 1)
    for photo, alike, row in zip(test, similarity[:, 0].tolist(), nearest[:, 0].tolist(), strict=True):
        yield photo, train[row], alike
