"""What one run came to: every figure of the table for one loss and one seed, and the file that keeps it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mien.evaluation import Estimate, Measure, Unsupported
from mien.whole_files import write_whole

MEASURES: Final = {
    "tmr_at_fmr_1e-2": "TMR at FMR 1e-2",
    "tmr_at_fmr_1e-3": "TMR at FMR 1e-3",
    "auc": "AUC",
    "eer": "EER",
    "accuracy": "verification accuracy",
    "closed_set": "closed-set accuracy",
}
"""The measures by name, and what they are called. All are shares; all but the EER are better when greater."""
RANKED_BY: Final = "tmr_at_fmr_1e-2"
MEASURED, FAILED = "measured.json", "failed.json"
STRANGERS: Final = "strangers.npy"
"""(N, D) float32 of unit length: what a run's network makes of the strangers' crops, for comparisons between runs."""
FINAL_FAILURES: Final = frozenset({"training.collapsed", "training.not-finite"})
"""What the same run would come to again; it is a result, and isn't tried again."""


@dataclass(frozen=True)
class RunMeasures:
    """What a run that went to its end came to.

    Attributes:
        measures: By the names of `MEASURES`.
        seconds: Spent in training steps.
        peak_bytes: The most memory that the process held while it trained.
        steps: Training steps.
    """

    measures: Mapping[str, Measure]
    seconds: float
    peak_bytes: int
    steps: int

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON-ready data."""
        return {
            "seconds": self.seconds,
            "peak_bytes": self.peak_bytes,
            "steps": self.steps,
            **{name: measure.to_dict() for name, measure in self.measures.items()},
        }

    def write(self, folder: Path) -> None:
        """Keep it in the run's folder, wholly or not at all."""
        write_whole(folder / MEASURED, json.dumps(self.to_dict(), indent=2) + "\n")

    @classmethod
    def read(cls, folder: Path) -> "RunMeasures | None":
        """What is kept in a run's folder; None where the run isn't over."""
        try:
            content = json.loads((folder / MEASURED).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        measures = {name: read_measure(content[name]) for name in MEASURES}
        return cls(measures, content["seconds"], content["peak_bytes"], content["steps"])


@dataclass(frozen=True)
class RunFailure:
    """Why a run came to nothing.

    Attributes:
        code: The stable name of what happened, such as ``"training.collapsed"``.
        message: What happened.
    """

    code: str
    message: str

    @property
    def is_final(self) -> bool:
        """Whether it would fail again."""
        return self.code in FINAL_FAILURES

    def write(self, folder: Path) -> None:
        """Keep it in the run's folder."""
        content = {"code": self.code, "message": self.message}
        write_whole(folder / FAILED, json.dumps(content, indent=2) + "\n")

    @classmethod
    def read(cls, folder: Path) -> "RunFailure | None":
        """What is kept in a run's folder; None where nothing failed."""
        try:
            content = json.loads((folder / FAILED).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return cls(content["code"], content["message"])


def read_measure(content: dict[str, Any]) -> Measure:
    """A measure from its JSON-ready data."""
    if "unsupported" in content:
        return Unsupported(content["unsupported"])
    return Estimate(content["value"], content["low"], content["high"])
