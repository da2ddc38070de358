"""The worst errors with their photos, as many as a page can carry."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.evaluation.evaluation import Evaluation, WorstError
from mien.evaluation.reports.measure_words import similarity_words
from mien.evaluation.reports.page import last_part, picture

PhotoOf = Callable[[str], NDArray[np.uint8] | None]
"""From a photo's name the photo or the face in it, (H, W, 3) uint8 RGB; None if it can't be had."""

_SIDE = 140  # pixels
_MOST = 24  # of each kind, shared among the encoders: 216 thumbnails of less than 10 kB at the very most
_KINDS = {
    "false match": ("False matches", "Two people, and yet alike. The most alike first."),
    "false non-match": ("False non-matches", "One person, and yet not alike. The least alike first."),
    "wrong person": (
        "Wrong person",
        "A stranger or somebody else, and yet like a person of the gallery. The most alike first.",
    ),
    "missed": (
        "Missed",
        "A person of the gallery who wasn't found first, or not above the threshold. The least alike first.",
    ),
    "no face": ("No face found", "Without a face there is nothing to compare."),
}


@dataclass(frozen=True, slots=True)
class Side:
    """One photo of an error: who is on it, the file's name, the whole name, and a thumbnail, "" if it can't be had."""

    person: str
    name: str
    path: str
    thumbnail: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One error: its photos and what to say under them."""

    sides: list[Side]
    similarity: str


@dataclass(frozen=True, slots=True)
class Group:
    """The errors of one kind of one encoder, and how many there are of which these are shown."""

    heading: str
    meaning: str
    shown: list[Shown]
    count: int


def worst_errors(evaluations: Sequence[Evaluation], photo: PhotoOf) -> list[list[Group]]:
    """For each encoder its worst errors by kind. A photo is opened only if it is shown, and once."""
    most = max(1, _MOST // len(evaluations))
    thumbnails: dict[str, str] = {}

    def side(name: str, person: str | None) -> Side:
        if name not in thumbnails:
            pixels = photo(name)
            thumbnails[name] = "" if pixels is None else picture(pixels, _SIDE)
        return Side(person or "", last_part(name), name, thumbnails[name])

    def shown(error: WorstError) -> Shown:
        sides = [side(error.first, error.first_person)]
        if error.second is not None:
            sides.append(side(error.second, error.second_person))
        return Shown(sides, "" if error.similarity is None else similarity_words(error.similarity))

    return [
        [
            Group(heading, meaning, [shown(error) for error in errors[:most]], len(errors))
            for kind, (heading, meaning) in _KINDS.items()
            if (errors := [error for error in evaluation.worst if error.kind == kind])
        ]
        for evaluation in evaluations
    ]
