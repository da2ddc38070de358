"""More faces for a teacher to judge: crops moved and turned, and new faces blended or put together from two others."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from os import cpu_count
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.progress import report
from mien.training.data.crop_set import CHUNK, SIDE, CropSet

LARGEST_TURN, LARGEST_ZOOM, LARGEST_SHIFT = 12.0, 0.12, 6.0
"""Degrees; share of the size; pixels: what a detector's landmarks may be off by, and somewhat more."""
PLAIN, BLENDED = 0.4, 0.3
"""Shares of views that show one face, and two faces laid over each other; the rest are halves of two."""


def cut_views(crops: CropSet, per_crop: int, folder: Path, seed: int = 0) -> CropSet:
    """Make views of every crop and keep them in a folder; carry on where that was left.

    Each view is moved, turned and zoomed a little. Some are blended with another crop of the set (Zhang et al.,
    mixup, 2018), some have their upper half from one face and their lower half from another (Yun et al., CutMix, 2019):
    faces of nobody, of which a teacher's embedding says as much as of anybody's.

    Args:
        crops: Of 112 pixels a side.
        per_crop: Views of each crop.
        folder: Where they are kept.
        seed: Of all draws.

    Returns:
        `per_crop` views of each crop in the crops' order; labels and photos are those of the crop they began with.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"views-{crops.fingerprint}-{per_crop}-{seed}.u8"
    total = len(crops) * per_crop
    done = file.stat().st_size // SIDE**2 // 3 if file.exists() else 0
    with file.open("ab") as pixels, ThreadPoolExecutor(cpu_count() or 1, thread_name_prefix="mien-views") as pool:
        pixels.truncate(done * SIDE**2 * 3)
        for start in range(done, total, CHUNK):
            numbers = range(start, min(start + CHUNK, total))
            for view in pool.map(lambda number: _view(crops, number, per_crop, seed), numbers):
                pixels.write(view.tobytes())
            report("making views", numbers.stop, total)
    rows = np.repeat(np.arange(len(crops)), per_crop)
    places = np.stack([np.zeros(total, np.int64), np.arange(total)], axis=1)
    store = np.memmap(file, np.uint8, "r").reshape(-1, SIDE, SIDE, 3)
    return replace(crops.select(rows), stores=(store,), places=places)


def _view(crops: CropSet, number: int, per_crop: int, seed: int) -> NDArray[np.uint8]:
    draws = np.random.default_rng([seed, number])
    kind = draws.random()
    first = _moved(crops, number // per_crop, draws)
    if kind < PLAIN:
        return first
    second = _moved(crops, int(draws.integers(len(crops))), draws)
    if kind < PLAIN + BLENDED:
        share: NDArray[np.float32] | float = draws.uniform(0.3, 0.7)
    else:  # the seam lies between the eyes and the mouth and is soft
        seam, rows = draws.uniform(0.5, 0.68) * SIDE, np.arange(SIDE, dtype=np.float32)
        share = (1 / (1 + np.exp((rows - seam) / 2.5)))[:, None, None]
    return np.asarray(np.rint(share * first.astype(np.float32) + (1 - share) * second), np.uint8)


def _moved(crops: CropSet, row: int, draws: np.random.Generator) -> NDArray[np.uint8]:
    turn, zoom = draws.uniform(-1, 1) * LARGEST_TURN, 1 + draws.uniform(-1, 1) * LARGEST_ZOOM
    matrix = cv2.getRotationMatrix2D(((SIDE - 1) / 2, (SIDE - 1) / 2), turn, zoom)
    matrix[:, 2] = matrix[:, 2] + draws.uniform(-1, 1, 2) * LARGEST_SHIFT
    crop = crops.read(np.array([row]))[0]
    moved = cv2.warpAffine(crop, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.uint8)
