"""Writing a folder of synthetic people: photos, and the truth beside each."""

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from mien.errors import ConfigError
from mien.progress import track
from mien.synthesis.basis import load_basis
from mien.synthesis.nuisances import Nuisances
from mien.synthesis.population import Person, Population, require_settings
from mien.whole_files import written_whole

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """What a generated folder holds, and all it takes to make it again; kept in its ``manifest.json``."""

    people: int
    photos: int
    seed: int
    variation: float
    size: int
    nuisances: dict[str, Any]
    basis: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {"synthetic": True, **asdict(self)}

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> "Manifest":
        """Read a folder's manifest.

        Raises:
            OSError: There is none, or it can't be read.
            ValueError: It is no manifest of synthetic people.
        """
        path = Path(folder) / MANIFEST
        try:
            data = json.loads(path.read_text("utf-8"))
        except RecursionError as error:
            raise ValueError(f"{path} is nested too deeply") from error
        if not isinstance(data, dict) or data.get("synthetic") is not True or data.keys() - {"synthetic"} != _keys(cls):
            raise ValueError(f"{path} is no manifest of synthetic people")
        return cls(**{key: value for key, value in data.items() if key != "synthetic"})


def _keys(manifest: type[Manifest]) -> set[str]:
    return {field.name for field in fields(manifest)}


def generate(
    folder: str | os.PathLike[str],
    people: int = 40,
    photos: int = 4,
    seed: int = 0,
    variation: float = 0.3,
    nuisances: Nuisances | None = None,
    size: int = 256,
) -> Manifest:
    """Write ``person-0001/0001.jpg`` and ``0001.json`` for every photo of every person.

    Every file is written whole or not at all, and photos that are there are kept, so that an interrupted call is
    carried on by calling again; with more people or photos it adds the new ones.

    Args:
        folder: Made if missing.
        people: How many, from 1.
        photos: Of each, from 1.
        seed: Of the population.
        variation: See `Person.photo`.
        nuisances: See `Person.photo`.
        size: See `Person.photo`.

    Raises:
        ConfigError: The folder holds people made with other settings, or not by mien.
    """
    if people < 1 or photos < 1:
        raise ValueError(f"people and photos must be at least 1, not {people} and {photos}")
    require_settings(variation, size)
    population = Population(seed)
    root = Path(folder)
    chosen = nuisances or Nuisances()
    manifest = Manifest(people, photos, seed, variation, size, asdict(chosen), load_basis().sha256)
    _refuse_other_settings(root, manifest)
    root.mkdir(parents=True, exist_ok=True)
    _write(root / MANIFEST, _json(manifest.to_dict()))
    wanted = ((person, j) for person in map(population.person, range(people)) for j in range(photos))
    for person, number in track(wanted, "making photos", people * photos):
        _make(root, person, number, variation, chosen, size)
    return manifest


def _make(root: Path, person: Person, number: int, variation: float, nuisances: Nuisances, size: int) -> None:
    picture = root / person.id / f"{number + 1:04d}.jpg"
    truth = picture.with_suffix(".json")
    if picture.exists() and truth.exists():
        return
    photo = person.photo(number, variation=variation, nuisances=nuisances, size=size)
    picture.parent.mkdir(exist_ok=True)
    _write(picture, photo.jpeg)
    _write(truth, _json(photo.truth))


def _refuse_other_settings(root: Path, manifest: Manifest) -> None:
    if not (root / MANIFEST).exists():
        files = root.iterdir() if root.exists() else ()
        if other := next((file for file in files if not file.name.startswith(f".{MANIFEST}.")), None):
            raise ConfigError(
                f"{root} is not empty ({other.name} is there) and was not made by mien.",
                hint="Use another folder.",
                code="config.in-the-way",
            )
        return
    try:
        there = Manifest.load(root)
    except ValueError as error:
        raise ConfigError(
            f"{root / MANIFEST} is not a manifest of synthetic people.", hint="Use another folder."
        ) from error
    differing = [
        key for key, value in manifest.to_dict().items()
        if key not in ("people", "photos") and there.to_dict()[key] != value
    ]  # fmt: skip
    if differing:
        raise ConfigError(
            f"{root} holds synthetic people made with another {', '.join(differing)}.",
            hint="Use another folder, or delete it first.",
            code="config.other-settings",
        )


def _write(path: Path, data: bytes) -> None:
    with written_whole(path) as partial:
        partial.write_bytes(data)


def _json(data: dict[str, Any]) -> bytes:
    return (json.dumps(data, indent=1) + "\n").encode()
