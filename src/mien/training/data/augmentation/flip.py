from typing import ClassVar

import cv2
import numpy as np

from mien.training.data.augmentation.change import Change, Draws, Picture, Points, Share

MIRRORED = (1, 0, 2, 4, 3)
"""Which landmark each one becomes in a mirror."""


class Flip(Change):
    """The picture in a mirror; the person's right eye becomes their left one.

    Attributes:
        p: Share of pictures, 0 to 1.
    """

    draws: ClassVar[int] = 0
    p: Share = 0.5

    def change(self, picture: Picture, landmarks: Points, draws: Draws) -> tuple[Picture, Points]:
        """See `Change.change`."""
        mirrored = landmarks[list(MIRRORED)]
        mirrored[:, 0] = np.float32(picture.shape[1] - 1) - mirrored[:, 0]
        return np.asarray(cv2.flip(picture, 1), np.uint8), mirrored
