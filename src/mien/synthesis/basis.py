"""The fitted basis: reading it, checking it, and turning a code into a head."""

import hashlib
import io
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelError
from mien.synthesis.layout import BLOCKS, CANVAS, DETAIL

DETAIL_GAIN = 2.0
"""Averages lack fine detail; this brings what there is back to about the spread that it has in photos."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """A head before it is posed, lit and placed in a scene.

    Attributes:
        texture: (CANVAS, CANVAS, 3) float32 RGB, 0…255 but for overshoot.
        alpha: (CANVAS, CANVAS) float32, 1 on the head, with neck and shoulders.
        shape: (24, 24, 2) float32: texture point p is seen at p + shape(p), canvas pixels.
        landmarks: (5, 2) float32: where the landmarks are seen, canvas pixels.
    """

    texture: Array
    alpha: Array
    shape: Array
    landmarks: Array


@dataclass(frozen=True)
class Basis:
    """Mean and principal components of heads, and how codes vary between people and within one person's photos.

    Attributes:
        mean: (P,) the mean head: left halves of all blocks, joined.
        axes: (K, P) the components, those that are even under mirroring first.
        even: How many are even.
        between: (K, B): a person's code is between @ h, h standard normal.
        within: (K, W): a photo's code adds within @ e, e standard normal, times the variation asked for.
        landmarks_mean: (5, 2), of the mean head.
        landmarks: (K, 10): what a unit of each component adds.
        sha256: Of the file.
    """

    mean: Array
    axes: Array
    even: int
    between: Array
    within: Array
    landmarks_mean: Array
    landmarks: Array
    sha256: str

    def head(self, code: Array) -> Head:
        """The head with a code (K,)."""
        even = self.mean + code[: self.even] @ self.axes[: self.even]
        odd = code[self.even :] @ self.axes[self.even :]
        blocks, start = {}, 0
        for block in BLOCKS:
            end = start + int(np.prod(block.half))
            e, o = even[start:end].reshape(block.half), odd[start:end].reshape(block.half)
            blocks[block.name] = np.concatenate([e + o, block.mirror(e - o)], axis=1)
            start = end
        ycc = np.empty((CANVAS, CANVAS, 3), np.float32)
        ycc[..., 0] = cv2.resize(blocks["luma"], (CANVAS, CANVAS))
        ycc[*DETAIL, 0] += DETAIL_GAIN * blocks["detail"][..., 0]
        ycc[..., 1:] = cv2.resize(blocks["chroma"], (CANVAS, CANVAS))
        texture = cv2.cvtColor(ycc / np.float32(255), cv2.COLOR_YCrCb2RGB) * 255
        return Head(
            np.asarray(texture, np.float32),
            np.asarray(cv2.resize(blocks["alpha"], (CANVAS, CANVAS), interpolation=cv2.INTER_CUBIC), np.float32),
            blocks["shape"],
            self.landmarks_mean + (code @ self.landmarks).reshape(5, 2),
        )


def load_card() -> dict[str, Any]:
    """What the basis is, from which data, under which terms, and what it is not for."""
    return tomllib.loads(files("mien.synthesis").joinpath("basis.toml").read_text("utf-8"))


@cache
def load_basis() -> Basis:
    """Read the shipped basis.

    Raises:
        ModelError: Its file is not the one that its card names.
    """
    data = files("mien.synthesis").joinpath("basis.npz").read_bytes()
    return read_basis(data, load_card()["sha256"])


def read_basis(data: bytes, sha256: str) -> Basis:
    """Check and read a basis file's bytes.

    Raises:
        ModelError: The hash is another one.
    """
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ModelError(
            f"The basis of synthetic people is not the file that its card names (SHA-256 {found[:12]}…).",
            hint="Install mien again.",
            code="model.altered",
        )
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    axes = [arrays[b.name] * arrays[f"{b.name}_scale"][:, None] for b in BLOCKS]
    return Basis(
        mean=np.concatenate([arrays[f"{b.name}_mean"] for b in BLOCKS]).astype(np.float32),
        axes=np.concatenate(axes, axis=1, dtype=np.float32),
        even=int(arrays["even"]),
        between=arrays["between"].astype(np.float32),
        within=arrays["within"].astype(np.float32),
        landmarks_mean=arrays["landmarks_mean"],
        landmarks=arrays["landmarks"].reshape(len(arrays["landmarks"]), 10).astype(np.float32),
        sha256=found,
    )
