"""How well a face can be seen: its size, sharpness, noise, pose and light, from its landmarks and its crop."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.faces.alignment import TEMPLATES, similarity_transforms

Grey = NDArray[np.uint8]

# x to the right, y down, z towards the viewer, in distances between the eyes, from between them. x and y are those of
# the template arcface-112; z are rounded means of adult heads: a nose's tip 3 cm before eyes that are 6.3 cm apart.
_HEAD = np.array([[-0.5, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, 0.571, 0.48], [-0.414, 1.154, 0.1], [0.414, 1.154, 0.1]])
BLURRED = 0.01
"""Sharpness below which strangers look alike to an encoder. Of two such photos more match by chance than a calibration
says: with SFace, 1.2 to 10 times as many at a false match rate of 1e-3 (docs/results/transfer-methods.md). With one
such photo it is no more than stated. Of the photos of eight sets 0.5 % or fewer are below."""
ENLARGED = 3.0
"""Magnification above which the same is true, whatever noise makes of the sharpness. Of LFW's faces whose crops were
shrunk until their eyes are 12 pixels apart (2.9) 1.5 times as many pairs match by chance as stated at 1e-3, with noise
3.2 times as many; at 8 pixels 3 and 6 times (the same page). With one such face it is fewer."""
NOISY = 3.2
"""Noise, times the magnification to the power of 1.5, above which it is true as well. With 16 pixels between the eyes
and noise of a σ of 12 of 255, 2.2 times as many pairs match by chance as stated at 1e-3; with a σ of 25, 55 times; of
faces printed in dots, all. 98 % or more of them are above, and 0.75 % or fewer of the photos of seven sets (the same
page). With one such face it is fewer.
The power says that a face bears less noise the more its crop was enlarged, which also smooths some of it away."""

_ACROSS_EDGES = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_FROM_HEAD = np.linalg.pinv(_HEAD - _HEAD.mean(axis=0)).T


@dataclass(frozen=True, eq=False)
class FaceQuality:
    """What makes a face easy or hard to recognise, a number a face: nine float64 arrays (N,).

    Attributes:
        eye_distance: Pixels of the photo between the eyes; it shrinks as the head is turned aside.
        magnification: Pixels of the 112×112 crop for each pixel of the photo.
        yaw: Degrees to the viewer's right, 0 from the front. Rough: on CFP's profiles, turned by about 90, the
            detector's landmarks give 58 (half of them 51 to 65), on its frontal photos 4 (2 to 8).
        pitch: Degrees down; landmarks of frontal photos give 9, so that only differences say something.
        roll: Degrees clockwise.
        sharpness: Variance of the crop's Laplacian over the variance of its brightness: detail, whatever the contrast.
            Noise counts as detail. 0 for a crop of one colour.
        noise: Standard deviation of what looks like noise where a face has least of it, in grey values of 0 to 255 of
            the crop at half its size. Noise that was blurred, or smoothed by JPEG, doesn't count.
        brightness: Mean of the crop's grey values, in [0, 1].
        contrast: Their standard deviation, in [0, 0.5].
    """

    eye_distance: NDArray[np.float64]
    magnification: NDArray[np.float64]
    yaw: NDArray[np.float64]
    pitch: NDArray[np.float64]
    roll: NDArray[np.float64]
    sharpness: NDArray[np.float64]
    noise: NDArray[np.float64]
    brightness: NDArray[np.float64]
    contrast: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.eye_distance)

    @property
    def blurred(self) -> NDArray[np.bool_]:
        """(N,) `are_blurred`."""
        return are_blurred(self.sharpness, self.noise, self.magnification)


def measure_quality(crops: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> FaceQuality:
    """Measure how well each face can be seen.

    Args:
        crops: (N, H, W, 3) uint8 RGB, upright and aligned (`align`).
        landmarks: (N, 5, 2) pixels of the photo, in the order of `Faces.landmarks`.

    Raises:
        ValueError: The shapes don't fit.
    """
    crops, points = np.asarray(crops), np.asarray(landmarks, np.float64)
    if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[3] != 3 or points.shape != (len(crops), 5, 2):
        raise ValueError(f"crops {crops.dtype} {crops.shape} and landmarks {points.shape} are not of the same faces")
    yaw, pitch, roll = pose(points)
    greys = _greys(crops)
    return FaceQuality(
        eye_distance=np.linalg.norm(points[:, 0] - points[:, 1], axis=1),
        magnification=magnification(points),
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        sharpness=_each(_detail, greys),
        noise=_each(_grain, greys),
        brightness=_each(lambda grey: grey.mean() / 255, greys),
        contrast=_each(lambda grey: grey.std() / 255, greys),
    )


def sharpness_and_noise(crops: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How much detail and how much noise each face shows: `FaceQuality.sharpness` and `FaceQuality.noise`.

    Args:
        crops: (N, H, W, 3) uint8 RGB, aligned (`align`).

    Returns:
        Twice (N,), 0 or more.
    """
    greys = _greys(crops)
    return _each(_detail, greys), _each(_grain, greys)


def magnification(landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N,) pixels of the crop (`align`) for each pixel of the photo; 0 where all (N, 5, 2) landmarks coincide."""
    transforms = similarity_transforms(landmarks, TEMPLATES["arcface-112"][1])
    return np.hypot(transforms[:, 0, 0], transforms[:, 1, 0])


def are_blurred(
    sharpness: NDArray[np.floating], noise: NDArray[np.floating], magnification: NDArray[np.floating]
) -> NDArray[np.bool_]:
    """(N,) whether a face shows so little that two such are not to be compared: `BLURRED`, `ENLARGED` or `NOISY`."""
    return (sharpness < BLURRED) | (magnification > ENLARGED) | (noise * magnification**1.5 > NOISY)


def pose(
    landmarks: NDArray[np.floating],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Yaw, pitch and roll of heads, each (N,) degrees, by scaled orthography (DeMenthon & Davis 1995, POS).

    The least-squares linear map from a mean head's five points to the landmarks is taken for two rows of a rotation;
    a turned head differs from it by who it is, too, so that the angles are rough.

    Args:
        landmarks: (N, 5, 2) pixels, in the order of `Faces.landmarks`. If all coincide, the angles are 0.
    """
    points = np.asarray(landmarks, np.float64)
    maps = (points - points.mean(axis=1, keepdims=True)).transpose(0, 2, 1) @ _FROM_HEAD
    roll = np.arctan2(-maps[:, 0, 1], maps[:, 1, 1])
    cos, sin = np.cos(roll)[:, None], np.sin(roll)[:, None]
    across, down = cos * maps[:, 0] + sin * maps[:, 1], cos * maps[:, 1] - sin * maps[:, 0]
    yaw = np.arctan2(across[:, 2], across[:, 0])
    pitch = np.arctan2(down[:, 2], down[:, 1])
    return np.degrees(yaw), np.degrees(pitch), np.degrees(roll)


def _greys(crops: NDArray[np.uint8]) -> list[Grey]:
    return [np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8) for crop in crops]


def _each(measure: Callable[[Grey], float], greys: Sequence[Grey]) -> NDArray[np.float64]:
    return np.array([measure(grey) for grey in greys], np.float64)


def _detail(grey: Grey) -> float:
    spread = float(cv2.meanStdDev(grey)[1].item())
    detail = float(cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))[1].item())
    return (detail / spread) ** 2 if spread > 0 else 0.0


def _grain(grey: Grey) -> float:
    """Immerkær's (1996) estimate, which edges don't raise, in the twentieth of the face where it is least.

    At half the crop's size skin is smooth, and what is left of the grain of a large photo does no harm.
    """
    half = cv2.resize(grey, (56, 56), interpolation=cv2.INTER_AREA)
    grain = cv2.filter2D(half, cv2.CV_32F, _ACROSS_EDGES)[12:48, 12:44]
    power = cv2.blur(grain * grain, (5, 5))
    quiet = power.size // 20
    least = max(float(np.partition(power, quiet, axis=None)[quiet]), 0.0)  # rounding may lead below
    return math.sqrt(least) / float(np.linalg.norm(_ACROSS_EDGES))
