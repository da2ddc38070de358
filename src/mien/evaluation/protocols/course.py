import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mien.decisions.wording import counted
from mien.errors import CalibrationError, ConfigError, InputError
from mien.evaluation.evaluation import Evaluation, WorstError
from mien.evaluation.intervals.clustered import clustered_shares
from mien.evaluation.protocols.protocol import (
    Differences,
    EmbeddedPhotos,
    Settings,
    data_of,
    last_part,
    photos_without_face,
)
from mien.evaluation.protocols.searched import UNKNOWN, Named, Searched, threshold_for
from mien.evaluation.protocols.tables import photo_files, read_table, read_text
from mien.photos import PhotoSource, find_photos


def course(
    gallery: Path, probes: Path, *, truth: Path | None = None, labelled: bool = False, fpir: float = 0.01
) -> "Course":
    """The course's task: for each probe the best of the known people, or unknown below the threshold.

    A probe that is a photo of the gallery, byte for byte, is answered but not scored: it can't be got wrong.

    Args:
        gallery: Photos of the known people: a folder of NAME.jpg or of folders called NAME, or a CSV (photo,person).
        probes: Photos to name: a folder, or a text file with a path a line.
        truth: Who the probes show, to score the answers: a CSV (probe,person); strangers are unknown, or nobody's name.
        labelled: The folders of the probes say who they show.
        fpir: Decide at this false positive identification rate, where no --threshold is given.

    Raises:
        ConfigError: The options make no sense together.
        InputError: A list can't be read, names no photo that is there, or all probes are photos of the gallery.
        PhotoError: A folder can't be read.
    """
    if not 0 < fpir < 1:
        raise ConfigError(f"A rate lies between 0 and 1, not at {fpir}.")
    known, people = _gallery(gallery)
    asked = _listed(probes)
    if labelled and truth is not None:
        raise ConfigError("--labelled and --truth both say who the probes show.", hint="Give one of them.")
    whose = None
    if truth is not None:
        whose = _truth(truth, asked)
    elif labelled:
        whose = {name: Path(name).parts[0] if len(Path(name).parts) > 1 else UNKNOWN for name in asked}
    enrolled = _copies(asked, known.values())
    if len(enrolled) == len(asked):
        raise InputError(
            f"Each of the {counted(len(asked), 'probe')} of {probes} is a photo of the gallery {gallery}: nothing can "
            "be got wrong.",
            hint="Give other photos of these people, and photos of strangers.",
            code="input.photos",
        )
    photos: dict[str, PhotoSource] = {f"gallery/{name}": path for name, path in known.items()}
    photos |= {f"probes/{name}": path for name, path in asked.items()}
    return Course(Path(last_part(probes)).stem, photos, people, list(asked), whose, fpir, enrolled)


def _gallery(source: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """The photos of the known people, and whose they are."""
    if source.is_dir():
        found = _listed(source)
        below = {name: Path(name) for name in found}
        return found, {name: path.parts[0] if len(path.parts) > 1 else path.stem for name, path in below.items()}
    people = _people_in(source, "photo")
    return photo_files(source, people, source.parent), people


def _listed(source: Path) -> dict[str, Path]:
    """The photos of a folder, or of a list with a path a line, by their names below it."""
    if source.is_dir():
        folder, names = source, [path.relative_to(source).as_posix() for path in find_photos(source)]
    else:
        folder, names = source.parent, list(map(str.strip, read_text(source, "list of photos").split("\n")))
    if not any(names):
        raise InputError(
            f"{source} has no photo.", hint="Name a folder of photos, or a list of them.", code="input.photos"
        )
    return photo_files(source, filter(None, names), folder)


def _copies(probes: Mapping[str, Path], gallery: Collection[Path]) -> frozenset[str]:
    """The probes whose file is one of the gallery's, or has the same bytes."""
    size = {path: path.stat().st_size for path in (*probes.values(), *gallery) if path.is_file()}
    # Files of different sizes differ, so that hardly any has to be read.
    shared = {size[path] for path in probes.values() if path in size} & {size[path] for path in gallery if path in size}
    known = {_sha256(path) for path in gallery if size.get(path) in shared} - {None}
    return frozenset(name for name, path in probes.items() if size.get(path) in shared and _sha256(path) in known)


def _sha256(path: Path) -> bytes | None:
    """None of a file that can't be read, which is told when it is opened as a photo."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return None


def _truth(path: Path, asked: Mapping[str, Path]) -> dict[str, str]:
    whose = _people_in(path, "probe")
    if missing := [name for name in asked if name not in whose]:
        raise InputError(
            f"{path} says nothing of {len(missing):,} of {len(asked):,} probes, such as {missing[0]}.",
            hint="Name each probe by its path below the folder of probes.",
            code="input.truth",
        )
    return whose


def _people_in(path: Path, column: str) -> dict[str, str]:
    """Who is on each photo that a table has in a column.

    Raises:
        InputError: The table can't be read, or says two people of one photo.
    """
    people: dict[str, str] = {}
    for line, row in read_table(path, (column, "person")).items():
        photo, person = row[column], row["person"]
        if people.setdefault(photo, person) != person:
            raise InputError(
                f"Line {line} of {path} says that {photo} shows {person}, and a line before it {people[photo]}.",
                hint="Leave the line that is right.",
                code="input.people",
            )
    return people


@dataclass(frozen=True, eq=False)
class Course:
    """Known people, and probes that show one of them or nobody known.

    Args:
        data: What the probes are called.
        photos: What to open: ``gallery/…`` and ``probes/…``.
        people: Whose each photo of the gallery is.
        probes: What the probes are called.
        truth: Who each probe shows; None where nobody has said.
        fpir: The false positive identification rate whose threshold follows N.
        enrolled: The probes that are photos of the gallery: answered, but not scored.
    """

    data: str
    photos: Mapping[str, PhotoSource]
    people: Mapping[str, str]
    probes: Sequence[str]
    truth: Mapping[str, str] | None
    fpir: float
    enrolled: Set[str] = frozenset()
    name = "course"
    aligned = False

    def evaluate(self, embedded: EmbeddedPhotos, settings: Settings) -> Evaluation:
        """Score the answers where the truth is known; else only count them."""
        scored = [name for name in self.probes if name not in self.enrolled]
        searched, threshold, source = self._searched(embedded, settings, scored)
        answers = list(searched.answers(threshold))
        named = sum(answer["person"] != UNKNOWN for answer in answers)
        facts: dict[str, Any] = {
            "people in the gallery": len(searched.known),
            "photos in the gallery": len(self.people),
            "known people without a face to enrol": len(searched.not_enrolled),
            "probes": len(scored),
            "probes left out, being photos of the gallery": len(self.enrolled),
            "named": named,
            UNKNOWN: len(answers) - named,
            "threshold": threshold,
            "threshold from": source,
        }
        identification = None
        if self.truth is not None:
            known = set(self.people.values())  # also who has no face in the gallery: a stranger they are not
            right = np.array(
                [answer["person"] == self._expected(answer["probe"], known) for answer in answers], np.float64
            )
            whose = np.unique(searched.probes.people, return_inverse=True)[1]
            (share,), (low,), (high,) = clustered_shares(right[:, None], whose)
            facts["right answers"] = (
                f"{right.sum():,.0f} of {len(answers):,}: {100 * share:.2f} % ({100 * low:.2f} to {100 * high:.2f} %)"
            )
            identification = searched.measures(threshold, settings)
        shown = {self.truth[name] for name in scored} if self.truth else set()
        people = set(self.people.values()) | shown - {UNKNOWN}
        return Evaluation(
            protocol=self.name,
            title=f"The course's task on {self.data}",
            question=f"Who of {counted(len(searched.known), 'known person', 'known people')}, if any, is on each of "
            f"{counted(len(scored), 'photo')}?",
            data=data_of(self.data, list(self.photos), embedded, len(people), facts),
            encoder=embedded.encoder,
            calibration=settings.rule.summary() if settings.rule and settings.threshold is None else None,
            identification=identification,
            worst=(
                *(self._with_folders(searched.worst(threshold)) if self.truth is not None else ()),
                *photos_without_face(list(self.photos), embedded),
            ),
            made=settings.made(),
        )

    def compare(self, first: EmbeddedPhotos, second: EmbeddedPhotos, settings: Settings) -> Differences:
        """The differences of two encoders in the same searches, where the truth is known."""
        if self.truth is None:
            return {}
        scored = [name for name in self.probes if name not in self.enrolled]
        one, other = (self._searched(embedded, settings, scored)[0] for embedded in (first, second))
        return one.compare(other, settings)

    def answers(self, embedded: EmbeddedPhotos, settings: Settings) -> Iterator[dict[str, Any]]:
        """The submission: probe, person or `unknown`, similarity of the best match."""
        searched, threshold, _ = self._searched(embedded, settings, self.probes)
        return searched.answers(threshold)

    @staticmethod
    def _with_folders(errors: Iterator[WorstError]) -> Iterator[WorstError]:
        """The errors with the names that `photos` has: a probe's and a photo's of the gallery."""
        for error in errors:
            yield replace(error, first=f"probes/{error.first}", second=f"gallery/{error.second}")

    def _expected(self, probe: str, known: Set[str]) -> str:
        person = UNKNOWN if self.truth is None else self.truth[probe]
        return person if person in known else UNKNOWN

    def _searched(
        self, embedded: EmbeddedPhotos, settings: Settings, probes: Sequence[str]
    ) -> tuple[Searched, float, str]:
        there = set(embedded.names)
        gallery = [name for name in self.people if f"gallery/{name}" in there]
        threshold, source = threshold_for(settings, self.fpir, len(gallery))
        if threshold is None:
            raise CalibrationError(
                f"There is no threshold to tell unknown people by: {source}.",
                hint="Give a --threshold, or a greater --fpir.",
                code="calibration.none-for-encoder",
            )
        truth = self.truth or dict.fromkeys(probes, UNKNOWN)
        # Strangers without a name are not one person: intervals take each for somebody else.
        whose = [truth[name] if truth[name] != UNKNOWN else f"{UNKNOWN}: {name}" for name in probes]
        searched = Searched(
            Named(probes, whose, embedded.vectors([f"probes/{name}" for name in probes])),
            Named(
                gallery, [self.people[name] for name in gallery], embedded.vectors([f"gallery/{n}" for n in gallery])
            ),
            set(self.people.values()) - {self.people[name] for name in gallery},
        )
        return searched, threshold, source
