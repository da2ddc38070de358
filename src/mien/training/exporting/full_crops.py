"""A network that takes crops of full size, whatever size it was trained at."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mien.faces import TEMPLATES

TEMPLATE = "arcface-112"
FULL_SIDE = TEMPLATES[TEMPLATE][0][0]
SHRINK_ROWS, SHRINK_COLUMNS = "shrink_rows", "shrink_columns"


class FullCrops(nn.Module):
    """A network behind what its crops need: mien cuts crops of 112 pixels, and the network may have learnt from fewer.

    Args:
        network: (N, 3, S, S) to (N, D).
        side: S; crops are shrunk to it as training shrank them, by averaging areas.
        unit_length: Bring the embeddings to length 1.
    """

    def __init__(self, network: nn.Module, side: int = FULL_SIDE, *, unit_length: bool = False) -> None:
        super().__init__()
        if not 1 <= side <= FULL_SIDE:
            raise ValueError(f"side must be from 1 to {FULL_SIDE}, not {side}")
        self.network = network
        self.unit_length = unit_length
        self.shrinks = side < FULL_SIDE
        if self.shrinks:
            weights = torch.from_numpy(area_weights(FULL_SIDE, side))
            self.register_buffer(SHRINK_ROWS, weights)
            self.register_buffer(SHRINK_COLUMNS, weights.T.contiguous())

    def forward(self, crops: Tensor) -> Tensor:
        """(N, 3, 112, 112) float, (pixel − 127.5) / 128, to (N, D)."""
        if self.shrinks:
            crops = self.get_buffer(SHRINK_ROWS) @ (crops @ self.get_buffer(SHRINK_COLUMNS))
        embeddings: Tensor = self.network(crops)
        return nn.functional.normalize(embeddings) if self.unit_length else embeddings


def area_weights(before: int, after: int) -> NDArray[np.float32]:
    """How much of each of `before` pixels lies in each of the `after` pixels that share their length.

    Returns:
        (after, before) float32 whose rows sum to 1: a row of pixels times it is shrunk by averaging, which is what
        OpenCV's ``INTER_AREA`` does.
    """
    edges = np.arange(after + 1) * (before / after)
    starts = np.arange(before)
    overlaps = np.minimum(edges[1:, None], starts + 1) - np.maximum(edges[:-1, None], starts)
    return np.asarray(overlaps.clip(0) * (after / before), np.float32)
