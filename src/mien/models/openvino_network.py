"""Runs a graph with OpenVINO on the processor (extra ``openvino``)."""

import os
import sys
from queue import Empty, SimpleQueue
from types import ModuleType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelError


class OpenvinoNetwork:
    """See `mien.models.network.Network`.

    OpenVINO computes in bfloat16 where the processor has it unless told otherwise, so the precision is always told.
    There are as many streams as fit the processor, each with its own threads, and each call borrows an inference
    request for as long as it runs: callers on several threads then run side by side.

    Args:
        graph: A serialised ONNX model.
        precision: "f32" or "bf16".
        threads: How many threads one run may use.

    Raises:
        ModelError: The processor can't compute in `precision`.
    """

    runtime = "openvino"

    def __init__(self, graph: bytes, precision: str, threads: int) -> None:
        # At its import OpenVINO reports to its makers through this package, unless there is none.
        sys.modules.setdefault("openvino_telemetry", cast(ModuleType, None))
        import openvino

        streams = max(1, (os.cpu_count() or 1) // threads)
        core = openvino.Core()
        model = core.read_model(graph)
        self._outputs = [output.any_name for output in model.outputs]  # compiled ones may go by an inner name
        self._compiled = core.compile_model(
            model,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": precision,
                "NUM_STREAMS": str(streams),
                "INFERENCE_NUM_THREADS": streams * threads,
                "ENABLE_CPU_PINNING": False,  # several processes of ours would be pinned to the same cores
            },
        )
        if self._compiled.get_property("INFERENCE_PRECISION_HINT").to_string() != precision:
            raise ModelError(
                f"This processor can't compute in {precision}.",
                hint="Leave the precision at f32.",
                code="model.precision",
            )
        # The first tensor of a process looks NumPy up. Two threads that do so at once wait for each other for ever.
        openvino.Tensor(np.zeros(1, np.float32), shared_memory=True)
        self._idle: SimpleQueue[Any] = SimpleQueue()
        shape = self._compiled.input(0).partial_shape
        self.input_shape = tuple(side.get_length() if side.is_static else None for side in shape)

    def __call__(self, batch: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """See `Network`."""
        rows = self.input_shape[0] or len(batch)
        parts = [self._run(batch[i : i + rows]) for i in range(0, len(batch), rows)]
        return {name: np.concatenate([part[i] for part in parts]) for i, name in enumerate(self._outputs)}

    def _run(self, batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        try:
            request = self._idle.get_nowait()
        except Empty:
            request = self._compiled.create_infer_request()
        try:
            request.infer({0: np.ascontiguousarray(batch)}, share_inputs=True)
            return [request.get_output_tensor(i).data.copy() for i in range(len(self._outputs))]
        finally:
            self._idle.put(request)
