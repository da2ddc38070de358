"""What goes where: results to stdout, everything else to stderr, and the exit codes."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from mien.progress import reporting


class ExitCode(IntEnum):
    """How a command ends."""

    DONE = 0
    """Yes, or done."""
    NO = 1
    """A clean no: no match, unknown, ambiguous."""
    USAGE = 2
    """Wrong usage: options or settings that make no sense, or a place that can't be written to."""
    UNUSABLE = 3
    """An input that can't be used: a photo, folder, list, table, calibration or gallery, missing ones included."""
    MISSING = 4
    """Something of mien's own is missing: a network, its weights, an extra, a server."""
    SOME_FAILED = 5
    """Done, but some items failed."""
    BUG = 70
    """An error in mien itself."""
    INTERRUPTED = 130
    """By Ctrl-C, or told to stop."""
    READER_GONE = 141
    """Whoever read the output closed it before all was written, as the shell says it of any program."""


DECISION_CODES = {
    "match": ExitCode.DONE,
    "no_match": ExitCode.NO,
    "unknown": ExitCode.NO,
    "ambiguous": ExitCode.NO,
    "unusable": ExitCode.UNUSABLE,
}


def print_json(document: Any, *, line: bool = False) -> None:
    """Print one JSON document, for people to read where they look at it, or on one line of several such."""
    # In ASCII, so that names can't steer the terminal, and any encoding of stdout leaves it JSON. NaN and infinities,
    # which JSON lacks, would be an error of ours.
    indent = 2 if sys.stdout.isatty() and not line else None
    print(json.dumps(document, allow_nan=False, indent=indent))


def print_line(*cells: str) -> None:
    """Print a line of the result, for people; the cells of a list are set apart by tabs."""
    print("\t".join(map(one_line, cells)))


def print_table(rows: Iterable[Iterable[str]]) -> None:
    """Print rows of cells, for people: in columns, broken into lines where the terminal is too narrow for them."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows:
        shown.add_row(*(Text("\n".join(map(one_line, cell.split("\n"))), overflow="fold") for cell in row))
    Console().print(shown)


def say(text: str) -> None:
    """Tell the user, on one line, something that is not the result."""
    print(one_line(text), file=sys.stderr, flush=True)


def one_line(text: str) -> str:
    """`text` without what moves a terminal's cursor, colours it or begins a new line, whatever the names in it hold."""
    if text.isprintable():
        return text
    from mien.photos.reading import printable  # late: it brings all that reads pictures

    return printable(text)


def say_problems(problems: dict[str, dict[str, str]], most: int = 20) -> None:
    """List the photos that could not be used, and why."""
    if not problems:
        return
    from mien.decisions.wording import counted  # late: it brings numpy

    say(f"{counted(len(problems), 'photo')} could not be used:")
    for source, problem in list(problems.items())[:most]:
        why = problem["message"]
        say(f"  {why if why.startswith(f'{one_line(source)} ') else f'{source}: {why}'}")
    if len(problems) > most:
        say(f"  … and {len(problems) - most} more (--json lists all).")


@contextmanager
def progress_shown() -> Iterator[None]:
    """Show the progress of the work inside: a bar on a terminal, a line now and then elsewhere."""
    if sys.stderr.isatty():
        with _bar():
            yield
    else:
        with reporting(_Lines()):
            yield


@contextmanager
def _bar() -> Iterator[None]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def show(label: str, done: int, total: int | None) -> None:
            if label not in tasks:
                tasks[label] = progress.add_task(one_line(label), total=total)
            progress.update(tasks[label], completed=done, total=total)

        with reporting(show):
            yield


class _Lines:
    """A line of progress at most every few seconds, for logs."""

    EVERY = 30.0

    def __init__(self) -> None:
        self.said = time.monotonic()

    def __call__(self, label: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now - self.said >= self.EVERY:
            self.said = now
            say(f"{label}: {done}{f' of {total}' if total else ''}")


@dataclass(frozen=True)
class Group:
    """Commands below a command, such as `mien people list`; the name of each function is the command's."""

    name: str
    help: str
    commands: tuple[Callable[..., int], ...]
