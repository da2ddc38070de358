"""The table of losses as files that other programs read."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mien.evaluation import Estimate, Measure
from mien.training.comparing.comparing import LossComparison
from mien.training.comparing.run_measures import MEASURES
from mien.training.comparing.standings import Standing
from mien.whole_files import opened_whole

LOSSES_CSV, RUNS_CSV = "losses.csv", "runs.csv"


def write_tables(comparison: LossComparison, folder: Path) -> None:
    """Write ``losses.csv``, a row a loss, the best first, and ``runs.csv``, a row a run.

    Shares are numbers from 0 to 1; a figure that the data doesn't support is left empty.
    """
    _write(folder / LOSSES_CSV, [_of_loss(standing) for standing in comparison.standings])
    _write(folder / RUNS_CSV, [row for standing in comparison.standings for row in _of_runs(standing)])


def _of_loss(standing: Standing) -> dict[str, Any]:
    row: dict[str, Any] = {"loss": standing.name, "arguments": standing.described, "runs": len(standing.by_seed)}
    for name in MEASURES:
        row |= _columns(name, standing.measures.get(name))
        row[f"{name}_spread"] = standing.spread.get(name, "")
    row |= _columns("ahead", standing.ahead)
    return row | {
        "seconds": standing.seconds,
        "peak_bytes": standing.peak_bytes,
        "failures": "; ".join(f"seed {seed}: {failure.message}" for seed, failure in standing.failures.items()),
    }


def _of_runs(standing: Standing) -> Iterable[dict[str, Any]]:
    for seed, run in standing.by_seed.items():
        row: dict[str, Any] = {"loss": standing.name, "seed": seed}
        for name, measure in run.measures.items():
            row |= _columns(name, measure)
        yield row | {"seconds": run.seconds, "peak_bytes": run.peak_bytes, "steps": run.steps}


def _columns(name: str, measure: Measure | None) -> dict[str, Any]:
    known = measure if isinstance(measure, Estimate) else None
    return {
        name: known.value if known else "",
        f"{name}_low": known.low if known else "",
        f"{name}_high": known.high if known else "",
    }


def _write(file: Path, rows: Sequence[dict[str, Any]]) -> None:
    with opened_whole(file) as lines:
        table = csv.DictWriter(lines, list(rows[0]) if rows else ["loss"])
        table.writeheader()
        for row in rows:
            table.writerow({key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()})
