"""Hair. Averages of hair are a smear, so it is drawn: a style a person, strands that run from the crown."""

from dataclasses import dataclass
from functools import cache, cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.synthesis.layout import CANVAS

Array = NDArray[np.float32]

COLOURS = np.array(
    [
        [26, 22, 20],
        [38, 29, 24],
        [56, 40, 30],
        [84, 60, 42],
        [120, 90, 60],
        [168, 136, 92],
        [112, 62, 38],
        [150, 146, 142],
    ],
    np.float32,
)
"""Black, dark brown, brown, light brown, dark blond, blond, red, grey; RGB."""

FAIR_ODDS = np.array([0.12, 0.2, 0.2, 0.14, 0.1, 0.08, 0.06, 0.1])
DARK_ODDS = np.array([0.6, 0.24, 0.06, 0, 0, 0, 0, 0.1])


@dataclass(frozen=True)
class Hair:
    """A person's hair; lengths are in sides of the canvas.

    Attributes:
        colour: RGB.
        hairline: Height of the forehead's upper end.
        length: How far down it reaches at the sides, 0.3 (cropped) to 1 (over the shoulders).
        volume: How far it stands off the skull.
        parting: x of the crown.
        cover: 0 (bald) to 1.
        strands: (64, 512) noise, one column for each direction from the crown.
    """

    colour: Array
    hairline: float
    length: float
    volume: float
    parting: float
    cover: float
    strands: Array

    @classmethod
    def draw(cls, skin: Array, fullness: float, random: np.random.Generator) -> "Hair":
        """Draw a style.

        Args:
            skin: RGB; dark hair is likelier with dark skin.
            fullness: How much hair the basis sees beside this face, in standard deviations from the mean; long
                hair is likelier where there is much.
            random: Draws the rest.
        """
        fair = float(np.clip((skin.mean() - 85) / 60, 0, 1))
        colour = random.choice(COLOURS, p=fair * FAIR_ODDS + (1 - fair) * DARK_ODDS) * random.uniform(0.85, 1.15)
        long = 1 / (1 + np.exp(1.0 - 1.8 * fullness))
        style = random.choice(4, p=[0.14 * (1 - long), 0.86 * (1 - long), 0.4 * long, 0.6 * long])
        length = (0.36, random.uniform(0.39, 0.46), random.uniform(0.62, 0.74), random.uniform(0.82, 1.0))[style]
        volume = (0.012, random.uniform(0.014, 0.030), random.uniform(0.02, 0.045), random.uniform(0.015, 0.04))[style]
        noise = random.standard_normal((64, 512), np.float32)
        strands = sum(
            gain * _blurred(noise, along, across)
            for gain, along, across in ((0.45, 9, 0.9), (0.6, 14, 3), (0.5, 20, 12))
        )
        return cls(
            colour=np.asarray(colour, np.float32),
            hairline=float(random.uniform(0.20, 0.265)),
            length=float(length),
            volume=float(volume),
            parting=float(random.choice([0.5, 0.40, 0.60, 0.44, 0.56])),
            cover=0.7 if style == 0 else 1.0,
            strands=np.asarray(strands, np.float32),
        )

    @cached_property
    def layers(self) -> tuple[Array, Array, Array, Array]:
        """Colour (CANVAS, CANVAS, 3), opacity before and behind the head, and the outline of both (CANVAS, CANVAS)."""
        x, y = _canvas()
        dx, dy = x - np.float32(self.parting), y - np.float32(0.08)
        direction = (np.arctan2(dx, dy + 0.06) / np.pi + 1) * 255.5
        distance = np.sqrt(dx**2 + dy**2)
        noise = cv2.remap(
            self.strands, direction, distance * np.float32(70), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        ).astype(np.float32)
        noise *= _rise(distance, 0.0, 0.12)  # strands meet at the crown

        side = np.abs(x - np.float32(0.5))
        wide = 0.255 + self.volume + (0.03 if self.length > 0.55 else 0.0) * _rise(y, 0.35, 0.6)
        tall = 0.315 + self.volume
        up = np.minimum(y - 0.40, 0)  # a dome above the ears, straight down below
        dome = 1 - np.sqrt((side / wide) ** 2 + (up / tall) ** 2)
        bulk = _rise(dome + 0.012 * noise, 0.0, 0.06)

        opening = np.sqrt((side / 0.212) ** 2 + (np.minimum(y - 0.5, 0) / (0.5 - self.hairline)) ** 2)
        forehead = _rise(opening + 0.02 * noise, 0.92, 1.16)
        down = 1 - _rise(y + 0.02 * noise, self.length - 0.07, self.length + 0.02)
        before = bulk * forehead * down * np.float32(self.cover)
        behind = bulk * down * np.float32(self.cover)

        shine = np.exp(-(((distance - 0.20) / 0.08) ** 2)) * 0.30 + 0.92 - 0.25 * _rise(y, 0.45, 0.9)
        edge = 1 - 0.30 * (1 - _rise(dome, 0.0, 0.18))
        light = shine * edge * (1 + 0.17 * noise)
        colour = self.colour * light[..., None] + np.float32(14) * (light[..., None] - np.float32(0.9))
        return np.asarray(colour, np.float32), np.asarray(before, np.float32), np.asarray(behind, np.float32), bulk

    def trim(self, alpha: Array) -> Array:
        """A head's opacity without what would stand out of its hair, above the ears."""
        above = 1 - _rise(_canvas()[1], 0.34, 0.44)
        return np.asarray(alpha * (1 - above * (1 - self.layers[3])), np.float32)


@cache
def _canvas() -> tuple[Array, Array]:
    y, x = (np.mgrid[:CANVAS, :CANVAS].astype(np.float32) + 0.5) / CANVAS
    return x, y


def _rise(values: Array, start: float, end: float) -> Array:
    """0 below `start`, 1 above `end`, smooth between."""
    t = np.clip((values - np.float32(start)) / np.float32(end - start), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _blurred(noise: Array, along: float, across: float) -> Array:
    """Noise smoothed along and across the strands, with a spread of 1."""
    smooth = cv2.GaussianBlur(noise, (0, 0), sigmaX=across, sigmaY=along, borderType=cv2.BORDER_REFLECT)
    return np.asarray(smooth / smooth.std(), np.float32)
