"""Photos with the names of the people on them, wherever they are kept."""

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from mien.photos import PhotoSource


class LabelledPhoto(NamedTuple):
    """A photo and whose it is.

    Attributes:
        key: Its name in the set; no other photo of the set has it.
        person: Whose it is.
        source: What `mien.photos.Photo.open` opens: a path, a file's bytes, or pixels.
    """

    key: str
    person: str
    source: PhotoSource


class PhotoSet(Protocol):
    """Labelled photos in an order that is the same each time. A new kind is a file beside this one."""

    def __len__(self) -> int:
        """How many photos there are."""
        ...

    def photos(self, start: int = 0) -> Iterator[LabelledPhoto]:
        """The photos in their order.

        Args:
            start: Pass over so many without reading or making them, for who carries on.
        """
        ...

    def describe(self) -> dict[str, Any]:
        """What a run notes of it, JSON-ready: kind, where it is, people, photos, ``sha256`` of the list.

        And ``files``, a hash that is another one when a photo was written anew, where they are files.
        """
        ...
