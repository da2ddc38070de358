"""What differs between photos of one person and is not the person: pose, light, camera, and what hides the face."""

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.synthesis.layout import CANVAS, EYE_DISTANCE
from mien.synthesis.pose import CENTRE, Pose, depth

Picture = NDArray[np.float32]
"""(H, W, 3) RGB, 0…255."""


@dataclass(frozen=True)
class Nuisances:
    """How far photos may be from a plain, frontal, clean one; each photo draws its own values within these limits.

    Attributes:
        yaw, pitch, roll: Largest angles, in degrees; the warp is made for up to about 25.
        shift: Largest distance from the middle, in sides of the photo.
        light: How uneven the light on the face may be, 0 (even) to 1 (one side nearly dark).
        exposure: Largest change of brightness, in stops.
        tint: Largest change of the red and blue gains, as a fraction.
        blur: Largest Gaussian blur, as a standard deviation in pixels of a photo of 256 pixels.
        noise: Largest noise, as a standard deviation in grey levels.
        shrink: Photos are taken at down to 1/shrink of their resolution.
        jpeg_quality: Lowest JPEG quality, 1 to 100; the highest is 95.
        sunglasses, mask: Probability of each.
    """

    yaw: float = 8.0
    pitch: float = 5.0
    roll: float = 5.0
    shift: float = 0.03
    light: float = 0.3
    exposure: float = 0.25
    tint: float = 0.04
    blur: float = 0.4
    noise: float = 2.0
    shrink: float = 1.0
    jpeg_quality: int = 85
    sunglasses: float = 0.0
    mask: float = 0.0

    def __post_init__(self) -> None:
        limits = {"yaw": 40, "pitch": 40, "roll": 180, "shift": 0.5, "light": 1, "exposure": 4, "tint": 0.5}
        limits |= {"blur": 50, "noise": 128, "shrink": 16, "jpeg_quality": 95, "sunglasses": 1, "mask": 1}
        least = {"shrink": 1, "jpeg_quality": 1}
        for name, most in limits.items():
            if not least.get(name, 0) <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be in [{least.get(name, 0)}, {most}], not {getattr(self, name)}")

    @classmethod
    def none(cls) -> "Nuisances":
        """Frontal, evenly lit, clean."""
        return cls(0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 95)

    @classmethod
    def hard(cls) -> "Nuisances":
        """About as bad as a face can still be found."""
        return cls(20, 12, 15, 0.08, 0.8, 0.8, 0.12, 1.5, 8, 3, 30, 0.2, 0.2)

    def draw(self, random: np.random.Generator) -> "Drawn":
        """The values of one photo."""
        pose = Pose(
            _either_way(self.yaw, random),
            _either_way(self.pitch, random),
            _either_way(self.roll, random),
            float(random.uniform(0.97, 1.03)),
            (_either_way(self.shift, random), _either_way(self.shift, random)),
        )
        angle = random.uniform(-np.pi, np.pi)
        return Drawn(
            pose=pose if self != Nuisances.none() else Pose(),
            light=float(random.uniform(0, self.light)),
            light_from=(float(np.cos(angle)), float(-abs(np.sin(angle)))),
            exposure=_either_way(self.exposure, random),
            tint=(_either_way(self.tint, random), _either_way(self.tint, random)),
            blur=float(random.uniform(0, self.blur)),
            noise=float(random.uniform(0, self.noise)),
            shrink=float(random.uniform(1, self.shrink)),
            jpeg_quality=int(random.integers(self.jpeg_quality, 96)),
            sunglasses=bool(random.random() < self.sunglasses),
            mask=bool(random.random() < self.mask),
        )


def _either_way(limit: float, random: np.random.Generator) -> float:
    return float(random.uniform(-limit, limit))


@dataclass(frozen=True)
class Drawn:
    """The nuisances of one photo; units as in `Nuisances`.

    Attributes:
        light_from: Where the light comes from, (x, y) of unit length, seen from the viewer; y points down.
    """

    pose: Pose
    light: float
    light_from: tuple[float, float]
    exposure: float
    tint: tuple[float, float]
    blur: float
    noise: float
    shrink: float
    jpeg_quality: int
    sunglasses: bool
    mask: bool

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready data."""
        return asdict(self)

    def shading(self) -> NDArray[np.float32]:
        """What the light multiplies the head by: (CANVAS, CANVAS, 1), about 1 on average (Lambert's law)."""
        side = 48
        y, x = (np.mgrid[:side, :side] + 0.5) * CANVAS / side
        z = depth((x - CENTRE[0]) / EYE_DISTANCE, (y - CENTRE[1]) / EYE_DISTANCE)
        step = CANVAS / side / EYE_DISTANCE
        slope_y, slope_x = np.gradient(z, step)
        towards = -(slope_x * self.light_from[0] + slope_y * self.light_from[1]) / np.sqrt(1 + slope_x**2 + slope_y**2)
        shade = np.clip(1 + self.light * towards, 0.1, 1.9).astype(np.float32)
        return np.asarray(cv2.resize(shade, (CANVAS, CANVAS)), np.float32)[..., None]

    def cover(self, texture: Picture, random: np.random.Generator) -> None:
        """Draw sunglasses and a mask onto a head's texture, in place."""
        if self.sunglasses:
            _draw_sunglasses(texture, random)
        if self.mask:
            _draw_mask(texture, random)

    def expose(self, picture: Picture) -> Picture:
        """Exposure and tint, by gains in linear light (gamma 2.2)."""
        stops = np.array([1 + self.tint[0], 1, 1 + self.tint[1]]) * 2**self.exposure
        return picture * (stops ** (1 / 2.2)).astype(np.float32)

    def record(self, picture: Picture, random: np.random.Generator) -> bytes:
        """Blur, resolution, noise and JPEG: the bytes of the file."""
        size = picture.shape[0]
        if self.shrink > 1.05:
            small = max(16, round(size / self.shrink))
            picture = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA).astype(np.float32)
            picture = cv2.resize(picture, (size, size), interpolation=cv2.INTER_CUBIC).astype(np.float32)
        sigma = self.blur * size / 256
        if sigma > 0.2:
            picture = cv2.GaussianBlur(picture, (0, 0), sigma).astype(np.float32)
        if self.noise > 0:
            picture = picture + random.standard_normal(picture.shape, np.float32) * np.float32(self.noise)
        pixels = np.clip(picture + 0.5, 0, 255).astype(np.uint8)
        _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, self.jpeg_quality])
        return bytes(data)


def _draw_sunglasses(texture: Picture, random: np.random.Generator) -> None:
    layer = np.zeros((CANVAS, CANVAS), np.float32)
    width, height = random.integers(17, 21), random.integers(12, 17)
    for x in (74, 117):
        cv2.ellipse(layer, (x, 86), (int(width), int(height)), 0, 0, 360, 1.0, -1, cv2.LINE_AA)
    cv2.line(layer, (88, 82), (103, 82), 1.0, 3, cv2.LINE_AA)
    for x, end in ((57, 42), (134, 149)):
        cv2.line(layer, (x, 82), (end, 80), 1.0, 3, cv2.LINE_AA)
    glass = random.uniform(8, 45, 3).astype(np.float32)
    shine = np.linspace(25, 0, CANVAS, dtype=np.float32)[:, None, None]
    alpha = cv2.GaussianBlur(layer, (0, 0), 0.6)[..., None] * np.float32(0.97)
    texture += alpha * (glass + shine - texture)


def _draw_mask(texture: Picture, random: np.random.Generator) -> None:
    layer = np.zeros((CANVAS, CANVAS), np.float32)
    outline = np.array([[95, 94], [112, 101], [137, 104], [142, 122], [130, 143], [112, 156], [95, 160]])
    other = outline[::-1] * [-1, 1] + [191, 0]
    cv2.fillPoly(layer, [np.concatenate([outline, other]).astype(np.int32)], 1.0, cv2.LINE_AA)
    alpha = cv2.GaussianBlur(layer, (0, 0), 1.0)[..., None]
    colours = np.array([[150, 190, 215], [235, 235, 235], [40, 42, 48], [170, 205, 190]], np.float32)
    y, x = np.mgrid[:CANVAS, :CANVAS].astype(np.float32)
    folds = 1 + 0.05 * np.sin(y / 2.6) * (np.abs(y - 128) < 18) - 0.25 * ((x - 95.5) / 60) ** 2 + 0.06 * (110 - y) / 40
    texture += alpha * (colours[random.integers(len(colours))] * folds[..., None] - texture)
