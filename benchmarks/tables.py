"""Classical against deep: every encoder on LFW, CelebA and AT&T, learnt on other people's photos."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import PHOTOS, embedded_set, percent, table
from mien.cli.output import progress_shown
from mien.evaluation import (
    Comparisons,
    VerificationMeasures,
    closed_set_measures,
    folded_accuracy,
    read_pairs,
    verification_measures,
)
from mien.faces import FaceTable
from mien.progress import track
from mien.similarity import METRICS, pairwise
from mien.training.classical import BinaryPatterns, Eigenfaces, Fisherfaces, SiftFisherVectors
from mien.training.classical.crops import grey_crops

LEARNT_ON = ("celeba", "cfp")
TESTED_ON = ("lfw", "celeba_test", "att")
SAME_PERSON = 0.45
"""Who has an SFace similarity above this to anybody in a test set is not learnt on."""
KNOWN_PHOTOS = 5
"""Photos of each person of AT&T that are known; the others are to be named."""


@dataclass(frozen=True)
class Contestant:
    """An encoder: the vectors of each set's faces, and how they are compared."""

    name: str
    metric: str
    vectors: dict[str, NDArray[np.float32]]


def measure() -> str:
    """Measure all encoders; embeddings are kept in bench-results/, so that an interrupted run carries on."""
    with progress_shown():
        tables = {name: embedded_set(name, "sface", flip=True) for name in (*LEARNT_ON, *TESTED_ON)}
        pairs = _Pairs(tables)
        crops = {name: _crops(tables[name], rows) for name, rows in pairs.rows.items()}
        learnt, people = _learnt(tables)
        rows = [
            (one.name, one.metric, *_results(one, pairs)) for one in (*_classical(crops, learnt, people), *_deep(pairs))
        ]
    return (
        "# Classical against deep\n\n"
        f"The classical encoders learnt on {len(learnt):,} aligned frontal crops of {len(set(people)):,} people of "
        f"{' and '.join(LEARNT_ON)}, none of whom is in a test set (as far as SFace can tell); the deep ones are "
        "shipped with mien, the mirror image added. All see the same faces, found and aligned by mien. LFW: View 2, "
        "ten folds. celeba_test: all mated pairs and as many non-mated ones. AT&T: all pairs; and five photos of each "
        "of 40 people known, the other five named by the nearest template. Intervals are 95 %, over people.\n\n"
        + table(
            (
                "encoder",
                "compared by",
                "LFW accuracy ± standard error",
                "celeba_test AUC",
                "celeba_test TAR at FMR 1 %",
                "celeba_test TAR at FMR 0.1 %",
                "AT&T AUC",
                "AT&T closed set",
            ),
            rows,
        )
    )


def _classical(
    crops: dict[str, NDArray[np.uint8]], learnt: NDArray[np.uint8], people: list[str]
) -> Iterator[Contestant]:
    patterns = BinaryPatterns()
    for name, metric, estimator in (
        ("eigenfaces", "cosine", Eigenfaces().fit(learnt)),
        ("Fisherfaces", "cosine", Fisherfaces().fit(learnt, people)),
        ("local binary patterns", "chi_square", patterns),
        ("Fisher vectors of SIFT", "cosine", SiftFisherVectors().fit(learnt)),
    ):
        found = {of: estimator.transform(crops[of]) for of in TESTED_ON}
        yield Contestant(name, metric, found)


def _deep(pairs: "_Pairs") -> Iterator[Contestant]:
    for name in ("dlib", "sface", "fusion"):
        found = {of: pairs.taken(of, embedded_set(of, name, flip=True)) for of in TESTED_ON}
        yield Contestant(name, "cosine", found)


class _Pairs:
    """Which faces of the test sets are needed, and which of them are compared."""

    def __init__(self, tables: dict[str, FaceTable]) -> None:
        lfw = read_pairs(PHOTOS / "lfw" / "pairs.txt")
        self.lfw = lfw
        wanted = {*lfw.first, *lfw.second}
        self.names, self.rows = {}, {}
        for of in TESTED_ON:
            needed = [(row, name) for row, name in enumerate(_names(of, tables[of])) if of != "lfw" or name in wanted]
            self.rows[of] = np.array([row for row, _ in needed])
            self.names[of] = [name for _, name in needed]
        place = {name: row for row, name in enumerate(self.names["lfw"])}
        self.lfw_photos = np.array([[place[a], place[b]] for a, b in zip(lfw.first, lfw.second, strict=True)])

    def taken(self, of: str, found: FaceTable) -> NDArray[np.float32]:
        """The embeddings of the needed faces, in order."""
        place = {name: row for row, name in enumerate(_names(of, found))}
        return found.embeddings[[place[name] for name in self.names[of]]]

    def people(self, of: str) -> NDArray[np.int64]:
        """Whose photo each needed face is."""
        return np.unique([name.split("/")[0] for name in self.names[of]], return_inverse=True)[1].astype(np.int64)


def _results(one: Contestant, pairs: _Pairs) -> tuple[str, ...]:
    lfw = folded_accuracy(_similarity(one, "lfw", pairs.lfw_photos), pairs.lfw.mated, pairs.lfw.fold)
    celebrities = _verified(one, "celeba_test", pairs, balanced=True)
    att = _verified(one, "att", pairs, balanced=False)
    return (
        f"{100 * lfw.mean:.2f} ± {100 * lfw.standard_error:.2f} %",
        percent(celebrities.auc),
        percent(celebrities.tar_at_far["1e-2"]),
        percent(celebrities.tar_at_far["1e-3"]),
        percent(att.auc),
        _closed_set(one, pairs.people("att")),
    )


def _verified(one: Contestant, of: str, pairs: _Pairs, *, balanced: bool) -> VerificationMeasures:
    """All mated pairs of a set, and all non-mated ones or as many of them, drawn."""
    people = pairs.people(of)
    photos = np.stack(np.triu_indices(len(people), 1), axis=1)
    mated = people[photos[:, 0]] == people[photos[:, 1]]
    if balanced:
        drawn = np.random.default_rng(0).choice(np.flatnonzero(~mated), int(mated.sum()), replace=False)
        kept = np.sort(np.concatenate([np.flatnonzero(mated), drawn]))
        photos, mated = photos[kept], mated[kept]
    return verification_measures(Comparisons(_similarity(one, of, photos), mated, people=people[photos]))


def _similarity(one: Contestant, of: str, photos: NDArray[np.int64]) -> NDArray[np.float64]:
    vectors = one.vectors[of]
    parts = np.array_split(photos, len(photos) // 5000 + 1)
    return np.concatenate(
        [pairwise(vectors[part[:, 0]], vectors[part[:, 1]], METRICS[one.metric]) for part in parts]
    ).astype(np.float64)


def _closed_set(one: Contestant, people: NDArray[np.int64]) -> str:
    vectors = one.vectors["att"]
    if one.metric == "chi_square":
        vectors = np.sqrt(vectors)  # the nearest template goes by cosine
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    nth = np.array([(people[:row] == person).sum() for row, person in enumerate(people)])
    known, asked = nth < KNOWN_PHOTOS, nth >= KNOWN_PHOTOS
    labels = people.astype(str)
    found = closed_set_measures(vectors[known], labels[known].tolist(), vectors[asked], labels[asked].tolist())
    return percent(found.classifiers["nearest template"].accuracy)


def _learnt(tables: dict[str, FaceTable]) -> tuple[NDArray[np.uint8], list[str]]:
    """Grey crops to learn on, and whose each is."""
    tests = np.concatenate([tables[name].embeddings for name in TESTED_ON])
    crops, people = [], []
    for name in LEARNT_ON:
        names = np.array(_names(name, tables[name]))
        person, index = np.unique([one.split("/")[0] for one in names], return_inverse=True)
        means = np.zeros((len(person), tests.shape[1]), np.float32)
        np.add.at(means, index, tables[name].embeddings)
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        stranger = (means @ tests.T).max(axis=1) < SAME_PERSON
        rows = np.flatnonzero(stranger[index] & ["/profile/" not in one for one in names])
        crops.append(_crops(tables[name], rows))
        people += [f"{name}/{person[index[row]]}" for row in rows]
    return np.concatenate(crops), people


def _crops(faces: FaceTable, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    wanted = faces.only([faces.sources[row] for row in rows])
    crops = track(wanted.crops(), "cutting faces out", len(wanted))
    return np.stack([grey_crops(crop[None])[0] for crop in crops])


def _names(of: str, faces: FaceTable) -> list[str]:
    return [Path(source).relative_to(PHOTOS / of).as_posix() for source in faces.sources]
