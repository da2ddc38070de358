"""Enrol some of the people with one photo each, then verify, identify and cluster all the other photos."""

import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.decisions import Clustering, Rate, Threshold, cluster
from mien.errors import InputError
from mien.evaluation import (
    EDGES,
    BCubed,
    bcubed,
    clopper_pearson,
    false_match_rates,
    false_non_match_rates,
    score_all_pairs,
)
from mien.faces import Faces, too_blurred
from mien.gallery import Gallery, IdentifiedFace
from mien.photos import find_people
from mien.progress import track
from mien.recognizer import Recognizer

KNOWN_SHARE = 0.75
FMR, FPIR = 1e-3, 0.01


@dataclass(frozen=True, eq=False)
class Portrait:
    """One usable photo of the demo: its face, and the truth about it.

    Attributes:
        person: Who it really is.
        path: The photo.
        crop: (112, 112, 3) uint8 RGB, the face.
        embedding: (D,) float32 of unit length.
        enrolled: It is the photo that its person was enrolled with.
        known: Its person is enrolled.
    """

    person: str
    path: Path
    crop: NDArray[np.uint8]
    embedding: NDArray[np.float32]
    enrolled: bool
    known: bool


@dataclass(frozen=True, eq=False)
class DemoResult:
    """What came of the demo, with the measured error rates.

    Attributes:
        portraits: Every photo with a usable face.
        unusable: The photos without one, with the reason.
        threshold: For verification, with the rate that the calibration states for it.
        similarities: (N, N) float32 of all portraits.
        mated: (N, N) bool: two different photos of one person.
        identified: For each portrait that isn't enrolled, the decision, by its place in `portraits`.
        clustering: Of all portraits.
        bcubed: How right the clusters are.
        rates: Measured error rates by name, with what each is the share of.
        calibration: The calibration's name.
        encoder: The encoder's name.
        seconds: How long it took.
    """

    portraits: tuple[Portrait, ...]
    unusable: dict[str, str]
    threshold: Threshold
    similarities: NDArray[np.float32]
    mated: NDArray[np.bool_]
    identified: dict[int, IdentifiedFace]
    clustering: Clustering
    bcubed: BCubed
    rates: dict[str, tuple[Rate, str]]
    calibration: str
    encoder: str
    seconds: float

    @property
    def people(self) -> Counter[str]:
        """How many photos there are of each person."""
        return Counter(one.person for one in self.portraits)

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON-ready data."""
        return {
            "people": len(self.people),
            "known": len({one.person for one in self.portraits if one.known}),
            "photos": len(self.portraits),
            "unusable": self.unusable,
            "rates": {name: {**rate.to_dict(), "of": of} for name, (rate, of) in self.rates.items()},
            "decisions": dict(Counter(one.decision for one in self.identified.values())),
            "clusters": int(self.clustering.labels.max()) + 1,
            "bcubed": {"precision": self.bcubed.precision, "recall": self.bcubed.recall, "f": self.bcubed.f},
            "calibration": self.calibration,
            "encoder": self.encoder,
            "seconds": round(self.seconds, 2),
        }


def run(people: Path, gallery: Path, recognizer: Recognizer) -> DemoResult:
    """Run the demo on a folder that has a folder of photos for each person.

    Args:
        people: The folder.
        gallery: The gallery's file, which must not exist yet.
        recognizer: What finds, embeds and compares faces.

    Raises:
        InputError: There are too few people or photos for anything to be shown.
    """
    start = time.perf_counter()
    portraits, unusable = _portraits(people, recognizer)
    known = {one.person for one in portraits if one.known}
    if len(known) < 2 or {one.known for one in portraits if not one.enrolled} != {True, False}:
        raise InputError(
            f"{people} has too few people for a demo.",
            hint="It takes a folder with three or more folders, one a person, with two or more photos of each.",
            code="input.people",
        )
    with Gallery(gallery, recognizer=recognizer) as store:
        enrolled = [one for one in portraits if one.enrolled]
        for one in track(enrolled, "enrolling people"):
            store.enroll(one.person, [one.path])
        probes = [number for number, one in enumerate(portraits) if not one.enrolled]
        identified: dict[int, IdentifiedFace] = {
            number: store.identify(portraits[number].path, fpir=FPIR, face="central")[0]
            for number in track(probes, "identifying faces")
        }
    embeddings = np.stack([one.embedding for one in portraits])
    names = np.array([one.person for one in portraits])
    similarities = embeddings @ embeddings.T
    mated = (names[:, None] == names) & ~np.eye(len(names), dtype=bool)
    threshold = recognizer.calibration.threshold(FMR)
    clustering = cluster(embeddings, recognizer.calibration)
    return DemoResult(
        portraits=tuple(portraits),
        unusable=unusable,
        threshold=threshold,
        similarities=similarities,
        mated=mated,
        identified=identified,
        clustering=clustering,
        bcubed=bcubed(clustering.labels, names),
        rates=_rates(portraits, identified, embeddings, threshold.similarity),
        calibration=recognizer.calibration.name,
        encoder=recognizer.encoder_name,
        seconds=time.perf_counter() - start,
    )


def _portraits(people: Path, recognizer: Recognizer) -> tuple[list[Portrait], dict[str, str]]:
    photos = [(_name(paths[0], name), path) for name, paths in find_people(people).items() for path in paths]
    names = list(dict.fromkeys(name for name, _ in photos))
    known = set(names[: max(1, round(KNOWN_SHARE * len(names)))])
    enrolled: set[str] = set()
    portraits, unusable = [], {}
    found = recognizer.embed_many((path for _, path in photos), face="central", keep_photos=True)
    for (name, path), faces in zip(photos, track(found, "embedding photos", len(photos)), strict=True):
        if len(faces) and not faces.blurred[0]:
            first = name in known and name not in enrolled
            portraits.append(_portrait(name, path, faces, first, name in known))
            enrolled.add(name)
        else:
            unusable[str(path)] = str(faces.problem or too_blurred(str(path)))
    return portraits, unusable


def _name(photo: Path, folder: str) -> str:
    """What a person is called: an invented one by the truth beside their photo, everyone else like their folder."""
    try:
        truth = json.loads(photo.with_suffix(".json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):  # there is none, or it is another program's
        return folder
    match truth:
        case {"synthetic": True, "name": str(name)}:
            return name
    return folder


def _portrait(name: str, path: Path, faces: Faces, enrolled: bool, known: bool) -> Portrait:
    return Portrait(name, path, faces.crops()[0], faces.embeddings[0], enrolled, known)


def _rates(
    portraits: list[Portrait], identified: dict[int, IdentifiedFace], embeddings: NDArray[np.float32], threshold: float
) -> dict[str, tuple[Rate, str]]:
    scores = score_all_pairs(embeddings, [one.person for one in portraits])
    known = {n: found for n, found in identified.items() if portraits[n].known}
    strangers = [found for n, found in identified.items() if not portraits[n].known]
    missed = sum(not (found.decision == "match" and found.person == portraits[n].person) for n, found in known.items())
    named = sum(found.decision == "match" for found in strangers)
    return {
        "false match rate": (
            false_match_rates(scores).curve.at(threshold, EDGES),
            f"{scores.non_mated.sum():,} pairs of photos of two people",
        ),
        "false non-match rate": (
            false_non_match_rates(scores).curve.at(threshold, EDGES),
            f"{scores.mated.sum():,} pairs of photos of one person",
        ),
        "false positive identification rate": (
            clopper_pearson(named, len(strangers)),
            f"{len(strangers)} photos of strangers",
        ),
        "false negative identification rate": (
            clopper_pearson(missed, len(known)),
            f"{len(known)} photos of known people",
        ),
    }
