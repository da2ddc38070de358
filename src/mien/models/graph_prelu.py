"""Writes PRelu in operations that onnxruntime runs fast on a processor.

onnxruntime keeps the channels of convolutions in blocks that fit the processor's registers, but has no PRelu for that
layout: around each PRelu it unpacks and repacks the channels. Measured on SFace, that is half of the time.

With slope a per channel, PRelu(x) = a·x + (1 − a)·Relu(x). After a convolution this can be had with less: let the
convolution give w = −x (its weights and bias negated). Then −PRelu(x) = w − (1 − a)·Relu(w), since for x ≥ 0 both are
−x, and for x < 0 both are −a·x. The product with −(1 − a) is a 1×1 convolution of each channel with itself, into which
onnxruntime merges the sum with w; and whoever reads the result takes it with the opposite sign in its own weights.
"""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.helper import make_node

from mien.models.graph_edit import Weights, is_output, readers


def rewrite_prelu(graph: onnx.GraphProto) -> None:
    """Replace each PRelu whose slope is a constant, exactly up to float32 rounding."""
    weights = Weights(graph)
    makers = {name: node for node in graph.node for name in node.output}
    for node in [node for node in graph.node if node.op_type == "PRelu" and weights.hold(node.input[1:])]:
        x, y = node.input[0], node.output[0]
        slope = weights[node.input[1]].astype(np.float64)
        maker = makers.get(x)
        taking = readers(graph, y)
        if (
            maker is not None
            and _channels(maker, weights) == slope.size
            and readers(graph, x) == [node]
            and not is_output(graph, x)
            and not is_output(graph, y)
            and all(_can_negate(reader, y, weights) for reader in taking)
        ):
            _negate_result(maker, weights)
            for reader in taking:
                _negate_argument(reader, weights)
            parts = _negated(x, y, slope, weights)
        else:
            parts = _plain(x, y, slope, weights)
        at = list(graph.node).index(node)
        del graph.node[at]
        for part in reversed(parts):
            graph.node.insert(at, part)


def _negated(x: str, y: str, slope: NDArray[np.float64], weights: Weights) -> list[onnx.NodeProto]:
    weights[f"{y}.rest"] = (slope - 1).astype(np.float32).reshape(-1, 1, 1, 1)
    return [
        make_node("Relu", [x], [f"{y}.relu"]),
        make_node("Conv", [f"{y}.relu", f"{y}.rest"], [f"{y}.bent"], group=slope.size, kernel_shape=[1, 1]),
        make_node("Add", [f"{y}.bent", x], [y]),
    ]


def _plain(x: str, y: str, slope: NDArray[np.float64], weights: Weights) -> list[onnx.NodeProto]:
    weights[f"{y}.slope"] = slope.astype(np.float32)
    weights[f"{y}.rest"] = (1 - slope).astype(np.float32)
    return [
        make_node("Mul", [x, f"{y}.slope"], [f"{y}.linear"]),
        make_node("Relu", [x], [f"{y}.relu"]),
        make_node("Mul", [f"{y}.relu", f"{y}.rest"], [f"{y}.positive"]),
        make_node("Add", [f"{y}.linear", f"{y}.positive"], [y]),
    ]


def _channels(maker: onnx.NodeProto, weights: Weights) -> int:
    """How many channels a convolution over images with constant weights gives; 0 for any other node."""
    if maker.op_type != "Conv" or not weights.hold(maker.input[1:]) or weights[maker.input[1]].ndim != 4:
        return 0
    return len(weights[maker.input[1]])


def _can_negate(reader: onnx.NodeProto, name: str, weights: Weights) -> bool:
    once = reader.input[0] == name and list(reader.input).count(name) == 1
    return once and reader.op_type in ("Conv", "BatchNormalization") and weights.hold(reader.input[1:])


def _negate_result(maker: onnx.NodeProto, weights: Weights) -> None:
    for at in range(1, len(maker.input)):
        _negate(maker, at, weights)


def _negate_argument(reader: onnx.NodeProto, weights: Weights) -> None:
    """Negate the weights of a Conv; the scale and the mean of a BatchNormalization."""
    for at in (1,) if reader.op_type == "Conv" else (1, 3):
        _negate(reader, at, weights)


def _negate(node: onnx.NodeProto, at: int, weights: Weights) -> None:
    name = f"{node.output[0]}.negated{at}"
    weights[name] = -weights[node.input[at]]
    node.input[at] = name
