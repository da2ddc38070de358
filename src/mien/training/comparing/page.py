"""The table of losses as a page: who is ahead, how sure that is, and what it cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mien._version import __version__
from mien.evaluation import Estimate, Measure
from mien.evaluation.reports.drawn import Drawn
from mien.evaluation.reports.measure_words import Cell, cell
from mien.evaluation.reports.page import plot, render_page
from mien.training.comparing.comparing import LossComparison
from mien.training.comparing.figures import measure_figure, time_figure
from mien.training.comparing.run_measures import MEASURES, RANKED_BY
from mien.training.comparing.standings import Standing
from mien.whole_files import write_whole

PAGE = "losses.html"
_MOST_NAMED = 5
"""Losses that a sentence lists by name."""


@dataclass(frozen=True, slots=True)
class Line:
    """A loss on the page.

    Args:
        title: What it is called.
        described: Its arguments.
        cells: A figure for each of `MEASURES`; None where every run failed.
        ahead: How far it is ahead of the reference; None for the reference itself, or where it isn't known.
        clear: "yes" or "no" where it is clearly ahead or behind; "" otherwise.
        seconds: Of training.
        memory: At its most.
        failures: Why runs came to nothing, each reason once.
    """

    title: str
    described: str
    cells: list[Cell | None]
    ahead: Cell | None
    clear: str
    seconds: str
    memory: str
    failures: list[str]


def write_page(comparison: LossComparison, folder: Path, command: str = "") -> Path:
    """Write the page into a folder as ``losses.html``, one file with everything in it.

    Args:
        comparison: The table.
        folder: Where the page is written.
        command: What made it.

    Returns:
        The file.
    """
    file = folder / PAGE
    write_whole(file, render_losses(comparison, command))
    return file


def render_losses(comparison: LossComparison, command: str = "") -> str:
    """The page as HTML."""
    standings = comparison.standings
    reference = next(one for one in standings if one.name == comparison.reference)
    return render_page(
        "losses.html.j2",
        "mien.training.comparing",
        first=standings[0] if standings[0].by_seed else None,
        leading=cell(standings[0].measures[RANKED_BY], "share") if standings[0].by_seed else None,
        reference=reference.title,
        better=[one.title for one in standings if _clear(one.ahead) == "yes"],
        worse=[one.title for one in standings if _clear(one.ahead) == "no"],
        most=_MOST_NAMED,
        seeds=comparison.seeds,
        headings=list(MEASURES.values()),
        lines=[_line(one) for one in standings],
        figures=_figures(standings),
        facts=dict(comparison.facts) | ({"command": command} if command else {}),
        version=__version__,
    )


def _figures(standings: Sequence[Standing]) -> list[Drawn]:
    how = "Dot: mean over the seeds. Whiskers: 95 % interval for other people and other seeds. Ticks: the seeds."
    return [
        Drawn(
            "Verification: TMR at FMR 1e-2",
            f"People whom no network saw; further right is better. {how}",
            plot(measure_figure(standings, RANKED_BY), "True match rate at a false match rate of 1 % of every loss"),
        ),
        Drawn(
            "Closed set: photos named right",
            "Other photos of the people learnt from, each given to the person whose mean embedding is nearest. A loss "
            "can be good at this and poor on strangers.",
            plot(measure_figure(standings, "closed_set"), "Closed-set accuracy of every loss"),
        ),
        Drawn(
            "Time",
            "All took the same number of steps. Bar: mean; ticks: the seeds.",
            plot(time_figure(standings), "Seconds of training of every loss"),
        ),
    ]


def _line(standing: Standing) -> Line:
    def figure(name: str) -> Cell | None:
        if name not in standing.measures:
            return None
        spread = standing.spread.get(name)
        return cell(standing.measures[name], "share", "" if spread is None else f"seeds ± {100 * spread:.1f}")

    return Line(
        title=standing.title,
        described=standing.described,
        cells=[figure(name) for name in MEASURES],
        ahead=cell(standing.ahead, "difference of shares") if standing.ahead else None,
        clear=_clear(standing.ahead),
        seconds=f"{standing.seconds:,.0f} s" if standing.by_seed else "",
        memory=f"{standing.peak_bytes / 1e6:,.0f} MB" if standing.by_seed else "",
        failures=[
            f"{len(seeds)} of {len(standing.by_seed) + len(standing.failures)} runs came to nothing: {message}"
            for message, seeds in _reasons(standing).items()
        ],
    )


def _reasons(standing: Standing) -> dict[str, list[int]]:
    reasons: dict[str, list[int]] = {}
    for seed, failure in standing.failures.items():
        reasons.setdefault(failure.message, []).append(seed)
    return reasons


def _clear(ahead: Measure | None) -> str:
    if not isinstance(ahead, Estimate) or ahead.low <= 0 <= ahead.high:
        return ""
    return "yes" if ahead.value > 0 else "no"
