"""What every change of a training picture has in common."""

from abc import ABC, abstractmethod
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

Picture = NDArray[np.uint8]
"""(S, S, 3) RGB."""
Points = NDArray[np.float32]
"""(5, 2) landmarks in pixels of the picture, in the order of `mien.faces.Faces.landmarks`."""
Draws = NDArray[np.float32]
"""Numbers drawn evenly from [0, 1)."""
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

SIDE = 112
"""Lengths in settings are pixels of a crop this wide and keep their proportion in other sizes."""


class Change(BaseModel, ABC):
    """One way in which a photo of the same face could be another one.

    A change is its settings and nothing else; everything random about it comes from `draws` numbers, so that it is a
    plain function of picture, landmarks and these. A new change is one file and one line in `CHANGES`.

    Attributes:
        draws: How many numbers each changed picture takes.
        p: The share of pictures that are changed, 0 to 1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    draws: ClassVar[int]
    p: Share

    @abstractmethod
    def change(self, picture: Picture, landmarks: Points, draws: Draws) -> tuple[Picture, Points]:
        """Change one picture.

        Args:
            picture: (S, S, 3) uint8 RGB; may be written to.
            landmarks: (5, 2) float32 pixels.
            draws: (self.draws,) in [0, 1).

        Returns:
            A picture of the same shape, which may be `picture` itself, and where the landmarks lie in it.
        """


def within(low: float, high: float) -> AfterValidator:
    """What checks that a setting is a range within [low, high], its lower end first."""

    def check(ends: tuple[float, float]) -> tuple[float, float]:
        if not low <= ends[0] <= ends[1] <= high:
            raise PydanticCustomError(
                "range",
                "must be two numbers from {low} to {high}, the lower one first",
                {"low": f"{low:g}", "high": f"{high:g}"},
            )
        return ends

    return AfterValidator(check)


def at(draw: np.float32, ends: tuple[float, float]) -> float:
    """The place in a range that a number from [0, 1) stands for."""
    return ends[0] + float(draw) * (ends[1] - ends[0])


def either_way(draw: np.float32, limit: float) -> float:
    """The place between −limit and limit that a number from [0, 1) stands for."""
    return at(draw, (-limit, limit))


def scaled(pixels: float, picture: Picture) -> float:
    """A length in pixels of a crop of 112 as one in pixels of this picture."""
    return pixels * float(picture.shape[0]) / SIDE
