"""The matrix product that a head spends its time in."""

import torch
from torch import Tensor


def product(a: Tensor, b: Tensor, dtype: torch.dtype) -> Tensor:
    """a·bᵀ, of (N, K) and (C, K) to (N, C), computed in `dtype` and given back in a's, autocast or not.

    On a CPU, float32 goes to oneDNN where PyTorch has it: `torch.mm` takes MKL, which leaves half of AVX-512 idle on
    AMD's processors. Both are float32 throughout; the order of their sums differs.
    """
    with torch.autocast(a.device.type, enabled=False):
        if _ONEDNN and a.dtype == dtype == torch.float32 and a.device.type == "cpu" and a.numel() and b.numel():
            result: Tensor = _ONEDNN(a, b, None, "none", [], "")
            return result
        return (a.to(dtype) @ b.to(dtype).T).to(a.dtype)


# Not documented, but what PyTorch's own compiler calls; it refuses empty matrices.
_ONEDNN = getattr(torch.ops.mkldnn, "_linear_pointwise", None) if torch._C._has_mkldnn else None
