"""One run in a process of its own: ``python -m mien.training.comparing.one_run RUN LEARNT NAMED STRANGERS``.

A process of its own makes the memory it takes its own, gives all of it back, and whatever ends it ends no other run. It
writes steps that are over and steps there are to stdout, a line now and then; an interrupt keeps what is done.
"""

import os
import signal
import sys
import time
from pathlib import Path

from mien.errors import MienError
from mien.progress import reporting
from mien.training.comparing.judging import judge
from mien.training.comparing.run_measures import FAILED, MEASURED, RunFailure
from mien.training.trainer import train
from mien.training.trainer.memory import keep_freed_memory, peak_memory
from mien.training.trainer.run_folder import RESULT, read_run_recipe

PEAK = "peak_bytes.txt"
INTERRUPTED = 130
_TRAINING = "training: "
"""What the trainer's progress begins with; the name of the stage follows."""
_SECONDS_BETWEEN_LINES = 0.5


class Watch:
    """Sees a run's progress: says how far training is, and keeps the most memory it held.

    Memory is read at each step, so that what validation takes after the last one has no part in it.

    Args:
        folder: The run's, where the peak is kept for when it goes on.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / PEAK
        self.peak = int(self.file.read_text()) if self.file.exists() else 0
        self.stage, self.before, self.done = "", 0, 0
        self.said = 0.0

    def __call__(self, label: str, done: int, total: int | None) -> None:
        """A reporter of `mien.progress`."""
        if not label.startswith(_TRAINING):
            return
        if label != self.stage:
            self.stage, self.before = label, self.before + self.done
        self.done = done
        now = time.monotonic()
        if now - self.said < _SECONDS_BETWEEN_LINES and done != total:
            return
        self.said = now
        self.peak = max(self.peak, peak_memory())
        self.file.write_text(str(self.peak))
        try:
            print(self.before + done, flush=True)
        except BrokenPipeError:  # whoever started this is gone: stop in good order
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise KeyboardInterrupt from None


def finish_run(folder: Path, learnt: Path, named: Path, strangers: Path) -> None:
    """Train, or go on training, by the recipe in a run's folder; then judge it."""
    (folder / FAILED).unlink(missing_ok=True)
    watch = Watch(folder)
    with reporting(watch):
        if not (folder / RESULT).exists():
            train(read_run_recipe(folder), folder)
    if not (folder / MEASURED).exists():
        judge(folder, learnt, named, strangers, peak_bytes=watch.peak).write(folder)


def main(arguments: list[str]) -> int:
    """Finish the run of the arguments; the exit code is 0, 130 when interrupted, or 3 with the reason in a file."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has it ignored in what runs in the background
    keep_freed_memory()
    folder, learnt, named, strangers = map(Path, arguments)
    try:
        finish_run(folder, learnt, named, strangers)
    except KeyboardInterrupt:
        return INTERRUPTED
    except MienError as error:
        RunFailure(error.code, error.message).write(folder)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
