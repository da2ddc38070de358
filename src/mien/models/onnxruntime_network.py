"""Runs a graph with onnxruntime on the processor."""

import numpy as np
import onnxruntime
from numpy.typing import NDArray


class OnnxruntimeNetwork:
    """See `mien.models.network.Network`.

    Args:
        graph: A serialised ONNX model.
        threads: How many threads one run may use.
    """

    runtime = "onnxruntime"

    def __init__(self, graph: bytes, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads must not burn a core
        options.log_severity_level = 4  # what is fatal is raised; the rest is not the user's
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        [given] = self._session.get_inputs()
        self._input = given.name
        self._outputs = [output.name for output in self._session.get_outputs()]
        self.input_shape = tuple(side if isinstance(side, int) else None for side in given.shape)

    def __call__(self, batch: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """See `Network`."""
        return dict(zip(self._outputs, self._session.run(self._outputs, {self._input: batch}), strict=True))
