"""Finds the file of a card's weights, and checks that it is the right one."""

import hashlib
import http.client
import os
import shlex
import shutil
import tempfile
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import platformdirs

from mien._version import __version__
from mien.errors import InputError, ModelError
from mien.models.card import ModelCard, PackageSource, UrlSource
from mien.progress import report

CHUNK = 1 << 20


def cache_folder() -> Path:
    """Where fetched and repaired networks are kept: $MIEN_CACHE, or the user's cache folder. It may not exist yet."""
    return Path(os.environ.get("MIEN_CACHE") or platformdirs.user_cache_path("mien", appauthor=False))


def folder_in_cache(name: str) -> Path:
    """A folder in the cache, made where it is missing, that nobody else can write to, whatever the umask lets them."""
    folder = cache_folder() / name
    for each in (folder.parent, folder):
        each.mkdir(mode=0o755, parents=True, exist_ok=True)
    return folder


def find_weights(card: ModelCard) -> Path:
    """The file of a card's weights: in an installed package, in the cache, or beside the card; never from the web.

    Raises:
        ModelError: It is nowhere ("model.missing"), or a file is there that isn't the card's ("model.altered") or can't
            be read ("model.unreadable").
        ValueError: The card is a fusion, whose members have the weights.
    """
    if card.members:
        raise ValueError(f"{card.name} is a fusion: ask for the weights of its members")
    unusable: ModelError | None = None
    for place in _places(card):
        try:
            if place.is_file():
                _check(place, card)
                return place
        except ModelError as error:
            unusable = unusable or error
        except OSError as error:
            unusable = unusable or ModelError(
                f"The weights of the {card.task} {card.name!r} in {place} can't be read: {error.strerror or error}.",
                hint="Give yourself the right to read the file and its folder, or remove it and get another. "
                + _ways_to_get(card),
                code="model.unreadable",
            )
    raise unusable or ModelError(
        f"The weights of the {card.task} {card.name!r} ({card.file}) are not on this machine.",
        hint=_ways_to_get(card),
        code="model.missing",
    )


def fetch(card: ModelCard) -> Path:
    """Download a card's weights from its URL into the cache, unless they are already here.

    Raises:
        ModelError: The card names no URL, the download failed, or what came isn't the card's file.
    """
    with suppress(ModelError):
        return find_weights(card)
    urls = [source.url for source in card.sources if isinstance(source, UrlSource)]
    if not urls:
        raise ModelError(
            f"The card of {card.name!r} names no address to fetch its weights from.",
            hint=_ways_to_get(card),
            code="model.no-url",
        )
    return _into_cache(card, lambda arrived: _download(urls[0], arrived, card))


def add(card: ModelCard, file: str | Path) -> Path:
    """Copy a card's weights from a file of the user's into the cache, where `find_weights` finds them.

    Raises:
        InputError: The file can't be read, or isn't the card's.
        ModelError: The cache can't be written.
    """
    source = Path(file)
    if source.exists() and not source.is_file():  # nothing may ever come out of a pipe
        raise InputError(f"{source} is a folder, pipe or device.", hint="Name a file of weights.", code="input.file")
    try:
        _check(source, card)
    except OSError as error:
        raise InputError(
            f"{source} can't be read: {error.strerror or error}.", hint="Check the path.", code="input.file"
        ) from error
    except ModelError as error:
        raise InputError(error.message, hint="Give a copy of that very file.", code="input.altered") from error
    return _into_cache(card, lambda arrived: shutil.copyfile(source, arrived))


def _into_cache(card: ModelCard, bring: Callable[[Path], object]) -> Path:
    target = cache_folder() / "weights" / _cached_name(card)
    try:
        folder_in_cache("weights")
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            arrived = Path(folder) / card.file
            bring(arrived)
            _check(arrived, card)
            arrived.replace(target)
    except OSError as error:
        raise ModelError(f"{card.file} can't be put into {target.parent}: {error}.", code="model.cache") from error
    return target


def _places(card: ModelCard) -> list[Path]:
    packaged = [_in_package(source) for source in card.sources if isinstance(source, PackageSource)]
    beside = [card.folder / card.file] if card.folder else []
    return [*(path for path in packaged if path), cache_folder() / "weights" / _cached_name(card), *beside]


def _in_package(source: PackageSource) -> Path | None:
    try:
        return Path(str(metadata.distribution(source.distribution).locate_file(source.path)))
    except metadata.PackageNotFoundError:
        return None


def _cached_name(card: ModelCard) -> str:
    return f"{card.sha256[:16]}-{card.file}"


def _check(path: Path, card: ModelCard) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != card.sha256:
        raise ModelError(
            f"{path} is not the file that the card of {card.name!r} describes: "
            f"its SHA-256 is {found}, and {card.sha256} is expected.",
            hint="Install or fetch it again; if the file is meant to be this one, correct its card.",
            code="model.altered",
        )


def _ways_to_get(card: ModelCard) -> str:
    ways = []
    for source in card.sources:
        if isinstance(source, PackageSource):
            package = f"mien[{source.extra}]" if source.extra else f"{source.distribution}=={source.version}"
            ways.append(f"pip install '{package}'")
        else:
            ways.append(f"mien models fetch {_as_argument(card)} (from {source.url})")
    if card.folder:
        ways.append(f"put it beside its card, as {card.folder / card.file}")
    ways.append(f"mien models add {_as_argument(card)} FILE (a copy of it, SHA-256 {card.sha256[:12]}…)")
    return "Get them by one of: " + "; ".join(ways) + "."


def _as_argument(card: ModelCard) -> str:
    """What a command takes for the card: only mien's own go by their names."""
    return shlex.quote(str(card.path)) if card.path else card.name


def _download(url: str, target: Path, card: ModelCard) -> None:
    if not url.startswith("https://"):
        raise ModelError(f"{url} isn't https.", code="model.fetch")
    label = f"fetching {card.file}"
    request = urllib.request.Request(url, headers={"User-Agent": f"mien/{__version__}"})
    report(label, 0, card.size_bytes)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer, target.open("wb") as file:
            if not answer.url.startswith("https://"):
                raise ModelError(f"{url} leads to {answer.url}, which isn't https.", code="model.fetch")
            done = 0
            while block := answer.read(CHUNK):
                done += len(block)
                if done > card.size_bytes:
                    raise ModelError(
                        f"{url} gives more than the {card.size_bytes} bytes that the card of {card.name!r} states.",
                        code="model.fetch",
                    )
                file.write(block)
                report(label, done, card.size_bytes)
    except (OSError, ValueError, http.client.HTTPException) as error:  # ValueError: an address that can't be one
        raise ModelError(f"{url} can't be fetched: {error}.", hint=_ways_to_get(card), code="model.fetch") from error
