from typing import Annotated, ClassVar

import numpy as np

from mien.training.data.augmentation.change import Change, Draws, Picture, Points, Share, within
from mien.training.data.augmentation.rectangle import rectangle


class Crop(Change):
    """Only a rectangle of the picture, in its place; the rest is black, as where a photo's edge cuts off a face.

    The face stays aligned, as in AdaFace's augmentation (Kim, Jain & Liu 2022, section 4.1).

    Attributes:
        p: Share of pictures, 0 to 1.
        area: Smallest and largest area that is left, as a share of the picture, within 0.05 to 1.
        aspect: Least and greatest width by height of what is left, within 0.2 to 5.
    """

    draws: ClassVar[int] = 4
    p: Share = 0.1
    area: Annotated[tuple[float, float], within(0.05, 1)] = (0.5, 1.0)
    aspect: Annotated[tuple[float, float], within(0.2, 5)] = (0.75, 1.33)

    def change(self, picture: Picture, landmarks: Points, draws: Draws) -> tuple[Picture, Points]:
        """See `Change.change`."""
        left = rectangle(picture, draws, self.area, self.aspect)
        cropped = np.zeros_like(picture)
        cropped[left] = picture[left]
        return cropped, landmarks
