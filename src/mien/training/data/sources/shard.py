"""One shard of a WebDataset: what is in it, and its photos."""

import json
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mien.errors import ConfigError
from mien.photos.reading import printable
from mien.training.data.sources.photo_set import LabelledPhoto

MOST_PHOTO_BYTES: Final = 64 << 20
MOST_LABEL_BYTES: Final = 64 << 10
MOST_MEMBERS: Final = 5_000_000

_PICTURES = frozenset({"jpg", "jpeg", "png", "webp", "bmp", "ppm", "pgm", "gif", "tif", "tiff", "avif"})
_LABELS = frozenset({"cls", "json"})
_PERSON = ("person", "identity", "label")


@dataclass(frozen=True)
class Sample:
    """A photo in a shard.

    Attributes:
        key: What its parts have in common: their path up to the first dot of the file's name.
        person: Whose it is.
        offset, size: Where the picture's bytes lie in the shard.
    """

    key: str
    person: str
    offset: int
    size: int


@dataclass
class _Parts:
    """What was seen of a sample so far."""

    picture: tuple[int, int] | None = None
    persons: dict[str, str] = field(default_factory=dict)


def list_shard(file: Path) -> list[Sample]:
    """The photos of a shard, in order.

    Raises:
        ConfigError: It is no tar file, is damaged, or holds something that has no place in a shard.
    """
    samples: dict[str, _Parts] = {}
    with _opened(file) as shard:
        for count, member in enumerate(shard):
            shard.members = []  # type: ignore[attr-defined]  # or it keeps all it has seen
            if count >= MOST_MEMBERS:
                raise _refusal(file, f"it has more than {MOST_MEMBERS:,} files")
            if member.isdir():
                continue
            if not member.isreg() or member.issparse() or member.size < 0:
                raise _refusal(file, f"{printable(member.name)} in it is a link or a device, and no file")
            key, extension = _split(member.name)
            if not key or key.endswith("/") or extension not in _PICTURES | _LABELS:
                continue  # a hidden file, or one that says something else of a photo
            parts = samples.setdefault(key, _Parts())
            if extension in _PICTURES:
                _require_size(file, member, MOST_PHOTO_BYTES)
                if parts.picture is not None:
                    raise _refusal(file, f"it has two pictures of the key {printable(key)}")
                parts.picture = (member.offset_data, member.size)
            else:
                _require_size(file, member, MOST_LABEL_BYTES)
                stream = shard.extractfile(member)
                parts.persons[extension] = _person(file, member.name, extension, stream.read() if stream else b"")
        _require_end(file, shard.offset)
    return [_sample(file, key, parts) for key, parts in samples.items()]


def read_samples(file: Path, samples: Iterable[Sample]) -> Iterator[LabelledPhoto]:
    """The photos of samples, one at a time in memory.

    Raises:
        ConfigError: The shard is shorter than when it was listed.
    """
    with file.open("rb") as shard:
        for sample in samples:
            shard.seek(sample.offset)
            data = shard.read(sample.size)
            if len(data) < sample.size:
                raise _refusal(file, f"it ends within the picture of {printable(sample.key)}")
            yield LabelledPhoto(sample.key, sample.person, data)


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, "r:") as shard:
            yield shard
    except (tarfile.TarError, ValueError, OverflowError, RecursionError) as error:  # the last ones from mad headers
        raise _refusal(file, f"it is damaged, packed or no tar file ({error})") from error
    except OSError as error:
        raise _refusal(file, f"it can't be read ({error.strerror})") from error


def _require_end(file: Path, offset: int) -> None:
    """Refuse a shard whose list stopped before its end: the library takes a damaged header for the end."""
    with file.open("rb") as shard:
        shard.seek(offset)
        if shard.read(tarfile.BLOCKSIZE).strip(b"\0"):
            raise _refusal(file, "it is damaged, a header in it makes no sense")


def _split(name: str) -> tuple[str, str]:
    """A sample's key, and the extension of one of its files in small letters."""
    folder, slash, file = name.removeprefix("./").rpartition("/")
    stem, _, extension = file.partition(".")
    return f"{folder}{slash}{stem}", extension.rpartition(".")[2].lower()


def _person(file: Path, name: str, extension: str, data: bytes) -> str:
    try:
        text = data.decode("utf-8").strip()
        if extension == "json":
            known = json.loads(text)
            named = (known.get(name) for name in _PERSON)
            text = next((str(one).strip() for one in named if isinstance(one, str | int) and one not in ("", True)), "")
    except (UnicodeDecodeError, json.JSONDecodeError, AttributeError, RecursionError) as error:
        raise _refusal(file, f"{printable(name)} in it can't be read as text ({error})") from error
    if not text or "\n" in text:
        raise _refusal(file, f"{printable(name)} in it names no person")
    return text


def _sample(file: Path, key: str, parts: _Parts) -> Sample:
    if parts.picture is None:
        raise _refusal(file, f"the key {printable(key)} has no picture")
    person = parts.persons.get("cls") or parts.persons.get("json")
    if person is None:
        raise _refusal(file, f"the picture of {printable(key)} has neither a .cls nor a .json that names its person")
    return Sample(key, person, *parts.picture)


def _require_size(file: Path, member: tarfile.TarInfo, most: int) -> None:
    if member.size > most:
        raise _refusal(file, f"{printable(member.name)} in it has {member.size:,} bytes, and {most:,} are the most")


def _refusal(file: Path, why: str) -> ConfigError:
    return ConfigError(
        f"The shard {file} can't be used: {why}.", hint="Make it anew from its source.", code="config.shards"
    )
