"""Arguments of losses, checked where they are given."""

import math
from collections.abc import Collection


def at_least(least: float, **arguments: float) -> None:
    """Refuse arguments below `least`, infinite or NaN.

    Raises:
        ValueError: One of them is.
    """
    for name, value in arguments.items():
        if not (math.isfinite(value) and value >= least):
            raise ValueError(f"{name} must be at least {least:g}, not {value}")


def above(bound: float, **arguments: float) -> None:
    """Refuse arguments that are not greater than `bound`, infinite or NaN.

    Raises:
        ValueError: One of them is.
    """
    for name, value in arguments.items():
        if not (math.isfinite(value) and value > bound):
            raise ValueError(f"{name} must be greater than {bound:g}, not {value}")


def within(least: float, greatest: float, **arguments: float) -> None:
    """Refuse arguments outside [`least`, `greatest`], or NaN.

    Raises:
        ValueError: One of them is.
    """
    for name, value in arguments.items():
        if not least <= value <= greatest:
            raise ValueError(f"{name} must lie from {least:g} to {greatest:g}, not {value}")


def finite(**arguments: float) -> None:
    """Refuse arguments that are infinite or NaN.

    Raises:
        ValueError: One of them is.
    """
    for name, value in arguments.items():
        if not math.isfinite(value):
            raise ValueError(f"{name} must be a finite number, not {value}")


def one_of(options: Collection[str], **arguments: str) -> None:
    """Refuse arguments that are not among `options`.

    Raises:
        ValueError: One of them isn't.
    """
    for name, value in arguments.items():
        if value not in options:
            raise ValueError(f"{name} must be one of {', '.join(options)}, not {value!r}")
