"""A chain of changes, made from a recipe's table and applied to batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import Tensor

from mien.errors import ConfigError
from mien.training.data.augmentation.change import Change
from mien.training.data.augmentation.registry import CHANGES


class Augmentation:
    """Several changes, each of a share of the pictures, one after another.

    The same seed gives the same pictures, bit for bit, on one machine and whatever the number of threads.

    Args:
        changes: In the order in which they are made.
    """

    def __init__(self, changes: Sequence[Change]) -> None:
        self.changes = tuple(changes)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Augmentation:
        """The chain that a recipe's table describes.

        Args:
            settings: For each change of `CHANGES`, either its share ``p`` or a table of its settings, such as
                ``{flip = 0.5, jpeg = {p = 0.2, quality = [30, 95]}}``. They are made in the order of `CHANGES`,
                whatever the table's.

        Raises:
            ConfigError: A change, setting or value is not one that there is; all that are wrong are named.
        """
        problems = [f"there is no {name!r}, only {', '.join(CHANGES)}" for name in settings if name not in CHANGES]
        changes = []
        for name, kind in CHANGES.items():
            if name in settings:
                try:
                    changes.append(kind.model_validate(_table(settings[name])))
                except ValidationError as wrong:
                    problems += [_sentence(name, kind, problem) for problem in wrong.errors()]
        if problems:
            raise ConfigError(
                f"The augmentation can't be made: {'; '.join(problems)}.",
                hint="Write for example {flip = 0.5, jpeg = {p = 0.2, quality = [30, 95]}}.",
                code="config.augmentation",
            )
        return cls(changes)

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """Every setting of every change, as `from_settings` takes them: JSON-ready."""
        names = {kind: name for name, kind in CHANGES.items()}
        return {names[type(change)]: change.model_dump(mode="json") for change in self.changes}

    def __call__(self, crops: Tensor, landmarks: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Change a batch.

        Args:
            crops: (N, 3, S, S) uint8 RGB, on any device. Channels last (a view of (N, S, S, 3)) takes least time.
            landmarks: (N, 5, 2) floating pixels of the crops.
            generator: On the CPU; the same state gives the same pictures.

        Returns:
            New crops of the same shape, dtype and device, channels last in memory, and where the landmarks lie in them.

        Raises:
            TypeError: `crops` are not uint8.
            ValueError: Another shape, or a landmark that is NaN or infinite.
        """
        pictures, points = _checked(crops, landmarks)
        for change in self.changes:
            draws = torch.rand(len(pictures), 1 + change.draws, generator=generator).numpy()
            for row in np.flatnonzero(draws[:, 0] < change.p):
                pictures[row], points[row] = change.change(pictures[row], points[row], draws[row, 1:])
        changed = torch.from_numpy(pictures).permute(0, 3, 1, 2).to(crops.device)
        return changed, torch.from_numpy(points).to(landmarks)


def _checked(crops: Tensor, landmarks: Tensor) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Copies of a batch's pictures (N, S, S, 3) and landmarks (N, 5, 2) to work on."""
    if crops.dtype != torch.uint8:
        raise TypeError(f"augmentation takes crops of uint8, 0 to 255, not of {crops.dtype}")
    if crops.ndim != 4 or crops.shape[1] != 3 or crops.shape[2] != crops.shape[3]:
        raise ValueError(f"crops are (N, 3, S, S), not {tuple(crops.shape)}")
    if landmarks.shape != (len(crops), 5, 2):
        raise ValueError(f"landmarks of {len(crops)} crops are ({len(crops)}, 5, 2), not {tuple(landmarks.shape)}")
    points = landmarks.detach().cpu().to(torch.float32, copy=True).numpy()
    if not np.isfinite(points).all():
        raise ValueError("a landmark is NaN or infinite")
    return crops.cpu().permute(0, 2, 3, 1).clone(memory_format=torch.contiguous_format).numpy(), points


def _table(value: Any) -> Any:
    """A change's settings: a bare number is its share."""
    return {"p": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


def _sentence(name: str, kind: type[Change], problem: Any) -> str:
    """What is wrong with a setting, and what is allowed."""
    place = ".".join([name, *(str(part) for part in problem["loc"])])
    match problem["type"]:
        case "extra_forbidden":
            return f"{place}: there is no such setting, only {', '.join(kind.model_fields)}"
        case "model_type" | "model_attributes_type":
            return (
                f"{place}: a share from 0 to 1 or a table of {', '.join(kind.model_fields)}, not {problem['input']!r}"
            )
        case _:
            wanted = str(problem["msg"]).removeprefix("Input ")
            return f"{place}: {wanted[0].lower()}{wanted[1:]}, not {problem['input']!r}"
