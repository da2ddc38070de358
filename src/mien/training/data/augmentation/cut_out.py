from typing import Annotated, ClassVar

from mien.training.data.augmentation.change import Change, Draws, Picture, Points, Share, within
from mien.training.data.augmentation.rectangle import rectangle


class CutOut(Change):
    """A rectangle of one drawn colour somewhere on the picture.

    Cut-out (DeVries & Taylor 2017) has squares of one size, random erasing (Zhong et al. 2020, algorithm 1) rectangles
    like these.

    Attributes:
        p: Share of pictures, 0 to 1.
        area: Smallest and largest area, as a share of the picture, within 0.001 to 0.8.
        aspect: Least and greatest width by height, within 0.1 to 10.
    """

    draws: ClassVar[int] = 7
    p: Share = 0.1
    area: Annotated[tuple[float, float], within(0.001, 0.8)] = (0.02, 0.2)
    aspect: Annotated[tuple[float, float], within(0.1, 10)] = (0.3, 3.3)

    def change(self, picture: Picture, landmarks: Points, draws: Draws) -> tuple[Picture, Points]:
        """See `Change.change`."""
        picture[rectangle(picture, draws, self.area, self.aspect)] = (draws[4:] * 256).astype(picture.dtype)
        return picture, landmarks
