"""What surrounds a head to make a portrait: neck, clothes, background."""

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.synthesis.layout import CANVAS
from mien.synthesis.nuisances import Picture

CLOTHES = np.array(
    [
        [38, 42, 54], [28, 30, 34], [58, 62, 72], [92, 98, 106], [226, 226, 222], [196, 206, 218], [44, 62, 98],
        [92, 36, 42], [58, 84, 72], [126, 108, 88], [178, 150, 116], [70, 58, 84], [150, 66, 56], [120, 146, 160],
    ],
    np.float32,
)  # fmt: skip
"""Quiet colours, RGB."""

WALLS = np.array(
    [[176, 182, 188], [150, 158, 166], [198, 190, 178], [122, 132, 142], [164, 150, 138], [136, 150, 140],
     [90, 98, 110], [206, 208, 210], [108, 120, 138], [180, 168, 160]],
    np.float32,
)  # fmt: skip


def head_outline() -> NDArray[np.float32]:
    """Where the texture may show a head: everywhere but below the jaw, whose line is fixed. (CANVAS, CANVAS), 0…1."""
    y, x = (np.mgrid[:CANVAS, :CANVAS] + 0.5) / CANVAS
    jaw = ((x - 0.5) / 0.262) ** 2 + ((y - 0.50) / 0.292) ** 2
    below = np.clip((y - 0.56) / 0.08, 0, 1)
    inside = np.clip((1 - jaw) / 0.10 + 0.5, 0, 1)
    return np.asarray(1 - below * (1 - inside), np.float32)


def background(size: int, random: np.random.Generator) -> Picture:
    """An out-of-focus wall: a gradient and a few soft shapes."""
    wall = WALLS[random.integers(len(WALLS))] * random.uniform(0.75, 1.1)
    coarse = random.normal(0, 1, (5, 5, 1)) * random.uniform(4, 16) + random.normal(0, 1, (5, 5, 3)) * 3
    small = wall + cv2.resize(coarse.astype(np.float32), (24, 24), interpolation=cv2.INTER_CUBIC).reshape(24, 24, 3)
    y, x = (np.mgrid[:24, :24] + 0.5) / 24 - 0.5
    vignette = 1.06 - 0.55 * (x**2 + (y + 0.1) ** 2)
    return np.asarray(
        cv2.resize((small * vignette[..., None]).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    )


def add_body(
    picture: Picture, skin: NDArray[np.float32], chin: NDArray[np.float64], random: np.random.Generator
) -> None:
    """Paint neck, shoulders and clothes onto a picture, in place.

    Args:
        picture: (S, S, 3).
        skin: RGB of the neck.
        chin: (x, y) in sides of the picture.
        random: Draws clothes and build.
    """
    size = len(picture)
    top = int(np.clip((chin[1] - 0.15) * size, 0, size - 1))
    picture = picture[top:]  # a view: nothing is drawn above
    x = ((np.arange(size) + 0.5) / size - chin[0]).astype(np.float32)[None, :]
    y = ((np.arange(top, size) + 0.5) / size - chin[1]).astype(np.float32)[:, None]
    soft = np.float32(1.5 / size)
    build = random.uniform(0.92, 1.08)
    spread = np.abs(x) / np.float32(build)

    neck_width = 0.158 + 1.2 * np.clip(y - 0.03, 0, 1) ** 2
    neck = _step(neck_width - spread, soft * 2)
    shadow = 0.70 + 0.24 * np.clip((y + 0.01) / 0.10, 0, 1) - 0.22 * np.clip(spread / 0.16, 0, 1) ** 3
    picture += neck[..., None] * (skin * shadow[..., None] - picture)

    slope = 0.055 + 0.10 * np.clip((spread - 0.14) / 0.22, 0, 2) ** 0.9
    style = int(random.integers(3))
    opening = {0: 0.05, 1: 0.15, 2: 0.12}[style]  # a crew neck, a V, a shirt's collar
    width = 0.16 if style == 0 else 0.15
    inside = np.clip(1 - spread / width, 0, 1)
    collar = slope + (opening * (np.sqrt(inside) if style == 0 else inside))
    cloth = _step(y - collar, soft)
    colour = CLOTHES[random.integers(len(CLOTHES))] * random.uniform(0.85, 1.1)
    weave = cv2.resize(random.standard_normal((6, 14), np.float32), (size, size - top), interpolation=cv2.INTER_CUBIC)
    folds = (1.02 - 0.9 * np.clip(spread - 0.2, 0, 1)) * (1 + 0.035 * weave) - 0.25 * np.exp(
        -(((y - collar) / 0.02) ** 2)
    ) * (inside > 0)
    picture += cloth[..., None] * (colour * folds[..., None] - picture)
    if style == 2:
        lapel = _step(0.045 - np.abs(y - collar - 0.012 - 0.10 * spread), soft) * _step(0.135 - spread, soft) * cloth
        light = np.minimum(colour * 1.12 + 12, 250)
        picture += lapel[..., None] * (light * (1 - 0.12 * np.clip(spread / 0.1, 0, 1))[..., None] - picture)


def _step(values: NDArray[np.float32], soft: np.float32) -> NDArray[np.float32]:
    return np.asarray(np.clip(values / soft + np.float32(0.5), 0, 1), np.float32)
