"""People who don't exist, and photos of them."""

from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.synthesis.basis import Basis, Head, load_basis
from mien.synthesis.hair import Hair
from mien.synthesis.layout import CANVAS
from mien.synthesis.names import name_of
from mien.synthesis.nuisances import Drawn, Nuisances, Picture
from mien.synthesis.pose import sampling_map
from mien.synthesis.scene import add_body, background, head_outline

TYPICAL = 0.95
"""A person's latent vector is scaled to this share of its expected length: average people and extreme ones look odd."""
FULLNESS = 0.351, 0.059
"""Mean and standard deviation over people of how opaque the basis is beside the jaw, where only hair can be."""
_PERSON, _PHOTO, _HAIR = 1, 2, 3


@dataclass(frozen=True)
class SyntheticPhoto:
    """A photo, and the truth about it.

    Attributes:
        pixels: (size, size, 3) uint8 RGB: what `jpeg` decodes to.
        jpeg: The file's bytes.
        truth: JSON-ready: person, name, seed, photo, variation, size, landmarks (5, 2) in pixels, nuisances.
    """

    pixels: NDArray[np.uint8] = field(repr=False)
    jpeg: bytes = field(repr=False)
    truth: dict[str, Any]


@dataclass(frozen=True)
class Population:
    """Endlessly many people, all fixed by one seed.

    Attributes:
        seed: At least 0.
    """

    seed: int = 0

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"seed must not be negative, not {self.seed}")

    def person(self, number: int) -> "Person":
        """Person `number`, from 0; the same one however many others are asked for."""
        if number < 0:
            raise ValueError(f"a person's number must not be negative, not {number}")
        return Person(self.seed, number)


@dataclass(frozen=True)
class Person:
    """Somebody who doesn't exist.

    Attributes:
        seed: Of the population.
        number: In the population, from 0.
    """

    seed: int
    number: int

    @property
    def id(self) -> str:
        """``"person-0001"`` for number 0."""
        return f"person-{self.number + 1:04d}"

    @property
    def name(self) -> str:
        """An invented first name; it says nothing about the face."""
        return name_of(self.number, self.seed)

    @cached_property
    def code(self) -> NDArray[np.float32]:
        """What all photos of the person have in common, as a code of the basis (K,)."""
        basis = load_basis()
        random = np.random.default_rng([_PERSON, self.seed, self.number])
        latent = random.standard_normal((basis.between.shape[1],))
        latent *= TYPICAL * np.sqrt(len(latent)) / np.linalg.norm(latent)
        return np.asarray(basis.between @ latent, np.float32)

    @cached_property
    def hair(self) -> Hair:
        """Drawn, since averages have none to speak of."""
        head = load_basis().head(self.code)
        beside = (head.alpha[105:130, 36:48].mean() + head.alpha[105:130, 144:156].mean()) / 2
        fullness = (float(beside) - FULLNESS[0]) / FULLNESS[1]
        return Hair.draw(
            _skin(_developed(head.texture)), fullness, np.random.default_rng([_HAIR, self.seed, self.number])
        )

    def photo(
        self, number: int, *, variation: float = 0.3, nuisances: Nuisances | None = None, size: int = 256
    ) -> SyntheticPhoto:
        """Take a photo.

        Args:
            number: Which one, from 0: the same number gives the same photo.
            variation: How much the person's photos differ in expression, hair and make-up: 0 not at all, 1 as much as
                news photos of a real person.
            nuisances: How far the photo may be from a plain one; None: mild, as `Nuisances()`.
            size: Its side in pixels, 48 to 2048.
        """
        if number < 0:
            raise ValueError(f"a photo's number must not be negative, not {number}")
        require_settings(variation, size)
        random = np.random.default_rng([_PHOTO, self.seed, self.number, number])
        basis = load_basis()
        head = basis.head(self._photo_code(basis, variation, random))
        drawn = (nuisances or Nuisances()).draw(random)
        jpeg = drawn.record(drawn.expose(_portrait(head, self.hair, drawn, size, random)), random)
        pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
        scale = size / CANVAS
        landmarks = (drawn.pose.place(head.landmarks.astype(np.float64)) + 0.5) * scale - 0.5
        truth = {
            "synthetic": True,
            "person": self.id,
            "name": self.name,
            "seed": self.seed,
            "photo": number,
            "variation": variation,
            "size": size,
            "landmarks": np.round(landmarks, 2).tolist(),
            "nuisances": drawn.to_dict(),
            "basis": basis.sha256,
        }
        return SyntheticPhoto(np.asarray(pixels, np.uint8), jpeg, truth)

    def _photo_code(self, basis: Basis, variation: float, random: np.random.Generator) -> NDArray[np.float32]:
        latent = random.standard_normal(basis.within.shape[1], np.float32)
        return np.asarray(self.code + np.float32(variation) * (basis.within @ latent), np.float32)


def require_settings(variation: float, size: int) -> None:
    """Refuse what no photo can be taken with: see `Person.photo`."""
    if not 0 <= variation <= 2:
        raise ValueError(f"variation must be in [0, 2], not {variation}")
    if not 48 <= size <= 2048:
        raise ValueError(f"size must be in [48, 2048], not {size}")


def _portrait(head: Head, hair: Hair, drawn: Drawn, size: int, random: np.random.Generator) -> Picture:
    """Put a head with hair onto shoulders before a wall."""
    texture = _developed(head.texture)
    skin = _skin(texture)
    drawn.cover(texture, random)
    colour, before, behind, _ = hair.layers
    texture += before[..., None] * (colour - texture)
    shading = drawn.shading()
    alpha = np.maximum(hair.trim(_edge(head.alpha)), before)
    where = sampling_map(drawn.pose, head.shape, size)
    picture = background(size, random)
    _lay(picture, colour * shading, behind, where)
    chin = (drawn.pose.place(np.array([[95.5, 150.0]]))[0] + 0.5) / CANVAS
    add_body(picture, skin, chin, random)
    _lay(picture, texture * shading, alpha, where)
    return picture


def _lay(picture: Picture, colour: Picture, alpha: NDArray[np.float32], where: NDArray[np.float32]) -> None:
    """Lay something on the canvas over a picture, in place; `where` as from `sampling_map`."""
    layer = np.clip(np.dstack([colour, alpha * 255]), 0, 255).astype(np.uint8)
    seen = cv2.remap(layer, where, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT).astype(np.float32)  # type: ignore[call-overload]
    picture += seen[..., 3:] / 255 * (seen[..., :3] - picture)


def _skin(texture: Picture) -> NDArray[np.float32]:
    return np.asarray(texture[128:148, 66:126].mean(axis=(0, 1)) * np.float32(0.96), np.float32)


def _developed(texture: Picture) -> Picture:
    """Contrast and colour as a camera would give them: averages are flat and pale."""
    sharp = texture + np.float32(0.7) * (texture - cv2.GaussianBlur(texture, (0, 0), 1.2))
    balanced = sharp * _white_balance(texture[60:150, 60:132].mean(axis=(0, 1)))
    x = np.clip(balanced / 255, 0, 1)
    return np.asarray(255 * (x + np.float32(0.45) * x * (1 - x) * (2 * x - 0.7)), np.float32)


def _white_balance(face: NDArray[np.float32]) -> NDArray[np.float32]:
    """Gains that undo most of what is the light's colour in a face's mean colour: skin's hues all lie on one line."""
    luma = float(face @ np.array([0.299, 0.587, 0.114], np.float32))
    skin = luma * np.array([1.24, 0.93, 0.76], np.float32)
    return (skin / face) ** np.float32(0.7)


def _edge(alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """A firm edge where the average silhouette has a soft one, without neck and shoulders."""
    return np.asarray(np.clip((alpha - 0.5) * 4 + 0.5, 0, 1) * _outline(), np.float32)


@cache
def _outline() -> NDArray[np.float32]:
    return head_outline()
