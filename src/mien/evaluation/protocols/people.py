from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.decisions.wording import counted
from mien.errors import ConfigError, InputError
from mien.evaluation.evaluation import ErrorKind, Evaluation, WorstError
from mien.evaluation.protocols.listed_pairs import ListedPairs
from mien.evaluation.protocols.photo_pairs import PhotoPairs
from mien.evaluation.protocols.protocol import (
    WORST,
    Differences,
    EmbeddedPhotos,
    EvaluationProtocol,
    Settings,
    data_of,
    last_part,
    photos_without_face,
    similarities,
)
from mien.evaluation.scores.pair_scores import Extremes, score_all_pairs
from mien.photos import PhotoSource, find_people

MOST_COMPARED = 10_000, 30_000
"""Mated and non-mated pairs that two encoders are compared on where all pairs are measured: they support 1e-3."""


def people(folder: Path, *, pairs: int | None = None, seed: int = 0) -> EvaluationProtocol:
    """A folder with a folder of photos for each person: every photo with every other, or as many of each kind drawn.

    Args:
        folder: Where the folders of the people are.
        pairs: Draw this many mated and as many non-mated pairs instead of comparing all.
        seed: Of what is drawn.
    """
    photos, person = labelled_photos(folder)
    if pairs is None:
        return AllPairs(last_part(folder), photos, person)
    drawn = draw_pairs(person, pairs, pairs, seed)
    return ListedPairs(
        "people", f"Pairs drawn from {last_part(folder)}", last_part(folder), drawn, photos, facts={"drawn with": seed}
    )


def labelled_photos(folder: Path) -> tuple[dict[str, PhotoSource], dict[str, str]]:
    """The photos below a folder with a folder for each person, and whose they are, by their path below it.

    Raises:
        InputError: If it has not two people.
        PhotoError: If it can't be read.
    """
    found = find_people(folder)
    if len(found) < 2:
        raise InputError(
            f"{folder} has photos of {counted(len(found), 'person', 'people')}, and it takes two.",
            hint="Name a folder that has a folder of photos for each person.",
            code="input.people",
        )
    photos: dict[str, PhotoSource] = {}
    person = {}
    for name, paths in found.items():
        for path in paths:
            below = path.relative_to(folder).as_posix()
            photos[below], person[below] = path, name
    return photos, person


def draw_pairs(person: Mapping[str, str], mated_count: int, non_mated_count: int, seed: int) -> PhotoPairs:
    """Mated and non-mated pairs, no pair twice, each kind drawn evenly from all there are.

    Args:
        person: Whose each photo is.
        mated_count: How many mated ones.
        non_mated_count: How many non-mated ones.
        seed: Of the draw.

    Raises:
        ConfigError: If there are not so many.
        InputError: If there is none of a kind.
    """
    names = np.array(list(person), np.str_)
    whose = np.unique(list(person.values()), return_inverse=True)[1]
    order = np.argsort(whose, kind="stable")
    first_of = np.searchsorted(whose[order], np.arange(whose.max() + 1))
    size = np.bincount(whose)
    mated_pairs = size * (size - 1) // 2
    total = len(names) * (len(names) - 1) // 2
    mated_total, non_mated_total = count_pairs_of(person)
    if not (1 <= mated_count <= mated_total and 1 <= non_mated_count <= non_mated_total):
        most = min(mated_total, non_mated_total)
        kind = ConfigError if most else InputError
        raise kind(
            f"{mated_count:,} mated and {non_mated_count:,} non-mated pairs can't be drawn: there are "
            f"{mated_total:,} and {non_mated_total:,}.",
            hint=f"Ask for 1 to {most:,} pairs." if most else "Give photos of people with two photos or more.",
            code="config.pairs" if most else "input.pairs",
        )
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.choice(mated_total, mated_count, replace=False))
    ends = np.cumsum(mated_pairs)
    of = np.searchsorted(ends, chosen, side="right")
    first, second = _pair_number(chosen - (ends - mated_pairs)[of])
    mated = np.stack([order[first_of[of] + first], order[first_of[of] + second]], axis=1)

    # Most pairs are non-mated, except where one person has most photos: then it takes a few rounds.
    non_mated = np.zeros((0, 2), np.int64)
    while len(non_mated) < non_mated_count:
        pair = np.stack(_pair_number(rng.integers(total, size=2 * non_mated_count + 16)), axis=1)
        pair = np.concatenate([non_mated, pair[whose[pair[:, 0]] != whose[pair[:, 1]]]])
        _, once = np.unique(pair[:, 1] * len(names) + pair[:, 0], return_index=True)
        non_mated = pair[np.sort(once)][:non_mated_count]
    both = np.concatenate([mated, non_mated])
    labels = np.array(list(person.values()), np.str_)
    return PhotoPairs(
        tuple(names[both[:, 0]].tolist()),
        tuple(names[both[:, 1]].tolist()),
        np.arange(len(both)) < mated_count,
        fold=np.zeros(len(both), np.int64),
        people=labels[both],
    )


def count_pairs_of(person: Mapping[str, str]) -> tuple[int, int]:
    """How many mated and how many non-mated pairs photos make."""
    sizes = Counter(person.values()).values()
    mated = sum(size * (size - 1) // 2 for size in sizes)
    return mated, len(person) * (len(person) - 1) // 2 - mated


def _pair_number(number: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pair first < second of that number, counting (0, 1), (0, 2), (1, 2), (0, 3) and so on."""
    second = ((1 + np.sqrt(8 * number.astype(np.float64) + 1)) / 2).astype(np.int64)
    second -= second * (second - 1) // 2 > number  # the square root may be off by one
    second += second * (second + 1) // 2 <= number
    return number - second * (second - 1) // 2, second


@dataclass(frozen=True, eq=False)
class AllPairs:
    """Every photo with every other.

    Args:
        data: What the set is called.
        photos: What to open for each.
        person: Whose each is.
    """

    data: str
    photos: Mapping[str, PhotoSource]
    person: Mapping[str, str]
    name = "people"
    aligned = False

    def evaluate(self, embedded: EmbeddedPhotos, settings: Settings) -> Evaluation:
        """Measure verification; comparisons with a photo without a face are none, and the photo is counted."""
        embedded = of_people(embedded, self.person, self.data)
        whose = [self.person[name] for name in embedded.names]
        scores = score_all_pairs(embedded.embeddings, whose)
        photos_each = np.bincount(np.unique(list(self.person.values()), return_inverse=True)[1])
        faces_each = np.bincount(scores.person)
        pairs = len(embedded.names) * (len(embedded.names) - 1) // 2
        return Evaluation(
            protocol=self.name,
            title=f"All pairs of {self.data}",
            question=f"How often are all {pairs:,} pairs of {len(embedded.names):,} photos rightly told to show one "
            "person or two?",
            data=data_of(
                self.data,
                list(self.photos),
                embedded,
                len(photos_each),
                {
                    "pairs": pairs,
                    "mated": int(scores.mated.sum()),
                    "non-mated": int(scores.non_mated.sum()),
                    "median photos per person": float(np.median(photos_each)),
                    "most photos of a person": int(photos_each.max()),
                    # Few people who have most of the mated pairs make the intervals of the FNMR wide.
                    "most mated pairs of a person": int((faces_each * (faces_each - 1) // 2).max()),
                },
            ),
            encoder=embedded.encoder,
            calibration=settings.calibration.summary() if settings.calibration else None,
            verification=settings.verification(scores, [self.person[name] for name in embedded.without_face]),
            worst=(
                *worst_pairs("false match", scores.highest_non_mated, embedded, self.person),
                *worst_pairs("false non-match", scores.lowest_mated, embedded, self.person),
                *photos_without_face(list(self.photos), embedded, self.person),
            ),
            made=settings.made(),
        )

    def compare(self, first: EmbeddedPhotos, second: EmbeddedPhotos, settings: Settings) -> Differences:
        """The differences on pairs drawn with the seed: of all pairs only histograms are known. None without mates."""
        mated, non_mated = count_pairs_of(self.person)
        if not mated:
            return {}
        most_mated, most_non_mated = MOST_COMPARED
        drawn = draw_pairs(self.person, min(mated, most_mated), min(non_mated, most_non_mated), settings.seed)
        return ListedPairs(self.name, self.data, self.data, drawn, self.photos).compare(first, second, settings)

    def answers(self, embedded: EmbeddedPhotos, _: Settings) -> Iterator[dict[str, Any]]:
        """Every pair with its similarity, in a form that `mien evaluate scores` reads."""
        names = list(self.person)
        rows = embedded.rows(names)
        for at, name in enumerate(names[:-1]):
            later = rows[at + 1 :]
            pairs = np.stack([np.full(len(later), rows[at]), later], axis=1)
            for other, score in zip(names[at + 1 :], similarities(embedded.embeddings, pairs).tolist(), strict=True):
                one_person, other_person = self.person[name], self.person[other]
                yield {
                    "first": name,
                    "second": other,
                    "score": "" if np.isnan(score) else f"{score:.6f}",
                    "mated": int(one_person == other_person),
                    "person1": one_person,
                    "person2": other_person,
                }


def photos_by_person(person: Mapping[str, str], photos: Iterable[str] | None = None) -> dict[str, list[str]]:
    """The photos of each person, all or some, in their order."""
    by_person: dict[str, list[str]] = {}
    for photo in person if photos is None else photos:
        by_person.setdefault(person[photo], []).append(photo)
    return by_person


def of_people(embedded: EmbeddedPhotos, person: Mapping[str, str], data: str) -> EmbeddedPhotos:
    """The embedded photos whose person is known.

    Raises:
        InputError: If they are not of two people.
    """
    found = [at for at, name in enumerate(embedded.names) if name in person]
    names = [embedded.names[at] for at in found]
    if len({person[name] for name in names}) < 2:
        raise InputError(
            f"In {data}, faces were found of fewer than two people.", hint="Look at the photos.", code="input.people"
        )
    return replace(
        embedded,
        names=names,
        embeddings=embedded.embeddings[found],
        quality=embedded.quality[found],
        blurred=None if embedded.blurred is None else embedded.blurred[found],
    )


def worst_pairs(
    kind: ErrorKind, extremes: Extremes, embedded: EmbeddedPhotos, person: Mapping[str, str]
) -> Iterator[WorstError]:
    """The most extreme comparisons of embedded photos as errors, the worst first."""
    worst = zip(extremes.similarity[:WORST].tolist(), extremes.photos[:WORST].tolist(), strict=True)
    for similarity, (first, second) in worst:
        one, other = embedded.names[first], embedded.names[second]
        yield WorstError(kind, similarity, one, other, person[one], person[other])
