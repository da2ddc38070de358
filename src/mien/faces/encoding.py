"""Turning aligned faces into embeddings: what the card of an encoder says is done to a crop before and after."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelCardError, ModelError
from mien.faces.alignment import TEMPLATES
from mien.faces.faces import Faces
from mien.faces.quality import sharpness_and_noise
from mien.models import ModelCard, Runner, load_card, open_model

BATCH = 16
"""Crops that are prepared at once, which bounds memory; the runner cuts them into the batches it is fastest with."""


class Encoder(Protocol):
    """Anything that turns the faces of photos into embeddings."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def identity(self) -> str:
        """SHA-256 over all that an embedding depends on."""
        ...

    @property
    def dimensions(self) -> int:
        """The length of an embedding."""
        ...

    def embed(self, faces: Sequence[Faces]) -> list[NDArray[np.float32]]:
        """Embed the faces of several photos (which must have been kept): per photo (N, D) float32 of unit length."""
        ...


@dataclass(frozen=True)
class NetworkEncoder:
    """One network with one alignment."""

    runner: Runner
    name: str
    identity: str
    dimensions: int

    def embed(self, faces: Sequence[Faces]) -> list[NDArray[np.float32]]:
        """See `Encoder.embed`."""
        crops = [one.crops(self.runner.card.input.template) for one in faces]
        ends = np.cumsum([len(c) for c in crops])[:-1]
        return np.split(self.embed_crops(np.concatenate(crops)), ends) if crops else []

    def embed_crops(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed aligned crops.

        Args:
            crops: (N, H, W, 3) uint8 RGB, aligned to the card's template and of its size.

        Returns:
            (N, D) float32 of unit length.

        Raises:
            ModelError: The network gave something that is not a finite, non-zero vector.
        """
        parts = [self._embed_batch(crops[i : i + BATCH]) for i in range(0, len(crops), BATCH)]
        return np.concatenate(parts) if parts else np.zeros((0, self.dimensions), np.float32)

    def _embed_batch(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        card = self.runner.card
        pictures = crops if card.input.colour == "rgb" else crops[..., ::-1]
        batch = pictures.transpose(0, 3, 1, 2).astype(np.float32, order="C")
        mean = np.asarray(card.input.mean, np.float32).reshape(1, -1, 1, 1)
        scale = np.asarray(card.input.scale, np.float32).reshape(1, -1, 1, 1)
        if mean.any():
            batch -= mean
        if (scale != 1).any():
            batch *= scale
        vectors = self.runner.run(batch)[card.output.name]
        if card.input.flip:
            vectors = vectors + self.runner.run(np.ascontiguousarray(batch[..., ::-1]))[card.output.name]
        hint = "Check the mean and scale of its card, and the precision it runs in."
        embeddings = unit_embeddings(vectors, self.name, hint)
        if card.output.centre is not None:
            embeddings = unit_embeddings(embeddings - np.asarray(card.output.centre, np.float32), self.name, hint)
        return embeddings


def unit_embeddings(vectors: NDArray[np.float32], encoder: str, hint: str) -> NDArray[np.float32]:
    """(N, D) float32: what an encoder gave, each row of unit length.

    Raises:
        ModelError: A row is zero or not finite; `hint` says what to do then.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise ModelError(
            f"The encoder {encoder} gave an embedding that is zero or not a number.", hint=hint, code="model.not-finite"
        )
    return np.asarray(vectors / lengths, np.float32)


@dataclass(frozen=True)
class FusedEncoder:
    """Several encoders as one: the cosine of two fused embeddings is the weighted sum of their cosines.

    With weights w that sum to one, the embeddings √w₁·e₁, √w₂·e₂, … are joined end to end.
    """

    members: tuple[tuple[Encoder, float], ...]
    name: str
    identity: str
    dimensions: int

    def embed(self, faces: Sequence[Faces]) -> list[NDArray[np.float32]]:
        """See `Encoder.embed`."""
        parts = [[np.sqrt(np.float32(weight)) * e for e in encoder.embed(faces)] for encoder, weight in self.members]
        return [np.concatenate(of_one_photo, axis=1) for of_one_photo in zip(*parts, strict=True)]


def open_encoder(
    card: str | ModelCard = "sface", *, flip: bool | None = None, runtime: str = "auto", precision: str = "f32"
) -> Encoder:
    """Load an encoder by its card.

    Args:
        card: A shipped card's name, the path of a card (TOML), or a card.
        flip: Whether an embedding is the sum of the crop's and its mirror image's (twice the work); None: as the
            card says.
        runtime: ``"onnxruntime"``, ``"openvino"``, or ``"auto"``: OpenVINO where it is installed.
        precision: ``"f32"``, or ``"bf16"`` where the runtime has it; part of the encoder's identity.

    Raises:
        ModelError: The card or the weights are missing, altered or unusable.
        MissingExtraError: The runtime or the weights come with an extra that is not installed.
    """
    if not isinstance(card, ModelCard):
        card = load_card(card)
    card.require_task("encoder")
    if flip is not None:
        card = card.with_flip(flip)
    identity = card.identity(precision)
    if card.members:
        opened = tuple(
            (open_encoder(member, runtime=runtime, precision=precision), weight) for member, weight in card.members
        )
        return FusedEncoder(opened, card.name, identity, card.output.dimensions)
    if card.input.template not in TEMPLATES:
        raise ModelCardError(
            f"The card of {card.name} aligns faces to the template {card.input.template!r}, which there is not.",
            hint=f"There are: {', '.join(TEMPLATES)}.",
        )
    if card.input.size != (size := TEMPLATES[card.input.template][0]):
        raise ModelCardError(
            f"The card of {card.name} says that crops are {card.input.size} (width, height), and those aligned to "
            f"{card.input.template} are {size}.",
            hint="Correct its size or its template.",
        )
    return NetworkEncoder(
        open_model(card, runtime=runtime, precision=precision), card.name, identity, card.output.dimensions
    )


def with_embeddings(faces: Sequence[Faces], encoder: Encoder) -> list[Faces]:
    """The same faces with their embeddings, computed in batches across photos, and their sharpness and noise."""
    found = [i for i, one in enumerate(faces) if len(one)]
    nothing = np.zeros((0, encoder.dimensions), np.float32)
    done = [one if len(one) else replace(one, embeddings=nothing) for one in faces]
    for i, embeddings in zip(found, encoder.embed([faces[i] for i in found]), strict=True):
        sharpness, noise = sharpness_and_noise(faces[i].crops())
        done[i] = replace(faces[i], embeddings=embeddings, sharpness=sharpness, noise=noise)
    return done
