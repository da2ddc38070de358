"""How many threads the matrix products of a process use."""

import threading
from typing import Any

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]


class _OneThread:
    """Limits every product to one thread while anyone is inside.

    The limit is the process's own: two who each restored what they found could leave it behind for ever, so whoever
    is last to leave restores what the first one found.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._limits: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._limits = threadpool_limits(1)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._limits.restore_original_limits()


one_thread_a_product = _OneThread()
"""`with one_thread_a_product:` computes matrix products that are too small to share on one thread each."""
