from typing import Annotated, ClassVar

import cv2
import numpy as np

from mien.training.data.augmentation.change import Change, Draws, Picture, Points, Share, at, within


class Jpeg(Change):
    """The picture saved as JPEG and read again, with half the resolution in its colours (4:2:0), as most files have.

    Attributes:
        p: Share of pictures, 0 to 1.
        quality: Lowest and highest quality, within 1 to 100; each whole number is as likely.
    """

    draws: ClassVar[int] = 1
    p: Share = 0.2
    quality: Annotated[tuple[int, int], within(1, 100)] = (30, 95)

    def change(self, picture: Picture, landmarks: Points, draws: Draws) -> tuple[Picture, Points]:
        """See `Change.change`."""
        quality = int(at(draws[0], (self.quality[0], self.quality[1] + 1)))
        options = [
            cv2.IMWRITE_JPEG_QUALITY,
            quality,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
        ]
        _, file = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
        return np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR_RGB), np.uint8), landmarks
