from typing import Annotated, ClassVar

import cv2
import numpy as np

from mien.training.data.augmentation.change import Change, Draws, Picture, Points, Share, at, scaled, within


class Blur(Change):
    """The picture out of focus: convolved with a Gaussian, as if mirrored at its edges.

    Attributes:
        p: Share of pictures, 0 to 1.
        sigma: Smallest and largest standard deviation, within 0.1 to 10 pixels of a crop 112 wide.
    """

    draws: ClassVar[int] = 1
    p: Share = 0.1
    sigma: Annotated[tuple[float, float], within(0.1, 10)] = (0.3, 1.8)

    def change(self, picture: Picture, landmarks: Points, draws: Draws) -> tuple[Picture, Points]:
        """See `Change.change`."""
        sigma = scaled(at(draws[0], self.sigma), picture)
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8), landmarks
