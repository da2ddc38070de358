"""How a head is laid out as numbers: the canvas, its five blocks, and the mirror symmetry that halves them.

A head is a texture on a canvas of 192 × 192 pixels in which every face has the same shape, and a shape: how far each
point of the canvas lies from its place on this one face. (This is the split of active appearance models, Cootes,
Edwards and Taylor 2001.) Mirroring a photo gives another photo of a face, so every statistic is that of an even and
an odd part under mirroring, and each part is known from the canvas's left half.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CANVAS = 192
"""Side of the canvas in pixels, 4.5 distances between the eyes."""

EYE_DISTANCE = CANVAS / 4.5

LANDMARKS = np.array([[74.17, 82.56], [116.83, 82.56], [95.5, 106.78], [77.23, 125.92], [113.77, 125.92]])
"""Where the five landmarks of the average face lie on the canvas, (5, 2) pixels."""

MIRRORED_LANDMARKS = (1, 0, 2, 4, 3)
"""Which landmark each one becomes in a mirror."""

DETAIL = (slice(36, 164), slice(40, 152))
"""The part of the canvas that holds the face, where luma is kept at full resolution."""


@dataclass(frozen=True)
class Block:
    """One of the arrays that make up a head.

    Attributes:
        name: What it holds.
        shape: (height, width, channels), covering the canvas (`detail`: a part of it).
        signs: What mirroring does to each channel's sign.
    """

    name: str
    shape: tuple[int, int, int]
    signs: tuple[int, ...]

    @property
    def half(self) -> tuple[int, int, int]:
        """The shape of its left half."""
        return self.shape[0], self.shape[1] // 2, self.shape[2]

    def mirror(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mirror values of shape (..., height, width, channels)."""
        return values[..., ::-1, :] * np.array(self.signs, np.float32)


BLOCKS = (
    Block("luma", (96, 96, 1), (1,)),  # 0…255
    Block("detail", (128, 112, 1), (1,)),  # what luma at full resolution has beyond that, inside DETAIL
    Block("chroma", (48, 48, 2), (1, 1)),  # Cr and Cb, 0…255
    Block("alpha", (48, 48, 1), (1,)),  # 1 on the head, 0 beside it
    Block("shape", (24, 24, 2), (-1, 1)),  # (dx, dy) in canvas pixels: texture point p is seen at p + shape(p)
)
