"""N×M matching: every probe with every known person, and for each probe the best one or nobody."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.decisions.calibration import Calibration
from mien.decisions.identification import Identification, identify
from mien.decisions.wording import counted
from mien.errors import ConfigError, MissingExtraError
from mien.similarity import iter_blocks
from mien.whole_files import written_whole

_RULE = ("threshold", "fpir", "fpir_interval", "gallery_size", "calibration", "encoder")
"""By what all probes are decided."""


@dataclass(frozen=True, eq=False)
class Matching:
    """What came of matching P probes with K people.

    Attributes:
        probes: What each probe is called, P.
        people: What each person is called, K.
        similarities: (P, K) float32: of each probe and the most similar template of each person.
        identifications: The decision for each probe, P.
    """

    probes: tuple[str, ...]
    people: tuple[str, ...]
    similarities: NDArray[np.float32]
    identifications: tuple[Identification, ...]

    def rows(self) -> Iterator[dict[str, str]]:
        """One row a probe: probe, decision, person (``unknown`` for nobody), similarity, runner_up, margin."""
        for probe, row, found in zip(self.probes, self.similarities, self.identifications, strict=True):
            best, second = _best_two(row)
            yield {
                "probe": probe,
                "decision": found.decision,
                "person": "unknown" if found.person is None else found.person,
                "similarity": f"{row[best]:.6f}",
                "runner_up": "" if second is None else self.people[second],
                "margin": "" if second is None else f"{row[best] - row[second]:.6f}",
            }

    def summary(self) -> dict[str, Any]:
        """Counts and the rule as JSON-ready data."""
        rule = self.identifications[0].to_dict() if self.identifications else {}
        return {
            "probes": len(self.probes),
            "people": len(self.people),
            "decisions": dict(Counter(found.decision for found in self.identifications)),
            **{key: rule.get(key) for key in _RULE},
        }

    def sentence(self) -> str:
        """What came of it, for people."""
        decisions = Counter(found.decision for found in self.identifications)
        return (
            f"{counted(len(self.probes), 'probe')} against {counted(len(self.people), 'person', 'people')}: "
            f"{decisions['match']:,} matched, {decisions['unknown']:,} unknown, {decisions['ambiguous']:,} ambiguous"
        )

    def save_matrix(self, path: str | os.PathLike[str]) -> None:
        """Write all similarities: ``.npy`` (P, K), or ``.parquet`` with a column a person and the probes first.

        Raises:
            ConfigError: The path ends otherwise.
            MissingExtraError: Parquet was asked for and pyarrow is not installed.
        """
        path = Path(path)
        ending = path.suffix.lower()
        if ending == ".npy":
            with written_whole(path) as partial, partial.open("wb") as file:
                np.save(file, self.similarities)
        elif ending == ".parquet":
            try:
                import pyarrow as pa
                import pyarrow.parquet as pq
            except ImportError:
                raise MissingExtraError("parquet", "writing Parquet") from None
            columns = {"probe": pa.array(map(_storable, self.probes))}
            columns |= {
                f"person: {_storable(name)}": pa.array(self.similarities[:, k]) for k, name in enumerate(self.people)
            }
            with written_whole(path) as partial, partial.open("wb") as file:
                pq.write_table(pa.table(columns), file)
        else:
            raise ConfigError(
                f"{path} is neither .npy nor .parquet.", hint="End the matrix's name with one of the two."
            )


def match(
    probes: Sequence[str],
    embeddings: NDArray[np.float32],
    people: Sequence[str],
    references: NDArray[np.float32],
    calibration: Calibration | None,
    *,
    fpir: float = 0.01,
    threshold: float | None = None,
) -> Matching:
    """Match every probe with every known person.

    Args:
        probes: What each probe is called, P.
        embeddings: (P, D) float32 of unit length.
        people: For each reference, whose it is, R; a person may have several.
        references: (R, D) float32 of unit length.
        calibration: What similarities stand for; None only with a threshold.
        fpir: The false positive identification rate to decide at.
        threshold: A similarity to decide at instead.

    Raises:
        CalibrationError: The calibration's data cannot support this rate at this number of people.
        ConfigError: There is nobody to match with.
    """
    if not len(people):
        raise ConfigError("There is nobody to match with.", hint="Name a folder with photos of the known people.")
    names, similarities = person_similarities(embeddings, people, references)
    identifications = []
    for row in similarities:
        candidates = [(names[k], float(row[k])) for k in _best_two(row) if k is not None]
        identifications.append(identify(candidates, len(people), calibration, fpir=fpir, threshold=threshold))
    return Matching(tuple(probes), names, similarities, tuple(identifications))


def person_similarities(
    probes: NDArray[np.float32], people: Sequence[str], references: NDArray[np.float32]
) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """For each probe and person, the similarity of the most similar reference.

    Args:
        probes: (P, D) float32 of unit length.
        people: For each reference, whose it is, R.
        references: (R, D) float32 of unit length.

    Returns:
        The K people in order of name, and (P, K) float32.
    """
    order = np.argsort(np.asarray(people, np.str_), kind="stable")
    names, starts = np.unique(np.asarray(people, np.str_)[order], return_index=True)
    similarities = np.empty((len(probes), len(names)), np.float32)
    for rows, _, block in iter_blocks(probes, references[order], "cosine", columns=len(references)):
        np.maximum.reduceat(block, starts, axis=1, out=similarities[rows])
    return tuple(names.tolist()), similarities


def _storable(name: str) -> str:
    """A name as Parquet takes it, and as the table of best matches has it: a file's name may be any bytes."""
    return name.encode(errors="backslashreplace").decode()


def _best_two(row: NDArray[np.float32]) -> tuple[int, int | None]:
    best = int(np.argmax(row))
    if len(row) == 1:
        return best, None
    others = row.copy()
    others[best] = -np.inf
    return best, int(np.argmax(others))
