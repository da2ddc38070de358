"""Every key of a recipe in words, from the schema itself."""

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mien.training.recipe.schema import OpenTable, Recipe


def describe_keys() -> str:
    """A line for each key: its place, its kind, what holds where it isn't said, and its meaning."""
    rows = list(_rows(Recipe, ""))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        f"{place:<{widths[0]}}  {kind:<{widths[1]}}  {default:<{widths[2]}}  {meaning}".rstrip()
        for place, kind, default, meaning in rows
    )


def _rows(table: type[BaseModel], path: str) -> Iterator[tuple[str, str, str, str]]:
    for name, field in table.model_fields.items():
        inner, several = _table_of(field.annotation)
        place = f"{path}{name}"
        if inner is None:
            yield place, _kind(field), _default(field), field.description or ""
            continue
        meaning = field.description or (inner.__doc__ or "").splitlines()[0]
        yield (f"[[{place}]]" if several else f"[{place}]"), "tables" if several else "table", "", meaning
        if inner is not table and not (path and place.startswith("stages.")):
            yield from _rows(inner, f"{place}.")
    if issubclass(table, OpenTable):
        yield f"{path}…", "", "", "arguments of what `name` names"


def _table_of(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The table that an annotation holds, and whether it holds several."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    origin = get_origin(annotation)
    for argument in get_args(annotation):
        inner, _ = _table_of(argument)
        if inner is not None and origin in {tuple, Union, types.UnionType}:
            return inner, origin is tuple
    return None, False


def _kind(field: FieldInfo) -> str:
    annotation: Any = field.annotation
    choices = [argument for argument in get_args(annotation) if argument not in {type(None), Ellipsis}]
    if get_origin(annotation) is Literal:
        return " | ".join(map(str, choices))
    if get_origin(annotation) in {Union, types.UnionType}:
        annotation = choices[0]
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is tuple:
        return "numbers"
    names = {int: "whole number", float: "number", str: "text", bool: "true or false"}
    return names.get(annotation, "path" if annotation is not dict and "Path" in str(annotation) else "table")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    default = field.get_default(call_default_factory=True)
    if default is None or default in ((), ""):
        return ""
    return str(list(default) if isinstance(default, tuple) else default)
