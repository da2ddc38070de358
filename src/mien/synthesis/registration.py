"""Bringing faces into dense correspondence without landmarks beyond five, by bootstrapping.

Vetter, Jones and Poggio (1997), *A bootstrapping algorithm for learning linear models of object classes*: the
optical flow between a face and its reconstruction by a small linear model says where the model's average face and
this one disagree in shape. Undoing that flow gives a sharper model, which gives a better flow.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd

from mien.progress import report, track
from mien.synthesis.layout import CANVAS

SIDE = 96
ROUNDS = ((15, 7.0), (30, 6.0), (50, 5.0), (70, 4.0))
"""Per round: components of the model, and the smoothness of the flow (standard deviation, pixels of SIDE)."""


def register(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Find how each face's shape differs from the average one's.

    Args:
        crops: (N, CANVAS, CANVAS, 3) uint8 RGB faces, aligned by their eyes and mouth.

    Returns:
        (N, SIDE, SIDE, 2) float32: where each point of the average face lies in the crop, less its own place, in
        canvas pixels. Its mean over all faces is 0.
    """
    grid = _grid(SIDE)
    window = _window(grid)
    faces = np.array([_contrast(crop) for crop in track(crops, "normalising light")])
    flows = np.zeros((len(faces), SIDE, SIDE, 2), np.float32)
    for number, (components, smoothness) in enumerate(ROUNDS):
        warped = np.array([warp(face, flow) for face, flow in zip(faces, flows, strict=True)]) * window
        vectors = warped.reshape(len(warped), -1)
        mean = vectors.mean(axis=0)
        _, _, axes = randomized_svd(vectors[::3] - mean, components, n_iter=2, random_state=0)
        models = ((vectors - mean) @ axes.T @ axes + mean).reshape(warped.shape)

        with ThreadPoolExecutor() as pool:
            flows = np.array(
                list(pool.map(_refined, flows, warped, models, repeat(window), repeat(smoothness))), np.float32
            )
        flows -= flows.mean(axis=0)
        report("registering faces", number + 1, len(ROUNDS))
    return flows * np.float32(CANVAS / SIDE)


def _refined(
    flow: NDArray[np.float32],
    face: NDArray[np.float32],
    model: NDArray[np.float32],
    window: NDArray[np.float32],
    smoothness: float,
) -> NDArray[np.float32]:
    """A face's flow after one more step: from its model to the face as it is warped now."""
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    step = np.asarray(finder.calc(_bytes(model), _bytes(face), None), np.float32)  # type: ignore[call-overload]
    step = np.asarray(cv2.GaussianBlur(np.clip(step, -4, 4) * window[..., None], (0, 0), smoothness), np.float32)
    return step + warp(flow, step)  # first the step, then what was known


def warp(
    picture: NDArray[np.float32], flow: NDArray[np.float32], interpolation: int = cv2.INTER_LINEAR
) -> NDArray[np.float32]:
    """A picture read at p + flow(p) for each of its points p; both are (S, S, …), the flow in pixels of S."""
    where = _grid(len(flow)) + flow
    seen = cv2.remap(picture, where, None, interpolation, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(seen, np.float32)


def _grid(side: int) -> NDArray[np.float32]:
    y, x = np.mgrid[:side, :side].astype(np.float32)
    return np.stack([x, y], axis=-1)


def _window(grid: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 on the head, falling to 0 where background and clothes would pull at the flow."""
    radius = ((grid[..., 0] - 47.5) / 30) ** 2 + ((grid[..., 1] - 50) / 34) ** 2
    return np.asarray(np.exp(-(radius**3)), np.float32)


def _contrast(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Grey values with the same local mean and spread everywhere, so that light and skin tone don't matter."""
    grey = cv2.resize(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    values = grey.astype(np.float32)
    high = values - cv2.GaussianBlur(values, (0, 0), 12)
    return np.asarray(high / (np.sqrt(cv2.GaussianBlur(high**2, (0, 0), 12)) + 8), np.float32)


def _bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(values * 40 + 128, 0, 255), np.uint8)
