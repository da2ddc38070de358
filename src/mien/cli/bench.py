"""`mien bench losses`: every loss with the same backbone, data and budget, on one table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.options import JsonOption
from mien.cli.output import ExitCode, Group, print_json, progress_shown, say
from mien.cli.outputs import output_folder

if TYPE_CHECKING:
    from mien.evaluation import Measure
    from mien.evaluation.reports.measure_words import Unit
    from mien.training.comparing import LossComparison


def losses(
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            callback=output_folder,
            help="A folder for the runs, the page and the tables.",
        ),
    ],
    recipe: Annotated[
        Path | None,
        typer.Option("--recipe", help="What all have in common (TOML); by default people who don't exist."),
    ] = None,
    losses: Annotated[
        str | None, typer.Option("--losses", metavar="NAME,NAME…", help="Compare these only, such as softmax,arcface.")
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Runs of each loss.")] = 3,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe, as in data.side=96.")
    ] = None,
    json: JsonOption = False,
) -> int:
    """Train every loss and compare them: a page, two tables. Run it again to carry on where it was left."""
    from mien.errors import MissingExtraError

    try:
        from mien.training.comparing import base_recipe, compare_losses
        from mien.training.comparing.page import write_page
        from mien.training.comparing.tables import write_tables
        from mien.training.recipe import read_recipe
    except ImportError as missing:
        if missing.name and missing.name.partition(".")[0] == "mien":
            raise
        raise MissingExtraError("train", "comparing losses") from None
    base = read_recipe(recipe, changes or ()) if recipe else base_recipe(changes or ())
    names = [name.strip() for name in losses.split(",") if name.strip()] if losses is not None else None
    with progress_shown():
        comparison = compare_losses(base, output, losses=names, seeds=seeds, tell=say)
    write_tables(comparison, output)
    page = write_page(comparison, output, _command(output, recipe, losses, seeds, changes or ()))
    if json:
        print_json(comparison.to_dict())
    else:
        _show(comparison)
    say(f"Look at {page}")
    return ExitCode.SOME_FAILED if comparison.failures else ExitCode.DONE


_SHORT = ("TMR at FMR 1e-2", "at 1e-3", "AUC", "EER", "accuracy", "closed set")
"""The headings of `MEASURES` in a terminal."""

BENCH = Group("bench", "Which loss trains the better encoder?", (losses,))


def _command(
    output: Path, recipe: Path | None, losses: str | None, seeds: int, changes: "list[str] | tuple[()]"
) -> str:
    words = ["mien bench losses", f"-o {output}"]
    words += [f"--recipe {recipe}"] if recipe else []
    words += [f"--losses {losses}"] if losses else []
    return " ".join([*words, f"--seeds {seeds}", *(f"--set {change}" for change in changes)])


def _show(comparison: "LossComparison") -> None:
    from rich.console import Console
    from rich.table import Table

    from mien.training.comparing.run_measures import MEASURES, RANKED_BY

    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    headings = ("loss", *_SHORT, f"ahead of {comparison.reference}", "time", "memory")
    for heading in headings:
        shown.add_column(heading)
    for one in comparison.standings:
        figures = [_brief(one.measures.get(name), interval=name == RANKED_BY) for name in MEASURES]
        cost = (f"{one.seconds:,.0f} s", f"{one.peak_bytes / 1e6:,.0f} MB") if one.by_seed else ("failed", "")
        shown.add_row(one.title, *figures, _brief(one.ahead, "difference of shares"), *cost)
    Console().print(shown)
    for one in comparison.standings:
        for seed, failure in one.failures.items():
            say(f"{one.title}, seed {seed}, came to nothing: {failure.message}")


def _brief(measure: "Measure | None", unit: "Unit" = "share", *, interval: bool = True) -> str:
    """A figure of the table, which has no room for every interval; the page has them, and why a figure is missing."""
    from mien.cli.measuring import words
    from mien.evaluation.reports.measure_words import cell

    if measure is None:
        return ""
    written = cell(measure, unit)
    if written.refusal:
        return "no figure"
    return words(written) if interval else written.value
