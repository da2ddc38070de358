from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def grey_crops(crops: NDArray[Any]) -> NDArray[np.uint8]:
    """Aligned crops in grey.

    Args:
        crops: (N, H, W) grey or (N, H, W, 3) RGB, uint8.

    Returns:
        (N, H, W) uint8.

    Raises:
        ValueError: If they are neither.
    """
    crops = np.asarray(crops)
    if crops.dtype != np.uint8 or crops.ndim not in {3, 4} or (crops.ndim == 4 and crops.shape[3] != 3):
        raise ValueError(f"crops are (N, H, W) or (N, H, W, 3) uint8, not {crops.dtype} of shape {crops.shape}")
    if crops.ndim == 3:
        return crops
    return np.stack([cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) for crop in crops]).astype(np.uint8, copy=False)


def pixel_rows(crops: NDArray[Any], side: int) -> NDArray[np.float32]:
    """Crops as rows of pixels, each brought to mean 0 and variance 1 so that brightness and contrast don't count.

    Args:
        crops: As for `grey_crops`.
        side: Crops are shrunk to this many pixels a side.

    Returns:
        (N, side²) float32; a crop of one colour gives zeros.
    """
    small = np.stack([cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA) for crop in grey_crops(crops)])
    rows = small.reshape(len(small), -1).astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    spread = rows.std(axis=1, keepdims=True)
    return np.asarray(rows / np.where(spread > 0, spread, 1), np.float32)
