"""The real training sets as crops, and who of them must be left out."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import KEPT, PHOTOS
from mien import Recognizer
from mien.cli.options import embed_photos
from mien.training.data.crop_set import CropSet, cut_crops, join, name_apart, open_crops
from mien.training.data.leaks import EmbeddedPeople, find_leaks
from mien.training.data.sources import PeopleFolder

TRAINING = ("celeba", "rof-neutral", "pins", "cfp", "casia", "glint")
TESTS = ("lfw", "celeba_test")
FOLDERS = {"rof-neutral": "rof/neutral"}
SAME_PERSON = 0.65
"""Similarity of two templates from which two names, in one set or in two, are taken for one person."""
LEFT_OUT = KEPT / "left-out.json"


class _Set(PeopleFolder):
    """A set by its name, so that its crops are the same wherever the photos lie."""

    def describe(self) -> dict[str, Any]:
        return {"set": self.folder.relative_to(PHOTOS).as_posix()}


def crops_folder(name: str) -> Path:
    """The crops of a set, cut where they are missing; an interrupted run carries on."""
    folder = KEPT / "crops" / name
    cut_crops(folder, _Set(PHOTOS / FOLDERS.get(name, name)))
    return folder


def people_of(*names: str) -> CropSet:
    """The crops of some training sets without those who must be left out, everybody under one name only."""
    crops = join([name_apart(open_crops(crops_folder(name)), name) for name in names])
    return crops.without_people(left_out(*names))


def left_out(*names: str) -> list[str]:
    """Who of some training sets, of all by default, must be left out: ``SET/NAME``.

    Whoever is in a test set too, by name or face, and the further names of somebody who has several, in one set or in
    two; the name with the most photos stays.
    """
    if not LEFT_OUT.exists():
        _find()
    found = json.loads(LEFT_OUT.read_text(encoding="utf-8"))
    wanted = names or TRAINING
    gone = [person for person in found["leaks"] if person.split("/")[0] in wanted]
    for group in found["same_person"]:
        gone += [person for person in group if person.split("/")[0] in wanted][1:]
    return gone


def left_out_list() -> Path:
    """The same of all training sets as a text file, as recipes take it."""
    file = LEFT_OUT.with_suffix(".txt")
    file.write_text("".join(f"{name}\n" for name in left_out()), encoding="utf-8")
    return file


def _find() -> None:
    recognizer = Recognizer("sface", flip=True)
    people = {name: _embedded(recognizer, name) for name in (*TRAINING, *TESTS)}
    leaks: dict[str, str] = {}
    for name in TRAINING:
        for test in TESTS:
            for leak in find_leaks(people[name], people[test], recognizer.calibration):
                leaks.setdefault(f"{name}/{leak.person}", f"{test}: {leak.reason}")
    content = {"leaks": leaks, "same_person": _several_names({name: people[name] for name in TRAINING}, leaks)}
    LEFT_OUT.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _embedded(recognizer: Recognizer, name: str) -> EmbeddedPeople:
    folder = PHOTOS / FOLDERS.get(name, name)
    keep = KEPT / f"{name}-sface-flip.npz"
    return EmbeddedPeople.of_table(embed_photos(recognizer, [str(folder)], face="central", keep=keep), folder)


def _several_names(sets: dict[str, EmbeddedPeople], gone: dict[str, str]) -> list[list[str]]:
    """The names of each person who has several, that with the most photos first."""
    photos = Counter(f"{name}/{person}" for name, people in sets.items() for person in people.people)
    called = [f"{name}/{person}" for name, people in sets.items() for person in people.names]
    stays = [place for place, one in enumerate(called) if one not in gone]
    templates = np.concatenate([people.templates for people in sets.values()])[stays]
    return [
        sorted((called[stays[place]] for place in group), key=lambda one: (-photos[one], one))
        for group in _groups(templates @ templates.T >= SAME_PERSON)
    ]


def _groups(alike: np.ndarray[Any, np.dtype[np.bool_]]) -> Iterator[list[int]]:
    """Places that are alike, directly or over others, two or more of them."""
    group = list(range(len(alike)))
    for one, other in combinations(range(len(alike)), 2):
        if alike[one, other] and group[one] != group[other]:
            low, high = sorted((group[one], group[other]))
            group = [low if place == high else place for place in group]
    for place, size in Counter(group).items():
        if size > 1:
            yield [at for at, of in enumerate(group) if of == place]
