"""What a run wrote down, as columns of numbers."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.training.trainer.head_watch import BINS
from mien.training.trainer.run_log import ANGLES, CURVES, STEPS, VALIDATIONS, read_log

Column = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """The logit of the own class over the angle to its vector.

    Attributes:
        stage: Whose loss it is.
        degrees: (K,) the angles.
        logit: (K,) as the loss takes it.
        plain: (K,) without the margin.
    """

    stage: str
    degrees: Column
    logit: Column
    plain: Column


class RunTables:
    """The tables of a run's folder; what isn't there yet is empty.

    Attributes:
        steps: Columns of ``steps.csv``, a value for each step that was logged, NaN where there is none.
        validations: Columns of ``validations.csv``, likewise.
        stages: Name and last step of each stage, in order.
        curves: What each stage's loss asks for, of those that classify.
    """

    def __init__(self, folder: Path) -> None:
        rows = read_log(folder / STEPS)
        self.steps = _columns(rows)
        self.validations = _columns(read_log(folder / VALIDATIONS))
        ends = {row["stage"]: int(row["step"]) for row in rows}
        self.stages = list(ends.items())
        self._angles = read_log(folder / ANGLES)
        points: dict[str, list[dict[str, str]]] = {}
        for row in read_log(folder / CURVES):
            points.setdefault(row["stage"], []).append(row)
        self.curves = [
            Curve(stage, *(_column(found, name) for name in ("degrees", "logit", "plain")))
            for stage, found in points.items()
        ]

    @property
    def losses(self) -> dict[str, Column]:
        """Each loss before weighting, by name, where there are several; else the one that is made small."""
        parts = {name.removeprefix("loss "): value for name, value in self.steps.items() if name.startswith("loss ")}
        return parts if len(parts) > 1 else {"loss": self.steps["loss"]} if self.steps else {}

    def angles(self, kind: str) -> list[tuple[int, NDArray[np.int64]]]:
        """The counts of a kind of angle in bins of 2 degrees, by the step until which they were counted."""
        return [
            (int(row["step"]), np.array([int(row[f"{2 * place}"]) for place in range(BINS)], np.int64))
            for row in self._angles
            if row["kind"] == kind
        ]

    def accuracy_until(self, ends: Column) -> Column:
        """The mean accuracy of the batches between one of some steps and the next; NaN where no loss classified."""
        step, accuracy = self.steps["step"], self.steps.get("accuracy", np.full(len(self.steps["step"]), np.nan))
        means = []
        for before, end in pairwise([0.0, *ends]):
            inside = accuracy[(step > before) & (step <= end)]
            inside = inside[~np.isnan(inside)]
            means.append(inside.mean() if len(inside) else np.nan)
        return np.array(means)


def _columns(rows: list[dict[str, str]]) -> dict[str, Column]:
    return {name: _column(rows, name) for name in (rows[0] if rows else ()) if name != "stage"}


def _column(rows: list[dict[str, str]], name: str) -> Column:
    return np.array([float(row[name]) if row[name] else np.nan for row in rows])
