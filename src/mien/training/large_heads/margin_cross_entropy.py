"""Cross-entropy over cosines with a margin on each sample's own class, over any number of classes."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from mien.training.large_heads.directions import unit
from mien.training.large_heads.target_and_rest import TargetAndRest, target_and_rest

Margin = Callable[[Tensor], Tensor]
"""(N,) cosines of samples and their own classes, in [−1, 1], to what takes their place."""

FEW = 2**18
"""Up to about here C·(N + D) is too little work for chunks to be worth their overhead."""


def margin_cross_entropy(
    embeddings: Tensor,
    weight: Tensor,
    labels: Tensor,
    *,
    scale: float | Tensor,
    margin: Margin,
    dtype: torch.dtype | None = None,
    chunk: int | None = None,
) -> Tensor:
    """−log(e^{s·φ(cos θ_y)} / (e^{s·φ(cos θ_y)} + Σ_{j≠y} e^{s·cos θⱼ})), for each sample.

    With φ the identity this is NormFace, with cos θ − m CosFace (Wang et al., CVPR 2018, equation 4), with cos(θ + m)
    ArcFace (Deng et al., CVPR 2019, equation 3), with cos(m1·θ + m2) − m3 all of them (there, equation 4). Values and
    gradients are the formula's, to rounding. Time is near that of the three matrix products, and the memory of a step
    near that of the gradient of `weight`: see `target_and_rest`, and `head_memory` for an estimate.

    Args:
        embeddings: (N, D) floating, raw.
        weight: (C, D) floating, the classes' vectors, raw; a zero vector's cosines are 0.
        labels: (N,) int64, 0 … C − 1.
        scale: s, above 0; a tensor that requires a gradient gets it.
        margin: φ, elementwise, with a finite derivative at −1 and 1 too. It may depend on other tensors.
        dtype: What the matrix products are computed in; None for the embeddings' precision, float32 at least. bfloat16
            is faster where the processor has it, and leaves the other classes' logits right to 0.4 % of themselves.
        chunk: Classes at a time, at least 1; None for what the cache holds.

    Returns:
        (N,) float32, or float64 for float64.

    Raises:
        ValueError: The shapes don't fit, a label is not one of the classes, or `chunk` is below 1.
    """
    _check(embeddings, weight, labels, chunk)
    queries = unit(embeddings.to(torch.promote_types(embeddings.dtype, torch.float32))) * scale
    if dtype is None and chunk is None and len(weight) * sum(queries.shape) <= FEW:
        return _formula(queries, weight, labels, scale, margin)
    return with_margin(target_and_rest(queries, weight, labels, dtype=dtype, chunk=chunk), scale, margin)


def with_margin(logits: TargetAndRest, scale: float | Tensor, margin: Margin) -> Tensor:
    """(N,) cross-entropy of logits s·cos θ once the margin is on the target's."""
    return -functional.logsigmoid(_margined(logits.target, scale, margin) - logits.rest)


def _formula(queries: Tensor, weight: Tensor, labels: Tensor, scale: float | Tensor, margin: Margin) -> Tensor:
    with torch.autocast(queries.device.type, enabled=False):
        logits = queries @ unit(weight.to(queries.dtype)).T
    own = labels[:, None]
    target = _margined(logits.gather(1, own)[:, 0], scale, margin)
    return functional.cross_entropy(logits.scatter(1, own, target[:, None]), labels, reduction="none")


def _margined(target: Tensor, scale: float | Tensor, margin: Margin) -> Tensor:
    # Rounding leaves cosines a little outside [−1, 1], where an angle is NaN; they move there, their gradient doesn't.
    cosine = target / scale
    return scale * margin(cosine + (cosine.clamp(-1, 1) - cosine).detach())


def _check(embeddings: Tensor, weight: Tensor, labels: Tensor, chunk: int | None) -> None:
    if embeddings.ndim != 2 or weight.ndim != 2 or embeddings.shape[1] != weight.shape[1]:
        raise ValueError(f"embeddings {tuple(embeddings.shape)} for class vectors {tuple(weight.shape)}")
    if labels.shape != embeddings.shape[:1]:
        raise ValueError(f"labels of shape {tuple(labels.shape)} for embeddings of shape {tuple(embeddings.shape)}")
    least, greatest = labels.aminmax() if len(labels) else (0, 0)
    if not 0 <= least <= greatest < len(weight):
        raise ValueError(f"labels must lie in 0 … {len(weight) - 1}, not {int(least)} … {int(greatest)}")
    if chunk is not None and chunk < 1:
        raise ValueError(f"chunk must be at least 1, not {chunk}")
