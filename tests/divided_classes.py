"""What each of several processes does that share the classes of a head; where a new process can import it from."""

from functools import partial
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor

from mien.training.large_heads import PartialFC
from mien.training.losses import arc_margin

MARGIN = partial(arc_margin, m=0.4)
SCALE = 12.0


def take_part(rank: int, processes: int, folder: Path, share: float, averaged: bool) -> None:
    """Call a head on this process's part of the batch in `folder`, and leave there what came of it."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=processes)
    weight, parts, labels = torch.load(folder / "batch.pt")
    head = PartialFC(
        *weight.shape, margin=MARGIN, s=SCALE, share=share, group=dist.group.WORLD, averaged=averaged
    ).double()
    with torch.no_grad():
        head.weight.copy_(weight[head.classes.start : head.classes.stop])
    embeddings: Tensor = parts[rank].requires_grad_()
    loss = head(embeddings, labels[rank])
    loss.backward()
    gradient = head.weight.grad
    assert gradient is not None
    rows = torch.arange(len(gradient)) if not gradient.is_sparse else gradient.coalesce().indices()[0]
    result = (loss.detach(), embeddings.grad, gradient.to_dense(), rows + head.classes.start)
    torch.save(result, folder / f"result-{rank}.pt")
    dist.destroy_process_group()
