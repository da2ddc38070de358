import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mien.faces import Faces
from mien.faces.encoding import unit_embeddings


class Estimator(Protocol):
    """A fitted scikit-learn transformer from aligned crops to vectors."""

    def transform(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, H, W, 3) uint8 to (N, D) float32."""
        ...

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Its settings."""
        ...


class ClassicalEncoder:
    """A fitted estimator of this package as an encoder, for `mien.Recognizer`: crops in, unit vectors out.

    Histograms are square-rooted first, so that their cosine is the Bhattacharyya coefficient.

    Args:
        name: What to call it.
        estimator: Fitted on crops of the same template.
        template: How faces are aligned: a name of `mien.faces.TEMPLATES`.
        histograms: Whether its vectors are histograms.
    """

    def __init__(
        self, name: str, estimator: Estimator, *, template: str = "arcface-112", histograms: bool = False
    ) -> None:
        self.name = name
        self.estimator = estimator
        self.template = template
        self.histograms = histograms

    @cached_property
    def dimensions(self) -> int:
        """The length of an embedding."""
        return int(self.embed_crops(self._noise()).shape[1])

    @cached_property
    def identity(self) -> str:
        """SHA-256 over its kind, its settings and what it makes of eight fixed crops of noise.

        A fitted estimator has no file to hash; its answers stand for its state.
        """
        settings = {
            "kind": type(self.estimator).__name__,
            "settings": {name: str(value) for name, value in sorted(self.estimator.get_params().items())},
            "template": self.template,
            "histograms": self.histograms,
        }
        answers = self.embed_crops(self._noise()).round(4) + np.float32(0)  # −0 becomes 0
        return hashlib.sha256(json.dumps(settings).encode() + answers.tobytes()).hexdigest()

    def embed(self, faces: Sequence[Faces]) -> list[NDArray[np.float32]]:
        """Embed the faces of several photos (which must have been kept): per photo (N, D) float32 of unit length."""
        return [
            self.embed_crops(one.crops(self.template)) if len(one) else np.zeros((0, self.dimensions), np.float32)
            for one in faces
        ]

    def embed_crops(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed aligned crops: (N, H, W, 3) uint8 to (N, D) float32 of unit length.

        Raises:
            ModelError: A crop gave a vector that has no direction, as one of a single colour does.
        """
        vectors = self.estimator.transform(crops)
        if self.histograms:
            vectors = np.sqrt(vectors)
        hint = "Look at the crop: one of a single colour has nothing to compare."
        return unit_embeddings(vectors, self.name, hint)

    @staticmethod
    def _noise() -> NDArray[np.uint8]:
        return np.random.default_rng(0).integers(0, 256, (8, 112, 112, 3), np.uint8)
