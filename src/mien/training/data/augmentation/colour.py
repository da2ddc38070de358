from typing import Annotated, ClassVar

import cv2
import numpy as np
from pydantic import Field

from mien.training.data.augmentation.change import Change, Draws, Picture, Points, Share, either_way

LUMA = np.array([0.299, 0.587, 0.114])
"""Of R, G and B (ITU-R BT.601)."""

Limit = Annotated[float, Field(ge=0, le=0.9)]


class Colour(Change):
    """Another brightness, contrast and saturation.

    With the factors b, c and k, the luma Y of a pixel and the mean luma M of the picture, a pixel x becomes
    c·(b·(Y + k·(x − Y)) − b·M) + b·M: one 3 × 4 matrix a picture. Values are clipped once, at the end.

    Attributes:
        p: Share of pictures, 0 to 1.
        brightness: The factor lies within 1 ± this; 0 to 0.9.
        contrast: As `brightness`.
        saturation: As `brightness`.
    """

    draws: ClassVar[int] = 3
    p: Share = 0.3
    brightness: Limit = 0.3
    contrast: Limit = 0.3
    saturation: Limit = 0.3

    def change(self, picture: Picture, landmarks: Points, draws: Draws) -> tuple[Picture, Points]:
        """See `Change.change`."""
        limits = (self.brightness, self.contrast, self.saturation)
        brightness, contrast, saturation = (
            1 + either_way(draw, limit) for draw, limit in zip(draws, limits, strict=True)
        )
        mean = LUMA @ cv2.mean(picture)[:3]
        onto = contrast * brightness * (saturation * np.eye(3) + (1 - saturation) * LUMA)
        offset = np.full((3, 1), (1 - contrast) * brightness * mean)
        return np.asarray(cv2.transform(picture, np.hstack([onto, offset])), np.uint8), landmarks
