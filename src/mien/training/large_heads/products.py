"""The matrix product that a head spends its time in."""

import platform
from pathlib import Path

import torch
from torch import Tensor


def product(a: Tensor, b: Tensor, dtype: torch.dtype, out: Tensor | None = None) -> Tensor:
    """a·bᵀ, of (N, K) and (C, K) to (N, C), computed in `dtype` and given back in a's, autocast or not.

    On a CPU that isn't Intel's, float32 goes to oneDNN where PyTorch has it: `torch.mm` takes MKL, which leaves half of
    AVX-512 idle there, and is the faster one on Intel's own. Both are float32 throughout; the order of their sums
    differs.

    Args:
        a: (N, K) floating.
        b: (C, K) of the same type.
        dtype: What to compute in.
        out: (N, C) of a's type, where the result may be put, which spares new memory; only what is returned counts.
    """
    with torch.autocast(a.device.type, enabled=False):
        if _ONEDNN and a.dtype == dtype == torch.float32 and a.device.type == "cpu" and a.numel() and b.numel():
            result: Tensor = _ONEDNN(a, b, None, "none", [], "")
            return result
        if a.dtype == dtype:
            return torch.mm(a, b.T, out=out)
        return (a.to(dtype) @ b.to(dtype).T).to(a.dtype)


def _is_intel() -> bool:
    cpus = Path("/proc/cpuinfo")
    return "GenuineIntel" in platform.processor() + (cpus.read_text(encoding="utf-8") if cpus.exists() else "")


_FAST_MKL = torch._C.has_mkl and _is_intel()
# Not documented, but what PyTorch's own compiler calls; it refuses empty matrices.
_ONEDNN = None if _FAST_MKL or not torch._C._has_mkldnn else getattr(torch.ops.mkldnn, "_linear_pointwise", None)
