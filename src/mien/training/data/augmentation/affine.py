from typing import Annotated, ClassVar

import cv2
import numpy as np
from pydantic import Field

from mien.training.data.augmentation.change import (
    Change,
    Draws,
    Picture,
    Points,
    Share,
    at,
    either_way,
    scaled,
    within,
)


class Affine(Change):
    """The picture turned and scaled about its middle, then moved: what landmarks that are a little off do to a crop.

    With the angle a, the scale s, the middle c and the way t, a point x comes to lie at c + t + s·R(a)·(x − c).
    What comes into view repeats the picture's edge. Pixels are interpolated linearly.

    Attributes:
        p: Share of pictures, 0 to 1.
        degrees: Largest angle, 0 to 180, either way.
        scale: Smallest and largest scale, within 0.5 to 2; below 1 the face becomes smaller.
        pixels: Largest way along each axis, 0 to 32 pixels of a crop 112 wide.
    """

    draws: ClassVar[int] = 4
    p: Share = 0.2
    degrees: Annotated[float, Field(ge=0, le=180)] = 5.0
    scale: Annotated[tuple[float, float], within(0.5, 2)] = (0.93, 1.07)
    pixels: Annotated[float, Field(ge=0, le=32)] = 2.0

    def change(self, picture: Picture, landmarks: Points, draws: Draws) -> tuple[Picture, Points]:
        """See `Change.change`."""
        side = picture.shape[0]
        middle = np.full(2, (side - 1) / 2)
        angle, scale = np.deg2rad(either_way(draws[0], self.degrees)), at(draws[1], self.scale)
        way = scaled(self.pixels, picture)
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        towards = middle - turn @ middle + [either_way(draws[2], way), either_way(draws[3], way)]
        matrix = np.column_stack([turn, towards])
        turned = cv2.warpAffine(picture, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(turned, np.uint8), (landmarks @ turn.T + towards).astype(np.float32)
