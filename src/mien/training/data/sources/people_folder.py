"""A folder with a sub-folder for each person: LFW, VGGFace2, CASIA-WebFace and most sets of one's own."""

import os
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from mien.errors import ConfigError
from mien.photos import find_people
from mien.training.data.sources.listing import list_hash, state_hash
from mien.training.data.sources.photo_set import LabelledPhoto

_PARTS = frozenset({"train", "test", "val", "valid", "validation", "dev", "eval"})


class PeopleFolder:
    """Photos in ``PERSON/photo.jpg``, also deeper below a person's folder.

    Args:
        folder: Where the people's folders are.

    Raises:
        ConfigError: It has no such photos, or holds the parts of a set (VGGFace2's ``train`` and ``test``) instead of
            people.
        PhotoError: It isn't there, or can't be read.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        people = find_people(self.folder)
        if not people:
            raise ConfigError(
                f"{self.folder} has no photos in sub-folders.",
                hint="Give each person a sub-folder, named as they are called, with their photos in it.",
                code="config.no-people",
            )
        if all(name.lower() in _PARTS for name in people):
            raise ConfigError(
                f"{self.folder} holds the parts {', '.join(people)} of a set, and not its people.",
                hint=f"Name one of the parts, such as {self.folder / next(iter(people))}.",
                code="config.no-people",
            )
        self._photos = [(path, person) for person, paths in people.items() for path in paths]

    def __len__(self) -> int:
        return len(self._photos)

    def photos(self, start: int = 0) -> Iterator[LabelledPhoto]:
        """See `PhotoSet.photos`; a key is the path below the folder, with ``/``."""
        for path, person in islice(self._photos, start, None):
            yield LabelledPhoto(path.relative_to(self.folder).as_posix(), person, path)

    def describe(self) -> dict[str, Any]:
        """See `PhotoSet.describe`."""
        return {
            "kind": "folder",
            "folder": str(self.folder),
            "people": len({person for _, person in self._photos}),
            "photos": len(self),
            "sha256": self._sha256,
            "files": self._state,
        }

    @cached_property
    def _state(self) -> str:
        return state_hash(path for path, _ in self._photos)

    @cached_property
    def _sha256(self) -> str:
        return list_hash((photo.key, photo.person) for photo in self.photos())
