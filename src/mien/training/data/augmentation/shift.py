from typing import Annotated, ClassVar

import cv2
import numpy as np
from pydantic import Field

from mien.training.data.augmentation.change import Change, Draws, Picture, Points, Share, scaled


class Shift(Change):
    """The picture moved by whole pixels, as when a face is found a little beside its place.

    What comes into view repeats the picture's edge.

    Attributes:
        p: Share of pictures, 0 to 1.
        pixels: Largest distance along each axis, 1 to 32 pixels of a crop 112 wide; every distance up to it, either
            way, is as likely.
    """

    draws: ClassVar[int] = 2
    p: Share = 0.5
    pixels: Annotated[int, Field(ge=1, le=32)] = 4

    def change(self, picture: Picture, landmarks: Points, draws: Draws) -> tuple[Picture, Points]:
        """See `Change.change`."""
        side = picture.shape[0]
        most = max(1, round(scaled(self.pixels, picture)))
        x, y = (draws * np.float32(2 * most + 1)).astype(int)  # where the shown part begins, 0 to 2·most
        bordered = cv2.copyMakeBorder(picture, most, most, most, most, cv2.BORDER_REPLICATE)
        moved = landmarks + np.array([most - x, most - y], np.float32)
        return np.asarray(bordered[y : y + side, x : x + side], np.uint8), moved
