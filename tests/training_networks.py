"""What training shows a network, and what the network makes of it."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mien.training.trainer.batches import as_network_input


def pictures_of(crops: NDArray[np.uint8], side: int) -> Tensor:
    """What training gives a network of a side: shrunk by OpenCV, in float from there."""
    shrunk = np.stack(
        [cv2.resize(crop.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA) for crop in crops]
    )
    return as_network_input(torch.from_numpy(shrunk).permute(0, 3, 1, 2))


def embeddings_of(network: nn.Module, crops: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """A network's unit-length embeddings."""
    with torch.inference_mode():
        made = nn.functional.normalize(network(pictures_of(crops, side)))
    return np.asarray(made.numpy())
