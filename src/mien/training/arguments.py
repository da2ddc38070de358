"""Arguments that a recipe gives to what it names, checked before anything is made with them."""

import inspect
from collections.abc import Callable, Collection, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from torch import nn

from mien.errors import ConfigError

_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text", NoneType: "nothing"}


def check_arguments(
    what: str, make: Callable[..., object], arguments: Mapping[str, Any], of_the_run: Collection[str] = ()
) -> None:
    """See that `make` takes arguments, by its signature; annotations that aren't plain, such as a sequence, fit all.

    Args:
        what: What is made, in words: ``"loss cosface"``.
        make: What it is made by.
        arguments: As a recipe gives them.
        of_the_run: Parameters that aren't the recipe's to set.

    Raises:
        ConfigError: An argument is missing, not one of its own, or of another type than it says.
    """
    parameters = inspect.signature(make).parameters.values()
    own = {one.name: one for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)}
    for name in of_the_run:
        own.pop(name, None)
    takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters) and not _has_no_own_init(make)
    if (unknown := [key for key in arguments if key not in own]) and not takes_any:
        raise ConfigError(
            f"The {what} has no {', '.join(unknown)}.", hint=f"It has {', '.join(own) or 'nothing to set'}."
        )
    for key, value in arguments.items():
        if key in own and not _fits(value, own[key].annotation):
            raise ConfigError(f"The {what} can't be made: {key} must be {_words(own[key].annotation)}, not {value!r}.")
    if missing := [name for name, one in own.items() if one.default is one.empty and name not in arguments]:
        raise ConfigError(f"The {what} needs {', '.join(missing)}.")


def _has_no_own_init(make: Callable[..., object]) -> bool:
    """Whether it is a module that takes nothing, though the signature that it inherits takes anything."""
    return getattr(make, "__init__", None) is nn.Module.__init__


def _fits(value: object, annotation: Any) -> bool:
    if get_origin(annotation) in (Union, UnionType):
        return any(_fits(value, one) for one in get_args(annotation))
    if get_origin(annotation) is Literal:
        return value in get_args(annotation)
    if not any(annotation is plain for plain in _WORDS):
        return True
    if isinstance(value, bool):  # which Python takes for a number
        return annotation is bool
    return isinstance(value, int | float if annotation is float else annotation)


def _words(annotation: Any) -> str:
    if get_origin(annotation) in (Union, UnionType):
        return " or ".join(_words(one) for one in get_args(annotation))
    if get_origin(annotation) is Literal:
        return f"one of {', '.join(map(str, get_args(annotation)))}"
    return _WORDS[annotation]
