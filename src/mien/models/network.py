"""What a runtime makes of an ONNX graph."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Network(Protocol):
    """A graph that a runtime has compiled. It is shared, and several threads may call it at once.

    Attributes:
        runtime: "onnxruntime" or "openvino".
        input_shape: The input's shape, None where a dimension is free.
    """

    runtime: str
    input_shape: tuple[int | None, ...]

    def __call__(self, batch: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Run the graph, in as many rounds as suit it: all of its outputs by name, with a row for each of the batch."""
        ...
