"""Drawing things that are worn onto a face, where its landmarks say."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.training.data.augmentation.change import Picture, Points

_BITS = 4
"""OpenCV draws polygons in sixteenths of a pixel."""


@dataclass(frozen=True)
class FaceFrame:
    """Coordinates that move with a face: (0, 0) between the eyes, (1, 0) one eye distance to the right of it in the
    picture, (0, 1) between the corners of the mouth. A face turned away is narrower in them, as it is in the picture.

    Attributes:
        origin: (2,) pixels.
        axes: (2, 2) pixels: rows are where (1, 0) and (0, 1) point.
    """

    origin: NDArray[np.float64]
    axes: NDArray[np.float64]

    @classmethod
    def of(cls, landmarks: Points) -> "FaceFrame":
        """The frame of five landmarks."""
        points = landmarks.astype(np.float64)
        eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
        return cls(eyes, np.stack([points[1] - points[0], mouth - eyes]))

    def pixels(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where points (P, 2) of the face lie in the picture."""
        return self.origin + points @ self.axes


def cover(
    picture: Picture,
    frame: FaceFrame,
    shapes: Sequence[NDArray[np.float64]],
    colour: NDArray[np.float64],
    opacity: float = 1.0,
) -> None:
    """Fill shapes with a colour, in place, with smooth edges.

    Args:
        picture: (S, S, 3) uint8.
        frame: Of the face.
        shapes: Outlines (P, 2) in the frame.
        colour: (3,) or (S, S, 3), 0 to 255.
        opacity: 0 to 1.
    """
    layer = np.zeros(picture.shape[:2], np.uint8)
    for shape in shapes:
        outline = np.round(np.clip(frame.pixels(shape), -1e4, 1e4) * (1 << _BITS)).astype(np.int32)
        cv2.fillPoly(layer, [outline], 255, cv2.LINE_AA, _BITS)
    rows, columns = np.flatnonzero(layer.any(axis=1)), np.flatnonzero(layer.any(axis=0))
    if not len(rows):
        return
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    alpha = layer[box][..., None] * np.float32(opacity / 255)
    over = colour[box] if colour.ndim == 3 else colour
    seen = picture[box].astype(np.float32)
    seen += alpha * (over.astype(np.float32) - seen)
    picture[box] = np.clip(seen + np.float32(0.5), 0, 255).astype(np.uint8)


def superellipse(
    centre: tuple[float, float], half: tuple[float, float], power: float, points: int = 32
) -> NDArray[np.float64]:
    """The outline |x/a|^n + |y/b|^n = 1 about a centre, (points, 2); n = 2 is an ellipse, more is squarer."""
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.asarray(centre + np.sign(circle) * np.abs(circle) ** (2 / power) * half)
