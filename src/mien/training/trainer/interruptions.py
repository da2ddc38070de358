"""Interruptions that wait until what mustn't be left half done is over."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def interruptions_later() -> Iterator[None]:
    """Let Ctrl-C, and other signals that would interrupt, do so after this block instead of within.

    Only signals that raise `KeyboardInterrupt` anyway wait, and only in the main thread, where alone they arrive.

    Raises:
        KeyboardInterrupt: At the end, if one came; an error of the block goes before it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting = False

    def wait(number: int, frame: FrameType | None) -> None:
        nonlocal waiting
        waiting = True

    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    held = [number for number in numbers if signal.getsignal(number) is signal.default_int_handler]
    try:
        for number in held:
            signal.signal(number, wait)
        yield
    finally:
        for number in held:
            signal.signal(number, signal.default_int_handler)
    if waiting:
        raise KeyboardInterrupt
