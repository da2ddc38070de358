"""Signals in a process of its own: pytest's workers don't bear them."""

import subprocess
import sys

import pytest

PROGRAM = """
import signal
from mien.training.trainer.interruptions import interruptions_later

for name in ("SIGINT", "SIGTERM"):
    signal.signal(getattr(signal, name), signal.default_int_handler)

def interrupted(by, problem=None):
    with interruptions_later():
        signal.raise_signal(by)
        print("to the end")
        if problem is not None:
            raise problem

for by, problem in ((signal.SIGINT, None), (signal.SIGTERM, None), (signal.SIGINT, RuntimeError("broken"))):
    try:
        interrupted(by, problem)
    except (KeyboardInterrupt, RuntimeError) as ended:
        print(type(ended).__name__)
    assert signal.getsignal(by) is signal.default_int_handler
signal.signal(signal.SIGINT, signal.SIG_IGN)
interrupted(signal.SIGINT)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_signals_wait_for_the_end_and_errors_go_before_them() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        start_new_session=True,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.split("\n")
    assert said == [
        *("to the end", "KeyboardInterrupt", "to the end", "KeyboardInterrupt", "to the end", "RuntimeError"),
        *("to the end", ""),
    ]
