from typing import ClassVar

import cv2
import numpy as np

from mien.training.data.augmentation.change import Change, Draws, Picture, Points, Share


class Grey(Change):
    """The picture without colour: each pixel's luma (ITU-R BT.601) in all three channels.

    Attributes:
        p: Share of pictures, 0 to 1.
    """

    draws: ClassVar[int] = 0
    p: Share = 0.05

    def change(self, picture: Picture, landmarks: Points, draws: Draws) -> tuple[Picture, Points]:
        """See `Change.change`."""
        grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        return np.asarray(grey, np.uint8), landmarks
