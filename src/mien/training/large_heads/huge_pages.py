"""Memory for matrices that a processor reaches faster through few large pages than through many small ones."""

import ctypes
import sys

import torch
from torch import Tensor

PAGE = 2**21
"""Bytes of a huge page: the usual size on x86 and ARM."""
_MADV_HUGEPAGE = 14


def on_huge_pages(*shape: int) -> Tensor:
    """An uninitialised tensor as `torch.empty` makes it, in huge pages where Linux grants them on demand.

    Most distributions grant them to those that ask (`/sys/kernel/mm/transparent_hugepage/enabled`: madvise). In a
    virtual machine a step over the vectors of 100,000 classes takes a quarter less time with them.
    """
    tensor = torch.empty(*shape)
    if sys.platform == "linux" and tensor.device.type == "cpu":
        start = -(-tensor.data_ptr() // PAGE) * PAGE
        size = (tensor.data_ptr() + tensor.nbytes) // PAGE * PAGE - start
        if size > 0:  # a refusal leaves the memory as good as any
            ctypes.CDLL(None).madvise(ctypes.c_void_p(start), ctypes.c_size_t(size), _MADV_HUGEPAGE)
    return tensor
