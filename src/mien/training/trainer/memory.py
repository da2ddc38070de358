"""How a training process asks the system for memory."""

import ctypes
import platform

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
