"""People who don't exist as a training set."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache
from os import cpu_count
from typing import Any

import numpy as np

from mien.faces import align
from mien.photos import PhotoSource
from mien.synthesis import Nuisances, Person, Population, load_card
from mien.training.data.sources.listing import list_hash
from mien.training.data.sources.photo_set import LabelledPhoto

_AHEAD = 4
"""Photos that each thread may be ahead of what was taken."""


@dataclass(frozen=True)
class SyntheticPeople:
    """Photos of people who don't exist, made while they are read, on all cores.

    Args:
        people: How many, from 1.
        photos_per_person: From 1.
        seed: Of the population, from 0: another seed has other people.
        first: Number of the first person, from 0, so that two sets of one seed share nobody.
        variation: How much the photos of one person differ, 0 to 2; see `mien.synthesis.Person.photo`.
        nuisances: How far photos may be from plain ones; None: `Nuisances()`, mild.
        size: Side of the photos, 48 to 2048 pixels. Faces fill a crop of 112 from about 160 on.
        aligned: Give crops aligned to ``arcface-112`` by the landmarks that the photos were made with, instead of
            photos, so that no face needs to be looked for.
    """

    people: int
    photos_per_person: int
    seed: int = 0
    first: int = 0
    variation: float = 0.3
    nuisances: Nuisances | None = None
    size: int = 160
    aligned: bool = False

    def __post_init__(self) -> None:
        if self.people < 1 or self.photos_per_person < 1:
            raise ValueError(
                f"people and photos_per_person must be at least 1, not {self.people} and {self.photos_per_person}"
            )
        if self.seed < 0 or self.first < 0:
            raise ValueError(f"seed and first must not be negative, not {self.seed} and {self.first}")

    def __len__(self) -> int:
        return self.people * self.photos_per_person

    def photos(self, start: int = 0) -> Iterator[LabelledPhoto]:
        """See `PhotoSet.photos`: a file's bytes each, or with `aligned` a crop's pixels (112, 112, 3)."""
        workers = cpu_count() or 1
        waiting: deque[tuple[int, Future[PhotoSource]]] = deque()
        with ThreadPoolExecutor(workers, thread_name_prefix="mien-synthetic") as pool:
            try:
                for number in range(start, len(self)):
                    waiting.append((number, pool.submit(self._make, number)))
                    if len(waiting) > workers * _AHEAD:
                        yield self._labelled(*waiting.popleft())
                while waiting:
                    yield self._labelled(*waiting.popleft())
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def describe(self) -> dict[str, Any]:
        """See `PhotoSet.describe`; with all that it takes to make the photos again."""
        settings = asdict(self) | {"nuisances": asdict(self.nuisances or Nuisances())}
        return {
            "kind": "synthetic",
            **{name: value for name, value in settings.items() if name != "photos_per_person"},
            "photos": len(self),
            "basis": load_card()["sha256"],
            "sha256": list_hash(self._name(number) for number in range(len(self))),
        }

    def _name(self, number: int) -> tuple[str, str]:
        person = f"synthetic-{self.seed}/person-{self.first + number // self.photos_per_person + 1:04d}"
        return f"{person}/{number % self.photos_per_person + 1:04d}.jpg", person

    def _labelled(self, number: int, made: "Future[PhotoSource]") -> LabelledPhoto:
        return LabelledPhoto(*self._name(number), made.result())

    def _make(self, number: int) -> PhotoSource:
        person = _person(self.seed, self.first + number // self.photos_per_person)
        photo = person.photo(
            number % self.photos_per_person, variation=self.variation, nuisances=self.nuisances, size=self.size
        )
        if not self.aligned:
            return photo.jpeg
        return np.asarray(align(photo.pixels, np.asarray(photo.truth["landmarks"])[None])[0], np.uint8)


@lru_cache(maxsize=64)
def _person(seed: int, number: int) -> Person:
    """The person, whose code and hair are worked out once for all their photos."""
    return Population(seed).person(number)
