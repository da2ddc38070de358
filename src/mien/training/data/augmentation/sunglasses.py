from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mien.training.data.augmentation.change import Change, Draws, Picture, Points, Share, at
from mien.training.data.augmentation.covering import FaceFrame, cover, superellipse


class Sunglasses(Change):
    """Dark glasses over the eyes: two lenses of drawn size, roundness and tint, a bridge and the temples.

    Attributes:
        p: Share of pictures, 0 to 1.
    """

    draws: ClassVar[int] = 8
    p: Share = 0.05

    def change(self, picture: Picture, landmarks: Points, draws: Draws) -> tuple[Picture, Points]:
        """See `Change.change`."""
        width, height = at(draws[0], (0.34, 0.45)), at(draws[1], (0.25, 0.42))
        power = at(draws[2], (2, 4))
        apart, low = at(draws[3], (0.5, 0.54)), at(draws[4], (0.0, 0.1))
        lenses = [superellipse((side * apart, low), (width, height), power) for side in (-1, 1)]
        top, thick = low - height * 0.45, 0.05
        bars = [_bar(-0.25, 0.25, top, thick)]
        bars += [_bar(side * (apart + width * 0.9), side * 1.12, top, 0.03) for side in (-1, 1)]
        frame = FaceFrame.of(landmarks)
        tint = at(draws[5], (5, 55)) + 20 * (draws[6] - 0.5) * np.array([1.0, 0.0, -1.0])
        # Brighter towards the bottom, where glasses are thinner and the ground is seen in them.
        down = np.linspace(0, 1, picture.shape[0])[:, None, None]
        cover(picture, frame, bars, tint * 0.6)
        cover(picture, frame, lenses, tint + down * np.full((*picture.shape[:2], 3), 25.0), at(draws[7], (0.85, 1)))
        return picture, landmarks


def _bar(start: float, end: float, height: float, thick: float) -> NDArray[np.float64]:
    return np.array([[start, height - thick], [end, height - thick], [end, height + thick], [start, height + thick]])
