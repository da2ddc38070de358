"""The forms in which a network is exported, each with its card and with what was measured of it."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import TrainingError
from mien.faces import open_encoder
from mien.faces.encoding import NetworkEncoder
from mien.models import ModelCard, load_card
from mien.training.exporting.card_text import write_card
from mien.training.exporting.int8_graph import to_int8
from mien.training.exporting.onnx_graph import OPSET
from mien.training.exporting.parity import Parity
from mien.whole_files import written_whole

LARGEST_DIFFERENCE = 1e-4
"""Between a number of an embedding of the trained network and of its graph; more is refused."""
LEAST_COSINE = 0.99
"""Between the embeddings of a graph and of its form in whole numbers, in the median; less is refused."""


@dataclass(frozen=True)
class ExportedEncoder:
    """One form of the network, ready to use.

    Attributes:
        file: The card; the weights lie beside it.
        card: What it says.
        precision: ``"f32"`` or ``"int8"``.
        parity: Of ``"f32"`` with the trained network, of ``"int8"`` with ``"f32"``.
    """

    file: Path
    card: ModelCard
    precision: str
    parity: Parity

    def to_dict(self) -> dict[str, Any]:
        """The export as JSON-ready data."""
        return {
            "card": str(self.file),
            "weights": str(self.file.parent / self.card.file),
            "identity": self.card.identity(),
            "precision": self.precision,
            "bytes": self.card.size_bytes,
            "parity": vars(self.parity),
        }

    def describe(self) -> str:
        """The export in a line."""
        if self.precision == "int8":
            near = f"cosine with float32 {self.parity.median_cosine:.4f} in the median"
        else:
            near = f"embeddings as the network's up to {self.parity.difference:.1g}"
        return f"{self.file}: {self.precision}, {self.card.size_bytes / 1e6:.1f} MB, {near}"


def float_form(
    draft: ModelCard, graph: bytes, folder: Path, crops: NDArray[np.uint8], expected: NDArray[np.float32]
) -> ExportedEncoder:
    """Write the graph and its card to a folder, and compare it with what the network itself makes of the crops.

    Raises:
        TrainingError: They differ by more than `LARGEST_DIFFERENCE`.
    """
    card = _with_weights(draft, graph, folder)
    parity = Parity.of(expected, _embed(card, crops))
    if not parity.difference <= LARGEST_DIFFERENCE:
        raise TrainingError(
            f"The graph of {draft.name} gives other embeddings than the network: numbers differ by up to "
            f"{parity.difference:.1g} on {parity.crops} crops.",
            hint="Look for what its forward does otherwise in training and evaluation, or draws at random.",
            code="training.export",
        )
    measured = (
        f"The float32 graph (ONNX, opset {OPSET}) against the trained network: numbers of the embeddings differ by at "
        f"most {parity.difference:.1g} on {parity.crops} crops."
    )
    return _finished(card, folder, "f32", parity, measured)


def int8_form(draft: ModelCard, graph: bytes, folder: Path, crops: NDArray[np.uint8]) -> ExportedEncoder:
    """Quantise the graph by half of the crops, write it and its card, and compare it on the other half.

    Raises:
        TrainingError: The median cosine with the float form, which lies in the folder, is under `LEAST_COSINE`.
    """
    calibrating, comparing = crops[::2], crops[1::2]
    small = replace(draft, name=f"{draft.name}-int8", title=f"{draft.title}, in whole numbers of 8 bits")
    card = _with_weights(small, to_int8(graph, calibrating), folder)
    whole = load_card(folder / f"{draft.name}.toml")
    parity = Parity.of(_embed(whole, comparing), _embed(card, comparing))
    if not parity.median_cosine >= LEAST_COSINE:
        raise TrainingError(
            f"In whole numbers of 8 bits {draft.name} is too far from itself: the median cosine between a crop's "
            f"embeddings is {parity.median_cosine:.4f}, and {LEAST_COSINE} is the least.",
            hint="Calibrate with crops like those it will see, or export it without int8.",
            code="training.export",
        )
    measured = (
        f"In int8 (ONNX, opset {OPSET}, calibrated with {len(calibrating)} crops) against float32: the cosine between "
        f"a crop's embeddings is {parity.median_cosine:.4f} in the median and at least {parity.least_cosine:.4f} on "
        f"{parity.crops} other crops; what else is stated was measured in float32."
    )
    return _finished(card, folder, "int8", parity, measured)


def _with_weights(draft: ModelCard, graph: bytes, folder: Path) -> ModelCard:
    """Write weights and card; the card as it is read again."""
    card = replace(draft, file=f"{draft.name}.onnx", sha256=hashlib.sha256(graph).hexdigest(), size_bytes=len(graph))
    with written_whole(folder / card.file) as partial:
        partial.write_bytes(graph)
    write_card(card, folder / f"{card.name}.toml")
    return load_card(folder / f"{card.name}.toml")


def _finished(card: ModelCard, folder: Path, precision: str, parity: Parity, measured: str) -> ExportedEncoder:
    file = folder / f"{card.name}.toml"
    write_card(replace(card, figures=f"{card.figures} {measured}".strip()), file)
    return ExportedEncoder(file, load_card(file), precision, parity)


def _embed(card: ModelCard, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    encoder = open_encoder(card, runtime="onnxruntime")
    assert isinstance(encoder, NetworkEncoder)
    return encoder.embed_crops(crops)
