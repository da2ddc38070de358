"""Reads, changes and writes recipes."""

import tomllib
from collections.abc import Iterable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from mien.errors import ConfigError, InputError
from mien.toml_files import read_toml
from mien.training.recipe.schema import Recipe
from mien.whole_files import write_whole


def shipped_recipes() -> dict[str, Path]:
    """The recipes that come with mien, by name."""
    folder = Path(__file__).parent.parent / "recipes"
    return {file.stem: file for file in sorted(folder.glob("*.toml"))}


def read_recipe(file: Path, changes: Iterable[str] = ()) -> Recipe:
    """Read a recipe and apply changes to it.

    Args:
        file: TOML; or the name of a shipped one, such as ``quick``, where there is no such file.
        changes: Such as ``"losses.0.m=0.4"`` or ``"training.batch_size=64"``: the place in the recipe, and a value as
            TOML writes it; text needs no quotes. ``loss`` stands for the first of the losses.

    Raises:
        InputError: The file is missing or no TOML.
        ConfigError: A key or value is not one that a recipe has.
    """
    shipped = shipped_recipes()
    if str(file) in shipped and not file.exists():
        file = shipped[str(file)]
    try:
        content = read_toml(file)
    except FileNotFoundError:
        raise InputError(
            f"There is no recipe {file}.", hint=f"Name a TOML file, or one of {', '.join(shipped)}."
        ) from None
    except OSError as problem:
        raise InputError(f"The recipe {file} can't be read: {problem}.") from None
    except ValueError as problem:
        raise InputError(f"The recipe {file} is no TOML: {problem}.") from None
    changes, given = tuple(changes), deepcopy(content)
    for change in changes:
        _apply(content, change)
    recipe = check_recipe(content, str(file))
    for place, change in enumerate(changes):
        if _place(change)[0] in ("losses", "optimizer", "schedule"):
            _refuse_if_overridden(change, _without(given, changes, place), recipe)
    return recipe


def check_recipe(content: dict[str, Any], name: str = "the recipe") -> Recipe:
    """A recipe from what a TOML file says.

    Raises:
        ConfigError: It has a key that no recipe has, or a value that is not allowed; all of them are named.
    """
    try:
        return Recipe.model_validate(content)
    except ValidationError as problems:
        sentences, places = [], [problem["loc"] for problem in problems.errors()]
        for problem in problems.errors():
            if problem["type"] == "too_short" and any(_lies_below(place, problem["loc"]) for place in places):
                continue  # pydantic doesn't count the entries that have a mistake of their own
            place = ".".join(str(part) for part in problem["loc"])
            what = "there is no such key" if problem["type"] == "extra_forbidden" else problem["msg"]
            what = what.removeprefix("Value error, ")
            sentences.append(f"{place}: {what[0].lower()}{what[1:]}" if place else what)
        raise ConfigError(
            f"{name} can't be followed: {'; '.join(sentences)}.", hint="`mien train --keys` lists every key."
        ) from None


def _lies_below(place: tuple[int | str, ...], table: tuple[int | str, ...]) -> bool:
    return len(place) > len(table) and place[: len(table)] == table


def write_recipe(recipe: Recipe, file: Path) -> None:
    """Write a recipe with every value that holds, so that a run can be repeated from it."""
    write_whole(file, recipe_text(recipe))


def recipe_text(recipe: Recipe) -> str:
    """What `write_recipe` writes."""
    return tomli_w.dumps(recipe.model_dump(mode="json", exclude_none=True))


def _without(content: dict[str, Any], changes: Sequence[str], place: int) -> Recipe | None:
    """The recipe with all changes but one; None if it needs that one."""
    changed = deepcopy(content)
    try:
        for change in (*changes[:place], *changes[place + 1 :]):
            _apply(changed, change)
        return check_recipe(changed)
    except ConfigError:
        return None


def _refuse_if_overridden(change: str, without: Recipe | None, recipe: Recipe) -> None:
    """Where every stage says the same itself, what the recipe says for all of them counts for nothing."""
    if without is not None and without != recipe and _followed(without) == _followed(recipe):
        raise ConfigError(
            f"{change!r} changes nothing: every stage has its own.",
            hint=f"Change a stage's, such as stages.0.{'.'.join(_place(change))}.",
        )


def _followed(recipe: Recipe) -> list[tuple[Any, ...]]:
    """What each stage follows of what the recipe says for all of them."""
    return [
        (stage.losses or recipe.losses, stage.optimizer or recipe.optimizer, stage.schedule or recipe.schedule)
        for stage in recipe.stages
    ]


def _place(change: str) -> list[str]:
    """The keys on the way to what a change changes."""
    place, equals, _ = change.partition("=")
    keys = place.strip().split(".")
    if not equals or not all(keys):
        raise ConfigError(f"{change!r} changes nothing.", hint="Write KEY=VALUE, such as training.batch_size=64.")
    return ["losses", "0", *keys[1:]] if keys[0] == "loss" else keys


def _apply(content: dict[str, Any], change: str) -> None:
    keys, text = _place(change), change.partition("=")[2]
    table: Any = content
    for key in keys[:-1]:
        table = _entry(table, key, change)
    last = keys[-1]
    value = _value(text.strip())
    if isinstance(table, dict):
        table[last] = value
    else:
        _entry(table, last, change)
        table[int(last)] = value


def _entry(table: Any, key: str, change: str) -> Any:
    if isinstance(table, dict):
        if key == "miner" and isinstance(table.get(key), str):  # short for a table that only has a name
            table[key] = {"name": table[key]}
        return table.setdefault(key, {})
    if isinstance(table, list) and key.isdecimal() and int(key) < len(table):
        return table[int(key)]
    raise ConfigError(f"{change!r} names no place in the recipe: {key!r} is not there.")


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text
