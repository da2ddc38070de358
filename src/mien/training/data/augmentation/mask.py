from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mien.training.data.augmentation.change import Change, Draws, Picture, Points, Share, at
from mien.training.data.augmentation.covering import FaceFrame, cover

_HALF = np.array(
    [
        *([0, 0.36], [0.16, 0.38], [0.34, 0.5], [0.6, 0.62], [0.95, 0.7], [1.0, 0.95]),
        *([0.92, 1.25], [0.74, 1.55], [0.5, 1.8], [0.25, 1.94], [0, 1.98]),
    ]
)
"""The right half of a mask's outline in the frame of an average face, from the nose to the chin."""
_STRAPS = (
    np.array([[0.9, 0.7], [1.22, 0.42], [1.22, 0.47], [0.9, 0.76]]),
    np.array([[0.85, 1.3], [1.2, 0.75], [1.24, 0.8], [0.88, 1.36]]),
)
_CLOTHS = np.array(
    [[150, 190, 215], [235, 235, 235], [40, 42, 48], [170, 205, 190], [95, 110, 150], [215, 185, 195], [120, 40, 45]],
    np.float64,
)  # surgical blue and green, white, black, and cloth


class Mask(Change):
    """A mask over mouth, chin and most of the nose: drawn size, height on the nose and colour, folds in some.

    Its brightness follows that of the face it lies on.

    Attributes:
        p: Share of pictures, 0 to 1.
    """

    draws: ClassVar[int] = 7
    p: Share = 0.05

    def change(self, picture: Picture, landmarks: Points, draws: Draws) -> tuple[Picture, Points]:
        """See `Change.change`."""
        half = _HALF * [at(draws[0], (0.9, 1.08)), at(draws[1], (0.94, 1.06))]
        half[:4, 1] += at(draws[2], (-0.12, 0.15)) * np.array([1, 1, 0.7, 0.3])
        outline = np.concatenate([half, half[-2:0:-1] * [-1, 1]])
        straps = [strap * [side, 1] for strap in _STRAPS for side in (-1, 1)]
        frame = FaceFrame.of(landmarks)
        cloth = _CLOTHS[int(draws[3] * len(_CLOTHS))] + 20 * (draws[4] - 0.5)
        cloth = cloth * np.clip(picture.mean() / 115, 0.35, 1.25)
        cover(picture, frame, straps, cloth * 0.9)
        cover(picture, frame, [outline], cloth * _shading(frame, picture.shape[0], draws[5], draws[6])[..., None])
        return picture, landmarks


def _shading(frame: FaceFrame, side: int, folded: np.float32, light: np.float32) -> NDArray[np.float64]:
    """How bright the cloth is at each pixel, (side, side), about 1: round like the face, lit from a side, folded."""
    y, x = np.mgrid[:side, :side]
    right, down = np.moveaxis(np.stack([x, y], axis=-1) - frame.origin, -1, 0)
    across, along = np.tensordot(np.linalg.pinv(frame.axes).T, np.stack([right, down]), axes=1)
    shade = 1 - 0.2 * across**2 - 0.12 * (along - 1) ** 2 + 0.3 * (light - 0.5) * across
    if folded < 0.6:
        shade = shade + 0.05 * np.sin(along * 16) * (np.abs(along - 1.2) < 0.45)
    return np.asarray(np.clip(shade, 0.3, 1.3))
