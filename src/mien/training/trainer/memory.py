"""How a training process asks the system for memory, and how much it held."""

import ctypes
import platform
import sys
from pathlib import Path

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""From glibc's malloc.h."""


def keep_freed_memory() -> bool:
    """Let the process keep the memory that it frees, for its next step; whether the system has such a switch.

    Each step frees what the next one needs again. By default, glibc gives blocks of this size back to the system at
    once, which then clears every page anew: a quarter of the time of a small network's step. It cannot be undone, so
    that programs whose work is training ask for it, and the library never does.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    return bool(libc.mallopt(_MMAP_MAX, 0) and libc.mallopt(_TRIM_THRESHOLD, 2**31 - 1))


def peak_memory() -> int:
    """The most bytes of memory this process has held.

    Linux's ``VmHWM`` counts from the program's start; ``ru_maxrss`` begins with what the parent held.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        import psutil  # of Accelerate

        return psutil.Process().memory_info().peak_wset
    import resource  # Windows has none

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
