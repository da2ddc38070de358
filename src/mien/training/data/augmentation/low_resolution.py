from typing import Annotated, ClassVar

import cv2
import numpy as np

from mien.training.data.augmentation.change import Change, Draws, Picture, Points, Share, at, scaled, within

_ENLARGED = (cv2.INTER_LINEAR, cv2.INTER_CUBIC)


class LowResolution(Change):
    """The picture as if the face had been far away: made smaller by averaging, then large again.

    It is enlarged linearly or cubically, one as likely as the other.

    Attributes:
        p: Share of pictures, 0 to 1.
        side: Smallest and largest side in between, within 8 to 112 pixels of a crop 112 wide.
    """

    draws: ClassVar[int] = 2
    p: Share = 0.1
    side: Annotated[tuple[float, float], within(8, 112)] = (24, 80)

    def change(self, picture: Picture, landmarks: Points, draws: Draws) -> tuple[Picture, Points]:
        """See `Change.change`."""
        full = picture.shape[0]
        side = max(2, round(scaled(at(draws[0], self.side), picture)))
        small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
        large = cv2.resize(small, (full, full), interpolation=_ENLARGED[int(draws[1] * 2)])
        return np.asarray(large, np.uint8), landmarks
