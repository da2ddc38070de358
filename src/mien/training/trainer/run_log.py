"""What a run wrote down as it went: tables to read, and TensorBoard's events where it is installed."""

import csv
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mien.whole_files import opened_whole

STEPS, VALIDATIONS, ANGLES, CURVES = "steps.csv", "validations.csv", "angles.csv", "target_logits.csv"
"""A row a logged step; a validation; the angles to class vectors until then; an angle, and what a stage's loss asks."""


class RunLog:
    """Appends rows to the run's tables.

    Rows that come after the checkpoint that is resumed, and what a fault left half written, are dropped first.

    Args:
        folder: The run's.
        step: Where the run goes on; 0 for a new one.
        tensorboard: Write events for TensorBoard too, in ``events/``.
    """

    def __init__(self, folder: Path, step: int, *, tensorboard: bool = False) -> None:
        self.folder = folder
        for name in (STEPS, VALIDATIONS, ANGLES, CURVES):
            _drop_after(folder / name, step)
        self._events: Any = _open_events(folder / "events") if tensorboard else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._events is not None:
            self._events.close()

    def add(self, table: str, row: dict[str, Any]) -> None:
        """Append a row, whose first column is ``step``, to one of the tables."""
        file = self.folder / table
        new = not file.exists()
        columns = list(row) if new else _columns(file)
        with file.open("a", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, columns, restval="", extrasaction="ignore")
            if new:
                writer.writeheader()
            writer.writerow({key: _short(value) for key, value in row.items()})
        if self._events is not None and table in (STEPS, VALIDATIONS):
            for key, value in row.items():
                if key != "step" and isinstance(value, int | float):
                    self._events.add_scalar(f"{file.stem}/{key}", value, row["step"])


def read_log(file: Path) -> list[dict[str, str]]:
    """The rows of a run's table; none where it isn't there yet."""
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _columns(file: Path) -> list[str]:
    with file.open(encoding="utf-8", newline="") as lines:
        return next(csv.reader(lines))


def _drop_after(file: Path, step: int) -> None:
    rows = read_log(file)
    whole = [row for row in rows if None not in row and None not in row.values()]
    if whole and not file.read_bytes().endswith(b"\n"):
        whole = [row for row in whole if row is not rows[-1]]
    kept = [row for row in whole if int(row["step"]) <= step]
    if not kept:
        file.unlink(missing_ok=True)
    elif len(kept) < len(rows):
        with opened_whole(file) as lines:
            writer = csv.DictWriter(lines, list(rows[0]))
            writer.writeheader()
            writer.writerows(kept)


def _short(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value


def _open_events(folder: Path) -> Any:
    from mien.errors import MissingExtraError

    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise MissingExtraError("tensorboard", "writing events for TensorBoard") from None
    return SummaryWriter(str(folder))
