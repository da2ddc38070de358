"""What a runtime makes of an ONNX graph."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.models.card import ModelCard


class Network(Protocol):
    """A graph that a runtime has compiled. It is shared, and several threads may call it at once.

    Attributes:
        runtime: "onnxruntime" or "openvino".
        input_shape: The input's shape, None where a dimension is free.
    """

    runtime: str
    input_shape: tuple[int | None, ...]

    def __call__(self, batch: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Run the graph: all of its outputs by name."""
        ...


def unusable(card: ModelCard, problem: object) -> str:
    """The sentence for a file that a runtime can't make a network of."""
    first_line = str(problem).strip().splitlines()[0] if str(problem).strip() else type(problem).__name__
    return f"{card.file}, the weights of {card.name!r}, can't be loaded as a network: {first_line}"
