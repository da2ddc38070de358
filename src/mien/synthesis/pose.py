"""Turning a head: a smooth generic depth map, a rotation in space, and a place in the photo."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.synthesis.layout import CANVAS, EYE_DISTANCE

GRID = 64
"""Warps are smooth, so that they are worked out on a grid of this side and enlarged."""

CENTRE = np.array([(CANVAS - 1) / 2, 0.43 * CANVAS])
"""Between the eyes, canvas pixels: the origin of head coordinates, whose unit is the distance between the eyes."""

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Pose:
    """How a head is turned and where it is.

    Attributes:
        yaw, pitch, roll: Degrees: to the viewer's right, down, and clockwise.
        zoom: 1 shows the whole canvas.
        shift: (x, y) in canvas sides.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    zoom: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)

    def place(self, points: Points) -> Points:
        """Where points of the canvas (N, 2) are seen, canvas pixels."""
        turned = self._turn((points - CENTRE) / EYE_DISTANCE)
        placed = turned * EYE_DISTANCE * self.zoom @ self._roll().T + CENTRE + np.array(self.shift) * CANVAS
        return np.asarray(placed, np.float64)

    def _turn(self, points: Points) -> Points:
        x, y = points[:, 0], points[:, 1]
        yaw, pitch = np.radians([self.yaw, self.pitch])
        z = depth(x, y)
        forward = z * np.cos(yaw) - x * np.sin(yaw)
        return np.stack([x * np.cos(yaw) + z * np.sin(yaw), y * np.cos(pitch) + forward * np.sin(pitch)], axis=1)

    def origin(self, points: Points) -> Points:
        """Which points of the canvas are seen at points (N, 2): the inverse of `place`, by fixed-point iteration."""
        flat = (points - CENTRE - np.array(self.shift) * CANVAS) @ self._roll() / (EYE_DISTANCE * self.zoom)
        guess = flat
        for _ in range(5):
            guess = guess + flat - self._turn(guess)
        return np.asarray(guess * EYE_DISTANCE + CENTRE, np.float64)

    def _roll(self) -> Points:
        c, s = np.cos(np.radians(self.roll)), np.sin(np.radians(self.roll))
        return np.array([[c, -s], [s, c]])


def depth(x: Points, y: Points) -> Points:
    """How far a head's surface lies before its centre; all in eye distances, x and y from between the eyes."""
    skull = 1.0 * np.exp(-((x / 1.25) ** 2) - ((y - 0.3) / 1.7) ** 2)
    nose = 0.25 * np.exp(-((x / 0.22) ** 2) - ((y - 0.48) / 0.3) ** 2)
    return np.asarray(skull + nose - 0.9)


def sampling_map(pose: Pose, shape: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Which point of the texture each pixel of a photo shows.

    Args:
        pose: How the head is turned.
        shape: (S, S, 2): texture point p is seen, before turning, at p + shape(p), canvas pixels.
        size: Side of the photo, which shows the canvas.

    Returns:
        (size, size, 2) float32 canvas pixels (x, y).
    """
    target = pose.origin(_centres(GRID).reshape(-1, 2).astype(np.float64)).reshape(GRID, GRID, 2).astype(np.float32)
    scale = np.float32(len(shape) / CANVAS)
    source = target
    for _ in range(4):
        at = (source + 0.5) * scale - 0.5
        source = target - cv2.remap(shape, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    moved = cv2.resize(source - _centres(GRID), (size, size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(_centres(size) + moved, np.float32)


@lru_cache(maxsize=4)
def _centres(side: int) -> NDArray[np.float32]:
    """Where the canvas's points (x, y) lie that are the pixel centres of a picture of it, (side, side, 2)."""
    along = ((np.arange(side) + 0.5) * CANVAS / side - 0.5).astype(np.float32)
    return np.stack(np.meshgrid(along, along), axis=-1)
