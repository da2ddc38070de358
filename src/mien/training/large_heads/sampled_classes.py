"""Which classes take part in a step."""

import torch
from torch import Tensor


def sampled_classes(present: Tensor, classes: int, share: float, generator: torch.Generator) -> Tensor:
    """All classes of a batch, and others at random until a share of all classes is reached.

    Every other class is as likely as the next one. Where the batch alone has more classes than the share, they are all.

    Args:
        present: (P,) int64 the classes of the batch.
        classes: C.
        share: Of the classes, in (0, 1].
        generator: Of the draw; on the CPU, so that every device draws alike.

    Returns:
        (S,) int64, increasing: ⌈share·C⌉ classes, or those of the batch if they are more.
    """
    order = torch.rand(classes, generator=generator).to(present.device)
    order[present] = 2
    count = max(int((order > 1).sum()), -int(-share * classes // 1))
    return order.topk(count, sorted=False).indices.sort().values
