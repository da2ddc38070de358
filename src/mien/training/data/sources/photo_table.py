"""A table of photos: a CSV file with the columns ``path`` and ``person``."""

import os
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from mien.errors import ConfigError
from mien.evaluation.protocols.tables import read_table
from mien.training.data.sources.listing import list_hash, state_hash
from mien.training.data.sources.photo_set import LabelledPhoto


class PhotoTable:
    """The photos that a CSV file lists, in its order; other columns are passed over.

    Args:
        file: UTF-8, its first line naming at least the columns ``path`` and ``person``.
        folder: What relative paths start from; None: the folder of the file.

    Raises:
        ConfigError: The file can't be read, lacks a column or has no rows, a path or person is empty, or a path is
            listed twice.
    """

    def __init__(self, file: str | os.PathLike[str], folder: str | os.PathLike[str] | None = None) -> None:
        self.file = Path(file)
        self.folder = self.file.parent if folder is None else Path(folder)
        lines: dict[str, int] = {}
        self._photos: list[tuple[str, str]] = []
        for line, row in read_table(self.file, ("path", "person")).items():
            key, person = row["path"], row["person"]
            if key in lines:
                raise ConfigError(
                    f"Line {line} of {self.file} lists {key}, as line {lines[key]} does.",
                    hint="List each photo once; a photo of several people can't be learnt from.",
                    code="config.listed-twice",
                )
            lines[key] = line
            self._photos.append((key, person))

    def __len__(self) -> int:
        return len(self._photos)

    def photos(self, start: int = 0) -> Iterator[LabelledPhoto]:
        """See `PhotoSet.photos`; a key is the path as listed."""
        for key, person in islice(self._photos, start, None):
            yield LabelledPhoto(key, person, self.folder / key)

    def describe(self) -> dict[str, Any]:
        """See `PhotoSet.describe`."""
        return {
            "kind": "csv",
            "file": str(self.file),
            "people": len({person for _, person in self._photos}),
            "photos": len(self),
            "sha256": self._sha256,
            "files": self._state,
        }

    @cached_property
    def _state(self) -> str:
        return state_hash(self.folder / key for key, _ in self._photos)

    @cached_property
    def _sha256(self) -> str:
        return list_hash(self._photos)
