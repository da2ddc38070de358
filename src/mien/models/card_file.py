"""Reads model cards from TOML: mien's own by name, anyone's by path, each checked key by key."""

import dataclasses
import difflib
import math
import re
import sys
from functools import cache
from pathlib import Path
from typing import Literal, TypeVar, cast

from mien.errors import ModelCardError, ModelError
from mien.models.card import (
    Colour,
    InputContract,
    ModelCard,
    OutputContract,
    PackageSource,
    Task,
    UrlSource,
)
from mien.toml_files import read_toml

SHIPPED = Path(__file__).parent / "cards"

_LARGEST = 2**63 - 1
_MOST_SHOWN = 80

T = TypeVar("T")


def load_card(name_or_path: str | Path) -> ModelCard:
    """Read a model card.

    Args:
        name_or_path: A name from `list_cards`, or the path of a ``.toml`` file.

    Raises:
        ModelError: mien has no model of that name.
        ModelCardError: There is no such file, or it isn't what a card must be: the message says which key and why.
    """
    if isinstance(name_or_path, str) and not _is_path(name_or_path):
        if name_or_path not in _shipped_names():
            near = difflib.get_close_matches(name_or_path, _shipped_names(), 1)
            raise ModelError(
                f"There is no model named {name_or_path!r}.",
                hint=(f"Did you mean {near[0]!r}? " if near else "")
                + f"mien's own are {', '.join(_shipped_names())}; for another one, give the path of its card (.toml).",
                code="model.unknown",
            )
        return _shipped_card(name_or_path)
    return _read(Path(name_or_path))


def list_cards() -> list[ModelCard]:
    """The cards that mien ships, by name."""
    return [_shipped_card(name) for name in _shipped_names()]


def _is_path(text: str) -> bool:
    return text.endswith(".toml") or "/" in text or "\\" in text


@cache
def _shipped_names() -> list[str]:
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


@cache
def _shipped_card(name: str) -> ModelCard:
    return _read(SHIPPED / f"{name}.toml", own=True)


def _read(path: Path, *, own: bool = False, single: bool = False) -> ModelCard:
    try:
        data = read_toml(path)
    except FileNotFoundError:
        raise ModelCardError(f"There is no model card at {path}.", code="model.unknown") from None
    except OSError as error:
        raise ModelCardError(f"The model card {path} can't be read: {error.strerror or error}.") from None
    except ValueError as error:
        raise ModelCardError(f"The model card {path} isn't valid TOML: {error}.") from None
    return _card(_Table(data, "", path), None if own else path.resolve(), single=single)


def _card(table: "_Table", path: Path | None, *, single: bool) -> ModelCard:
    name = table.text("name")
    task = table.choice("task", ("detector", "encoder", "liveness", "quality"))
    card = ModelCard(
        name=name,
        title=table.text("title", name),
        task=cast(Task, task),
        licence=table.text("licence"),
        input=InputContract(None, "rgb"),
        training=table.text("training", ""),
        figures=table.text("figures", ""),
        limits=table.text("limits", ""),
        path=path,
    )
    if members := table.tables("members"):
        if single:
            table.fail("members", "can't stand in a card that is itself a member of a fusion")
        card = _fusion(card, table, members)
    else:
        card = _network(card, table)
    table.end()
    return card


def _network(card: ModelCard, table: "_Table") -> ModelCard:
    file = table.text("file")
    if Path(file).name != file:
        table.fail("file", "must be the name of a file, without folders")
    return dataclasses.replace(
        card,
        file=file,
        sha256=table.text("sha256", pattern="[0-9a-f]{64}", form="64 lower-case hex digits"),
        size_bytes=table.integer("size_bytes", least=1),
        format=cast(Literal["onnx", "dlib"], table.choice("format", ("onnx", "dlib"), "onnx")),
        sources=tuple(_source(source) for source in table.tables("sources")),
        input=_input(table.table("input"), card.task),
        output=_output(table.table("output")) if card.task == "encoder" else card.output,
    )


def _fusion(card: ModelCard, table: "_Table", members: "list[_Table]") -> ModelCard:
    if card.task != "encoder":
        table.fail("task", 'must be "encoder" where the card has members')
    weighted = [_member(member, card.folder) for member in members]
    if not math.isclose(sum(weight for _, weight in weighted), 1.0, abs_tol=1e-9):
        table.fail("members", "must have weights that sum to 1")
    return dataclasses.replace(
        card,
        input=weighted[0][0].input,
        output=OutputContract("fused", sum(member.output.dimensions for member, _ in weighted)),
        members=tuple(weighted),
    )


def _member(table: "_Table", folder: Path | None) -> tuple[ModelCard, float]:
    reference, weight = table.text("card"), table.number("weight")
    if weight <= 0:
        table.fail("weight", "must be above 0")
    if folder and _is_path(reference):
        card = _read(folder / reference, single=True)
    else:
        card = load_card(reference)
    if card.task != "encoder" or card.members:
        table.fail("card", f"names {card.name!r}, which isn't a single encoder")
    table.end()
    return card, weight


def _input(table: "_Table", task: str) -> InputContract:
    size = table.numbers("size", None, length=2)
    if size is not None and not all(side == int(side) and 1 <= side <= 4096 for side in size):
        table.fail("size", "must be a width and a height, two whole numbers from 1 to 4096")
    if size is None and task != "detector":
        table.fail("size", "is missing")
    contract = InputContract(
        size=None if size is None else (int(size[0]), int(size[1])),
        multiple=table.integer("multiple", 1, least=1),
        colour=cast(Colour, table.choice("colour", ("rgb", "bgr"))),
        mean=cast(tuple[float, float, float], table.numbers("mean", (0.0, 0.0, 0.0), length=3)),
        scale=cast(tuple[float, float, float], table.numbers("scale", (1.0, 1.0, 1.0), length=3)),
        template=table.text("template", "" if task == "detector" else None),
        flip=table.flag("flip", False),
    )
    table.end()
    return contract


def _output(table: "_Table") -> OutputContract:
    dimensions = table.integer("dimensions", least=1)
    contract = OutputContract(table.text("name"), dimensions, table.numbers("centre", None, length=dimensions))
    table.end()
    return contract


def _source(table: "_Table") -> PackageSource | UrlSource:
    source: PackageSource | UrlSource
    if table.choice("kind", ("package", "url")) == "package":
        source = PackageSource(
            table.text("distribution"), table.text("version"), table.text("path"), table.text("extra", "")
        )
    else:
        source = UrlSource(table.text("url", pattern="https://.+", form="an https:// address"))
    table.end()
    return source


class _Table:
    """One table of a card, which knows where it stands, checks what is taken, and refuses what is left over."""

    def __init__(self, data: dict[str, object], place: str, path: Path) -> None:
        self._data = data
        self._place = place
        self._path = path
        self._taken: set[str] = set()

    def fail(self, key: str, problem: str) -> None:
        raise ModelCardError(f"The model card {self._path} is wrong: {self._place}{key} {problem}.")

    def end(self) -> None:
        for key in self._data.keys() - self._taken:
            near = difflib.get_close_matches(key, self._taken, 1)
            self.fail(key, "is not a key that a card has" + (f" (did you mean {near[0]}?)" if near else ""))

    def text(self, key: str, default: str | None = None, *, pattern: str = ".+", form: str = "text") -> str:
        value = self._take(key, str, form, default).strip()
        if value != default and not re.fullmatch(pattern, value, re.DOTALL):
            self.fail(key, f"must be {form}, not {_words(value)}")
        return value

    def choice(self, key: str, choices: tuple[str, ...], default: str | None = None) -> str:
        value = self.text(key, default)
        if value not in choices:
            self.fail(key, f"must be one of {', '.join(choices)}, not {_words(value)}")
        return value

    def integer(self, key: str, default: int | None = None, *, least: int) -> int:
        value = self._take(key, int, "a whole number", default)
        if not least <= value <= _LARGEST:
            self.fail(key, f"must be at least {least}, and of 64 bits at most, not {_words(value)}")
        return value

    def number(self, key: str) -> float:
        value = self._take(key, (int, float), "a number", None)
        if not _is_finite(value):
            self.fail(key, f"must be a number, not {_words(value)}")
        return float(value)

    def flag(self, key: str, default: bool) -> bool:
        return self._take(key, bool, "true or false", default)

    def numbers(self, key: str, default: tuple[float, ...] | None, *, length: int) -> tuple[float, ...] | None:
        if key not in self._data:
            return default
        values = self._take(key, list, f"a list of {length} numbers", None)
        good = all(isinstance(v, (int, float)) and not isinstance(v, bool) and _is_finite(v) for v in values)
        if not good or len(values) != length:
            self.fail(key, f"must be a list of {length} numbers")
        return tuple(float(v) for v in values)

    def table(self, key: str) -> "_Table":
        return _Table(self._take(key, dict, "a table", None), f"{self._place}{key}.", self._path)

    def tables(self, key: str) -> "list[_Table]":
        items = self._take(key, list, "a list of tables", [])
        if not all(isinstance(item, dict) for item in items):
            self.fail(key, "must be a list of tables")
        return [_Table(item, f"{self._place}{key}[{at}].", self._path) for at, item in enumerate(items)]

    def _take(self, key: str, kind: type[T] | tuple[type[T], ...], form: str, default: T | None) -> T:
        self._taken.add(key)
        if key not in self._data:
            if default is None:
                self.fail(key, "is missing")
            return cast(T, default)
        value = self._data[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.fail(key, f"must be {form}, not {_words(value)}")
        return cast(T, value)


def _is_finite(value: float) -> bool:
    return abs(value) <= sys.float_info.max  # math.isfinite fails at whole numbers that no float can hold


def _words(value: object) -> str:
    """A value as a message shows it, which is its beginning if it is long."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
