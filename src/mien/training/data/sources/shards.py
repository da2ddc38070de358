"""WebDataset shards: tar files in which each photo lies beside what is known of it."""

import os
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

from mien.errors import ConfigError
from mien.photos.folders import natural_order
from mien.training.data.sources.listing import list_hash, state_hash
from mien.training.data.sources.photo_set import LabelledPhoto
from mien.training.data.sources.shard import Sample, list_shard, read_samples


class Shards:
    """The photos of WebDataset shards: ``KEY.jpg`` with ``KEY.cls`` or ``KEY.json`` beside it, in ``*.tar`` files.

    The person is what ``KEY.cls`` says, or in ``KEY.json`` the first there is of ``person``, ``identity`` and
    ``label``. Shards come from anywhere, so that they are read with care: nothing is unpacked to disk, names in them
    are never used as paths, links and devices are refused, and so is what is larger than a photo can be.

    Args:
        place: A folder of shards, which are taken in natural order, or one shard.

    Raises:
        ConfigError: There is no shard or no photo; or one is damaged, packed (``.tar.gz``), holds links, or has a
            photo without a person, a person without a photo, or two photos of one key.
    """

    def __init__(self, place: str | os.PathLike[str]) -> None:
        self.place = Path(place)
        self._files = _shards_of(self.place)
        self._samples: list[list[Sample]] = [list_shard(file) for file in self._files]
        self._starts = [0, *accumulate(len(samples) for samples in self._samples)]
        if not len(self):
            raise ConfigError(f"{self.place} has no photos in its shards.", code="config.shards")
        seen: dict[str, Path] = {}
        for file, samples in zip(self._files, self._samples, strict=True):
            for sample in samples:
                if sample.key in seen:
                    raise ConfigError(
                        f"The key {sample.key} is in {seen[sample.key]} and again in {file}.",
                        hint="Give each photo a key of its own.",
                        code="config.shards",
                    )
                seen[sample.key] = file

    def __len__(self) -> int:
        return self._starts[-1]

    def photos(self, start: int = 0) -> Iterator[LabelledPhoto]:
        """See `PhotoSet.photos`; a key is the shard's, a source the bytes of the picture's file."""
        first = bisect_right(self._starts, start) - 1
        for number in range(max(first, 0), len(self._files)):
            samples = self._samples[number][max(start - self._starts[number], 0) :]
            yield from read_samples(self._files[number], samples)

    def describe(self) -> dict[str, Any]:
        """See `PhotoSet.describe`."""
        return {
            "kind": "shards",
            "place": str(self.place),
            "shards": len(self._files),
            "people": len({sample.person for samples in self._samples for sample in samples}),
            "photos": len(self),
            "sha256": self._sha256,
            "files": self._state,
        }

    @cached_property
    def _state(self) -> str:
        return state_hash(self._files)

    @cached_property
    def _sha256(self) -> str:
        return list_hash((sample.key, sample.person) for samples in self._samples for sample in samples)


def _shards_of(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise ConfigError(
            f"There is neither a folder nor a shard {place}.", hint="Check the path.", code="config.shards"
        )
    files = sorted((file for file in place.glob("*.tar") if file.is_file()), key=natural_order)
    if not files:
        raise ConfigError(
            f"{place} has no shards.",
            hint="Shards are files whose names end in .tar; unpack .tar.gz.",
            code="config.shards",
        )
    return files
