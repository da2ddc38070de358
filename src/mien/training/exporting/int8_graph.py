"""An ONNX graph in whole numbers of eight bits, which processors compute several times faster."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from mien.training.exporting.full_crops import SHRINK_COLUMNS, SHRINK_ROWS
from mien.training.exporting.onnx_graph import INPUT
from mien.training.exporting.quiet import quietly

BATCH = 16


def to_int8(graph: bytes, crops: NDArray[np.uint8]) -> bytes:
    """Quantise a graph by the range that each of its values has on some crops (static quantisation).

    Weights get a scale for each channel and 7 bits: with 8, processors without VNNI add up products in 16 bits, where
    they can overflow, and would give other embeddings than those with it. Values between layers get 8 bits; what
    shrinks the crops, and the embedding where a matrix gives it, stay float. The graph is written in pairs of
    QuantizeLinear and DequantizeLinear, which any runtime can run, fast or not.

    Args:
        graph: What `to_onnx` gives.
        crops: (N, 112, 112, 3) uint8, faces like those it will see; 32 are enough.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder, quietly():
        given, known, made = (Path(folder) / f"{name}.onnx" for name in ("given", "known", "made"))
        given.write_bytes(graph)
        quant_pre_process(str(given), str(known), skip_optimization=True, skip_symbolic_shape=True)
        quantize_static(
            str(known),
            str(made),
            _Crops(crops),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=_nodes_that_shrink(graph),
            extra_options={"OpTypesToExcludeOutputQuantization": ["Gemm"]},
        )
        return made.read_bytes()


def as_graph_input(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, H, W, 3) uint8 crops as graphs take them: (N, 3, H, W) float32, (pixel − 127.5) / 128."""
    return (crops.transpose(0, 3, 1, 2).astype(np.float32, order="C") - np.float32(127.5)) / np.float32(128)


def _nodes_that_shrink(graph: bytes) -> list[str]:
    nodes = onnx.load_model_from_string(graph).graph.node
    return [node.name for node in nodes if {SHRINK_ROWS, SHRINK_COLUMNS} & set(node.input)]


class _Crops:
    """Batches of calibration crops, in the form in which onnxruntime asks for them."""

    def __init__(self, crops: NDArray[np.uint8]) -> None:
        self._batches = iter([crops[start : start + BATCH] for start in range(0, len(crops), BATCH)])

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self._batches, None)
        return None if batch is None else {INPUT: as_graph_input(batch)}
