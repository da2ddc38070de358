"""Runs one after another, each in a process of its own, until all are over."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.errors import ConfigError
from mien.progress import report
from mien.training.comparing.parts import Parts
from mien.training.comparing.run_measures import FAILED, RunFailure, RunMeasures
from mien.training.recipe import Recipe, read_recipe, write_recipe

RECIPE, LOG = "recipe.toml", "log.txt"
COMMAND = (sys.executable, "-m", "mien.training.comparing.one_run")
"""What is started for each run; the run's folder, and the three of its crops follow."""
_LABEL = "training networks"
_INTERRUPTED = 130


@dataclass(frozen=True)
class PlannedRun:
    """A run that is to be made, or was.

    Attributes:
        name: What it is a run of.
        seed: Number of the run, from 0.
        folder: Where it is kept.
        recipe: What it follows.
        parts: What it learns from and is judged by.
        steps: How many training steps it has.
    """

    name: str
    seed: int
    folder: Path
    recipe: Recipe
    parts: Parts
    steps: int

    def outcome(self) -> RunMeasures | RunFailure | None:
        """What it came to; None if it isn't over."""
        return RunMeasures.read(self.folder) or RunFailure.read(self.folder)

    def claim(self) -> None:
        """Make the run's folder, or see that it is this run's.

        Raises:
            ConfigError: It is another recipe's.
        """
        file = self.folder / RECIPE
        if file.exists() and _essence(read_recipe(file)) != _essence(self.recipe):
            raise ConfigError(
                f"{self.folder} is a run of another recipe.",
                hint="Name a new folder for this comparison, or remove that one to train it again.",
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.outcome() is None:
            write_recipe(self.recipe, file)


def finish_runs(runs: Sequence[PlannedRun], tell: Callable[[str], None] = lambda line: None) -> None:
    """Make every run that isn't over. A run that fails is noted in its folder, and the others go on.

    Args:
        runs: In the order in which they are made.
        tell: Called with a line on each run that ends.

    Raises:
        ConfigError: A run's folder is another recipe's; seen before anything is begun.
        KeyboardInterrupt: What the run in hand has done is kept by then.
    """
    for run in runs:
        run.claim()
    total = sum(run.steps for run in runs)
    done = 0
    report(_LABEL, done, total)
    for run in runs:
        before = run.outcome()
        if before is None or (isinstance(before, RunFailure) and not before.is_final):
            _finish(run, lambda steps, done=done: report(_LABEL, done + steps, total))  # type: ignore[misc]
            tell(_line(run))
        done += run.steps
        report(_LABEL, done, total)


def _essence(recipe: Recipe) -> dict[str, Any]:
    """What a run depends on, but for where its crops lie: the whole comparison may be moved."""
    return recipe.model_dump(mode="json", exclude={"data": {"sources"}, "validation": {"sources"}, "title": True})


def _finish(run: PlannedRun, tell: Callable[[int], None]) -> None:
    parts = run.parts
    folders = [str(folder) for folder in (run.folder, parts.learnt, parts.named, parts.strangers)]
    with (run.folder / LOG).open("w", encoding="utf-8") as log, _started(folders, log.fileno()) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip().isdecimal():
                tell(int(line))
    code = process.returncode
    if code == _INTERRUPTED:
        raise KeyboardInterrupt
    if code != 0 and not (run.folder / FAILED).exists():
        RunFailure("training.crashed", _last_words(run.folder / LOG, code)).write(run.folder)


@contextmanager
def _started(folders: list[str], log: int) -> Iterator["subprocess.Popen[str]"]:
    """The process of a run, in a session of its own, so that an interrupt reaches it once: from here."""
    process = subprocess.Popen(
        [*COMMAND, *folders],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        start_new_session=True,
    )
    with process:  # which waits for its end, but not after an interrupt
        try:
            yield process
        except BaseException:
            process.send_signal(signal.SIGINT)
            try:
                process.wait()
            except KeyboardInterrupt:  # once more: at once, then, from the last checkpoint
                process.kill()
            raise


def _last_words(log: Path, code: int) -> str:
    if code < 0:
        return f"The process was ended by {signal.Signals(-code).name}; by the system, if memory ran out."
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["it said nothing"]
    return f"The process ended with code {code}: {lines[-1]} (all of it is in {log.name} in the run's folder)."


def _line(run: PlannedRun) -> str:
    outcome = run.outcome()
    if isinstance(outcome, RunMeasures):
        return f"{run.name}, seed {run.seed}: done in {outcome.seconds:.0f} s"
    return f"{run.name}, seed {run.seed}: {outcome.message if outcome else 'not over'}"
