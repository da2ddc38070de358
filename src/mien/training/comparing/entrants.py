"""The losses that are compared, each with arguments and batches that suit it."""

import inspect
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from importlib.util import find_spec
from typing import Any

from mien.errors import ConfigError
from mien.training.losses import LOSSES
from mien.training.losses.interop import foreign_class

FILE = "entrants.toml"
PAIRS = {"name": "pk", "photos": 4}
"""What losses on pairs and triplets are given, which need several photos of a person in a batch."""


@dataclass(frozen=True)
class Entrant:
    """A loss, or several together, and how it is used.

    Attributes:
        name: As in recipes, and as its runs' folder is called.
        title: What it is called in the table.
        losses: Tables of a recipe's losses.
        sampler: A recipe's table of how batches are drawn.
        optimizer: What differs from the comparison's own optimiser.
    """

    name: str
    title: str
    losses: tuple[dict[str, Any], ...]
    sampler: dict[str, Any] = field(default_factory=lambda: {"name": "shuffled"})
    optimizer: dict[str, Any] = field(default_factory=dict)

    @property
    def described(self) -> str:
        """Its arguments in words: "s 32, m 0.3; 4 photos a person"."""
        words = []
        for loss in self.losses:
            flat = {key: value for key, value in loss.items() if key not in {"name", "arguments"}}
            settings = [f"{key.replace('_', ' ')} {value}" for key, value in (flat | loss.get("arguments", {})).items()]
            words.append(", ".join(([loss["name"].replace("_", " ")] if len(self.losses) > 1 else []) + settings))
        if "photos" in self.sampler:
            words.append(f"{self.sampler['photos']} photos a person")
        words += [f"{key.replace('_', ' ')} {value}" for key, value in self.optimizer.items()]
        return "; ".join(word for word in words if word)


def list_entrants() -> dict[str, Entrant]:
    """Every loss of mien by name, and those of PyTorch-metric-learning that `entrants.toml` names, if it is installed.

    A loss that isn't named there enters with its own defaults: shuffled batches if it knows classes, else several
    photos a person.
    """
    named = tomllib.loads(resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8"))
    if find_spec("pytorch_metric_learning") is None:
        named = {name: table for name, table in named.items() if not name.startswith("pml:")}
    entrants = {name: _entrant(name, table) for name, table in named.items()}
    used = {loss["name"] for entrant in entrants.values() for loss in entrant.losses}
    return entrants | {name: _with_defaults(name) for name in LOSSES if name not in used}


def choose_entrants(names: Sequence[str] | None = None) -> list[Entrant]:
    """The entrants of some names, in their order; all without any names.

    Args:
        names: Of `list_entrants`, or of a loss as ``pml:Name``.

    Raises:
        ConfigError: There is no such entrant, or none is named.
        MissingExtraError: One of PyTorch-metric-learning's is named, and that is not installed.
    """
    known = list_entrants()
    if names is None:
        return list(known.values())
    if not names:
        raise ConfigError("No loss to compare is named.", hint=f"Name some of {', '.join(known)}.")
    chosen = []
    for name in dict.fromkeys(names):
        if name in known:
            chosen.append(known[name])
        elif name.startswith("pml:"):
            foreign_class("loss", name)
            chosen.append(_with_defaults(name))
        else:
            raise ConfigError(
                f"There is no loss {name!r} to compare.",
                hint=f"Name some of {', '.join(known)}, or one of PyTorch-metric-learning's as pml:Name.",
            )
    return chosen


def _entrant(name: str, table: dict[str, Any]) -> Entrant:
    losses = tuple(table.pop("losses"))
    return Entrant(name=name, losses=losses, **table)


def _with_defaults(name: str) -> Entrant:
    title = name.partition(":")[2] or name.replace("_", " ")
    kind = LOSSES.get(name)
    if kind is not None and "num_classes" in inspect.signature(kind).parameters:
        return Entrant(name, title, ({"name": name},))
    return Entrant(name, title, ({"name": name},), sampler=PAIRS)
