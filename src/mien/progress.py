"""How long work is shown: code that works says where it is, and whoever started it decides what that looks like.

A library user sees nothing unless they ask; the command line installs a progress bar.
"""

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Reporter = Callable[[str, int, int | None], None]
"""Called with a label, how many items are done, and how many there are (None if that is not known)."""

T = TypeVar("T")


def _silent(label: str, done: int, total: int | None) -> None:
    """Show nothing."""


_reporter: ContextVar[Reporter] = ContextVar("mien_progress_reporter", default=_silent)


@contextmanager
def reporting(reporter: Reporter) -> Iterator[None]:
    """Send the progress of everything done inside the ``with`` block to `reporter`."""
    token = _reporter.set(reporter)
    try:
        yield
    finally:
        _reporter.reset(token)


def report(label: str, done: int, total: int | None = None) -> None:
    """Say that `done` of `total` items of the work called `label` are finished."""
    _reporter.get()(label, done, total)


def track(items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
    """Yield `items` one by one, reporting each as it is finished.

    Args:
        items: What to work through.
        label: What the work is called, such as ``"embedding photos"``.
        total: How many there are; taken from ``len(items)`` where it has one.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    report(label, 0, total)
    for done, item in enumerate(items, start=1):
        yield item
        report(label, done, total)
