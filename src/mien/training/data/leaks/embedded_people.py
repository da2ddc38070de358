from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.faces import FaceTable


@dataclass(frozen=True, eq=False)
class EmbeddedPeople:
    """Photos of people after an encoder saw them.

    Args:
        people: (N,) whose each photo is.
        photos: (N,) what each photo is called.
        embeddings: (N, D) float32 of unit length.
        encoder_identity: What made them.
    """

    people: tuple[str, ...]
    photos: tuple[str, ...]
    embeddings: NDArray[np.float32]
    encoder_identity: str

    def __post_init__(self) -> None:
        if not len(self.people) == len(self.photos) == len(self.embeddings):
            raise ValueError(f"{len(self.people)} people, {len(self.photos)} photos, {len(self.embeddings)} embeddings")

    @classmethod
    def of_table(cls, table: FaceTable, folder: str | os.PathLike[str]) -> EmbeddedPeople:
        """The faces of a folder with a sub-folder for each person, as ``mien embed`` wrote them.

        Raises:
            ValueError: A photo of the table is not in a sub-folder of `folder`.
        """
        root = Path(folder)
        for path in map(Path, table.sources):
            if not path.is_relative_to(root) or path.parent == root:
                raise ValueError(f"{path} is in no person's sub-folder of {root}")
        below = [Path(source).relative_to(root) for source in table.sources]
        return cls(
            tuple(path.parts[0] for path in below),
            tuple(path.as_posix() for path in below),
            table.embeddings,
            table.encoder_identity,
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The people, each once, in order of name."""
        return tuple(sorted(set(self.people)))

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        """(N,) whose each photo is, as a place in `names`."""
        place = {name: number for number, name in enumerate(self.names)}
        return np.array([place[person] for person in self.people], np.int64)

    @cached_property
    def templates(self) -> NDArray[np.float32]:
        """(K, D) the mean of each person's embeddings at unit length; zeros where they cancel out."""
        sums = np.zeros((len(self.names), self.embeddings.shape[1]))
        np.add.at(sums, self.numbers, self.embeddings)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        return np.asarray(sums / np.where(lengths > 0, lengths, 1), np.float32)
