"""What a network is: its file, its sources, its licence, and the contract of what goes in and comes out."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mien.errors import ModelError

Task = Literal["detector", "encoder", "liveness", "quality"]
Colour = Literal["rgb", "bgr"]


@dataclass(frozen=True, slots=True)
class InputContract:
    """What a network wants to be given.

    Attributes:
        size: Width and height in pixels; None where any size whose sides are multiples of `multiple` will do.
        colour: Order of the three channels.
        mean: Subtracted from each channel of an image of values 0 … 255 (in the order of `colour`).
        scale: Each channel is multiplied by it after that: x' = (x − mean) · scale.
        template: Where the five landmarks lie in the crop, by name ("arcface-112"); "" where nothing is aligned.
        flip: The embedding is the sum of the crop's and of its mirror image's, brought to unit length.
        multiple: What the sides are multiples of, where `size` is None.
    """

    size: tuple[int, int] | None
    colour: Colour
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    template: str = ""
    flip: bool = False
    multiple: int = 1


@dataclass(frozen=True, slots=True)
class OutputContract:
    """What an encoder gives back; empty for the other tasks, whose outputs their own decoder knows.

    Attributes:
        name: The graph's output that is the embedding.
        dimensions: The embedding's length.
        centre: Mean embedding, subtracted after the embedding is brought to unit length and before that is done again.
    """

    name: str = ""
    dimensions: int = 0
    centre: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class PackageSource:
    """A file inside an installed distribution, which is never imported.

    Attributes:
        distribution: Its name in the Python registry.
        version: The version that is known to carry the file.
        path: The file below site-packages, with forward slashes.
        extra: The extra of mien that installs it; "" if mien always does.
    """

    distribution: str
    version: str
    path: str
    extra: str = ""


@dataclass(frozen=True, slots=True)
class UrlSource:
    """A file on the web, read only when it is asked for by `fetch`."""

    url: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One network, or a fusion of several.

    Attributes:
        name: Short name, as in ``--encoder sface``.
        title: What it is, as a line to read.
        task: What it is for.
        licence: The licence of the weights, as an SPDX expression or a sentence.
        file: Name of the file of weights; "" for a fusion.
        sha256: Hash of that file, in lower-case hex.
        size_bytes: Its size.
        format: How the file is written: "onnx", or "dlib" for dlib's own serialisation of its ResNet.
        sources: Where the file may be, in the order in which they are tried.
        input: What goes in; for a fusion, the first member's.
        output: What comes out.
        members: For a fusion, each encoder and its weight w (they sum to 1): the fused embedding is the members'
            embeddings e, each times √w, one after the other, so that its cosine is Σ w·cos.
        training: What it was trained on.
        figures: Published figures, with who published them.
        limits: What is known not to work.
        path: The card's own file, if it isn't one of mien's; its `file` may lie beside it.
    """

    name: str
    title: str
    task: Task
    licence: str
    input: InputContract
    output: OutputContract = OutputContract()
    file: str = ""
    sha256: str = ""
    size_bytes: int = 0
    format: Literal["onnx", "dlib"] = "onnx"
    sources: tuple[PackageSource | UrlSource, ...] = ()
    members: "tuple[tuple[ModelCard, float], ...]" = ()
    training: str = ""
    figures: str = ""
    limits: str = ""
    path: Path | None = field(default=None, compare=False)

    @property
    def folder(self) -> Path | None:
        """Where the card was read, if it isn't one of mien's own."""
        return self.path.parent if self.path else None

    def require_task(self, task: Task) -> None:
        """Raise `ModelError` if the model is for anything else."""
        if self.task != task:
            raise ModelError(
                f"{self.name} is no {task}: its card says {self.task}.",
                hint="`mien models list` shows what there is.",
                code="model.wrong-task",
            )

    def identity(self, precision: str = "f32") -> str:
        """What its numbers depend on, as a SHA-256 in hex: equal identities give comparable embeddings.

        It covers the weights, the input and output contracts and the precision; for a fusion, the members' identities
        and weights. It does not cover the card's words, or where the file was found.
        """
        if self.members:
            content: object = {"members": [[card.identity(precision), weight] for card, weight in self.members]}
        else:
            content = {
                "weights": self.sha256,
                "input": dataclasses.asdict(self.input),
                "output": dataclasses.asdict(self.output),
                "precision": precision,
            }
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def with_flip(self, flip: bool) -> "ModelCard":
        """The same card (for a fusion, with each of its members) with the mirror image added, or not."""
        return dataclasses.replace(
            self,
            input=dataclasses.replace(self.input, flip=flip),
            members=tuple((card.with_flip(flip), weight) for card, weight in self.members),
        )
