"""Runs a graph with onnxruntime on the processor."""

import numpy as np
import onnxruntime
from numpy.typing import NDArray

# Where somebody imported onnxruntime before mien, which sets ORT_DISABLE_TELEMETRY: this turns off the most of it.
onnxruntime.disable_telemetry_events()

ROWS = 4
"""Rows of a batch that are run at a time: what four 112×112 crops need fits the processor's nearer caches. Measured on
SFace, on one thread: 1, 2 or 4 rows 56 faces/s, 8 rows 50, 16 rows 48."""


class OnnxruntimeNetwork:
    """See `mien.models.network.Network`.

    Args:
        graph: A serialised ONNX model.
        threads: How many threads one run may use.

    Raises:
        ValueError: It doesn't take one float32 array.
    """

    runtime = "onnxruntime"

    def __init__(self, graph: bytes, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads must not burn a core
        options.log_severity_level = 4  # what is fatal is raised; the rest is not the user's
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        given = self._session.get_inputs()
        if [each.type for each in given] != ["tensor(float)"]:
            raise ValueError(
                f"it takes {', '.join(f'{each.name} {each.type}' for each in given)}, not one tensor(float)"
            )
        self._input = given[0].name
        self._outputs = [output.name for output in self._session.get_outputs()]
        self.input_shape = tuple(side if isinstance(side, int) else None for side in given[0].shape)

    def __call__(self, batch: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """See `Network`."""
        rows = self.input_shape[0] or ROWS
        parts = [
            self._session.run(self._outputs, {self._input: batch[i : i + rows]}) for i in range(0, len(batch), rows)
        ]
        return {name: np.concatenate([part[i] for part in parts]) for i, name in enumerate(self._outputs)}
