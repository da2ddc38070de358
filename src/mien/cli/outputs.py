"""Where results are written: refused before the work if it can't be done, or if something else is there already."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

import typer

from mien.errors import ConfigError

Output = Literal["page", "curve", "answers", "groups", "matches", "calibration", "matrix", "faces"]

_HEAD = 4096
"""Bytes that tell what a file is."""
_ENDINGS: dict[Output, tuple[str, ...]] = {
    "page": ("", ".html", ".htm"),
    **dict.fromkeys(("curve", "answers", "groups", "matches"), ("", ".csv", ".txt")),
    "calibration": ("", ".json"),
    "matrix": (".npy", ".parquet"),  # which say what is to be written
    "faces": (".npz",),  # by which every command tells it from a photo
}
_NAMES: dict[Output, str] = {
    "page": "page of mien",
    "curve": "table of error rates of mien",
    "answers": "table of comparisons or answers of mien",
    "groups": "table of groups of mien",
    "matches": "table of matches of mien",
    "calibration": "calibration of mien",
    "matrix": "matrix of similarities",
}
_FIRST_LINES: dict[Output, frozenset[bytes]] = {
    "curve": frozenset(
        {
            b"threshold,fmr,fmr_low,fmr_high,fnmr,fnmr_low,fnmr_high",
            b"threshold,fpir,fpir_low,fpir_high,fnir,fnir_low,fnir_high",
            b"measure,value,low,high",
        }
    ),
    "answers": frozenset(
        {
            b"first,second,score,mated",
            b"first,second,score,mated,fold",
            b"first,second,score,mated,person1,person2",
            b"first,second,score,mated,fold,person1,person2",
            b"probe,person,similarity",
            b"probe,person,similarity,truth",
            b"photo,person,nearest,nearest_person,similarity",
            b"photo,person,group",
        }
    ),
    "groups": frozenset({b"group,photo,x,y,width,height"}),
    "matches": frozenset({b"probe,decision,person,similarity,runner_up,margin"}),
}


def output_file(kind: Output) -> Callable[[Path | None], Path | None]:
    """A callback that refuses a name that tells of another kind of file, and a place that can't be written or is taken.

    What an earlier run of mien wrote there is replaced. A table of faces is not looked at here: whoever carries it on
    reads it first.
    """

    def check(path: Path | None) -> Path | None:
        if path is not None:
            if path.is_dir():
                raise typer.BadParameter(f"{path} is a folder; name a file.")
            if not path.parent.is_dir():
                raise typer.BadParameter(f"The folder {path.parent} does not exist.")
            if not os.access(path.parent, os.W_OK):
                raise typer.BadParameter(f"The folder {path.parent} can't be written to.")
            if path.suffix.lower() not in _ENDINGS[kind]:
                raise typer.BadParameter(f"{path} does not end with {' or '.join(filter(None, _ENDINGS[kind]))}.")
            if kind != "faces":
                refuse_to_replace(path, kind)
        return path

    return check


def output_folder(path: Path | None) -> Path | None:
    """Refuse a place where a folder can't be written, before the work is done, not after."""
    if path is not None:
        for place in (path, *path.parents):
            if place.exists():
                if not place.is_dir():
                    raise typer.BadParameter(f"{place} is a file; name a folder.")
                if not os.access(place, os.W_OK):
                    raise typer.BadParameter(f"The folder {place} can't be written to.")
                break
    return path


def refuse_to_replace(path: Path, kind: Output) -> None:
    """Refuse a file that is there already, unless it is empty or what mien writes of this kind.

    Raises:
        typer.BadParameter: It is something else.
    """
    if path.exists() and not _replaceable(path, kind):
        raise typer.BadParameter(f"{path} is there already and is no {_NAMES[kind]}; name another file, or remove it.")


def refuse_one_place_for_two(*paths: Path | None) -> None:
    """Refuse to write one result over another.

    Raises:
        ConfigError: Two of the paths lead to one place.
    """
    places = [os.path.realpath(path) for path in paths if path is not None and _is_plain(path)]
    if twice := next((place for place in places if places.count(place) > 1), None):
        raise ConfigError(f"{twice} can't take two results.", hint="Name a file for each.")


def refuse_to_write_over_inputs(inputs: Iterable[Path], outputs: Iterable[Path]) -> None:
    """Refuse to write a result over what it is made from, even where an earlier run of mien made that.

    Raises:
        ConfigError: One of the outputs is one of the inputs, by whatever path.
    """
    read = [path for path in inputs if path.is_file()]
    for output in outputs:
        if output.is_file() and any(output.samefile(path) for path in read):
            raise ConfigError(f"{output} is read, so it can't take a result.", hint="Name another file.")


def _is_plain(path: Path) -> bool:
    return path.is_file() or not path.exists()  # not such as /dev/null


def _replaceable(path: Path, kind: Output) -> bool:
    if not _is_plain(path):
        return True
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        return True
    if kind == "page":
        return b'<meta name="generator" content="mien">' in head
    if kind == "calibration":
        return head.lstrip().startswith(b"{") and b'"schema": "mien.calibration/' in head
    if kind == "matrix":
        return head.startswith((b"\x93NUMPY", b"PAR1"))
    return head.splitlines()[0] in _FIRST_LINES[kind]
