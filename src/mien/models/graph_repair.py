"""Makes an ONNX graph what a runtime can run, and run fast, without changing what it computes.

The published YuNet and SFace files can't be run as they stand: their weights are block-quantised in a form that
onnxruntime refuses, SFace lists its weights as inputs that the caller must give, and both have a batch of one.
Each function below mends one of these in place. All of them are exact up to float32 rounding.
"""

import numpy as np
import onnx

from mien.models.graph_edit import Weights, attribute, is_output, readers
from mien.models.graph_prelu import rewrite_prelu


def repair(data: bytes, *, any_batch: bool = True, any_size: bool = False, fast_prelu: bool = False) -> bytes:
    """Apply every repair to a serialised ONNX model.

    Args:
        data: The file's bytes.
        any_batch: Free the batch; not every graph can take that.
        any_size: Free the input's height and width too; for networks that are convolutional up to their outputs.
        fast_prelu: Rewrite PRelu for runtimes that are slow at it.

    Returns:
        The bytes of a model whose weights are float and constant.
    """
    model = onnx.load_model_from_string(data)
    graph = model.graph
    weights_as_constants(graph)
    dequantise(graph)
    fold_batch_normalisation(graph)
    if fast_prelu:
        rewrite_prelu(graph)
    if any_batch:
        free_input(graph, any_size=any_size)
    drop_unused(graph)
    result: bytes = model.SerializeToString()
    return result


def weights_as_constants(graph: onnx.GraphProto) -> None:
    """Take out of the list of inputs what the file itself holds, and what no node reads."""
    made = {tensor.name for tensor in graph.initializer}
    read = {name for node in graph.node for name in node.input}
    kept = [value for value in graph.input if value.name in read - made]
    del graph.input[:]
    graph.input.extend(kept)


def dequantise(graph: onnx.GraphProto) -> None:
    """Replace block-quantised weights, and the reshapes that follow them, by the float weights that they stand for."""
    weights = Weights(graph)
    for node in list(graph.node):
        if node.op_type == "DequantizeLinear" and attribute(node, "block_size", 0) and weights.hold(node.input):
            axis, block = int(attribute(node, "axis", 1)), int(attribute(node, "block_size", 0))
            quantised, *scale_and_zero = (weights[name].astype(np.float32) for name in node.input)
            length = range(quantised.shape[axis])
            scale, *zero = (np.repeat(each, block, axis).take(length, axis) for each in scale_and_zero)
            weights[node.output[0]] = (quantised - zero[0] if zero else quantised) * scale
            graph.node.remove(node)
        elif node.op_type == "Reshape" and weights.hold(node.input):
            data, target = weights[node.input[0]], weights[node.input[1]]
            if not attribute(node, "allowzero", 0):  # then a 0 says: as in the input
                target = np.array([size or data.shape[at] for at, size in enumerate(target)], np.int64)
            weights[node.output[0]] = data.reshape(target)
            graph.node.remove(node)


def fold_batch_normalisation(graph: onnx.GraphProto) -> None:
    """Merge each BatchNormalization into the Conv or Gemm before it, where that one feeds nothing else."""
    weights = Weights(graph)
    makers = {name: node for node in graph.node for name in node.output}
    for norm in [node for node in graph.node if node.op_type == "BatchNormalization"]:
        maker = makers.get(norm.input[0])
        if (
            maker is None
            or not _is_plain(maker)
            or is_output(graph, norm.input[0])
            or len(readers(graph, norm.input[0])) != 1
            or not weights.hold([*maker.input[1:], *norm.input[1:]])
        ):
            continue
        gain, shift, mean, variance = (weights[name].astype(np.float64) for name in norm.input[1:5])
        gain = gain / np.sqrt(variance + attribute(norm, "epsilon", 1e-5))
        weight = weights[maker.input[1]].astype(np.float64)
        bias = weights[maker.input[2]].astype(np.float64) if len(maker.input) > 2 else np.zeros(len(gain))
        merged = norm.output[0]
        weights[f"{merged}.weight"] = (weight * gain.reshape(-1, *[1] * (weight.ndim - 1))).astype(np.float32)
        weights[f"{merged}.bias"] = ((bias - mean) * gain + shift).astype(np.float32)
        del maker.input[1:], maker.output[:]
        maker.input.extend([f"{merged}.weight", f"{merged}.bias"])
        maker.output.append(merged)
        makers[merged] = maker
        graph.node.remove(norm)


def free_input(graph: onnx.GraphProto, *, any_size: bool) -> None:
    """Free the batch of inputs and outputs, and with `any_size` the input's height and width.

    A Reshape whose constant target starts with a 1 for the batch gets a 0 there: "as many as come in".
    """
    weights = Weights(graph)
    for node in graph.node:
        if node.op_type == "Reshape" and weights.hold(node.input[1:]) and not weights.hold(node.input[:1]):
            target = weights[node.input[1]]
            if len(target) > 1 and target[0] == 1:
                weights[f"{node.output[0]}.target"] = np.array([0, *target[1:]], np.int64)
                node.input[1] = f"{node.output[0]}.target"
    free = ["batch", None, "height", "width"] if any_size else ["batch"]
    for value in graph.input:
        for dimension, name in zip(value.type.tensor_type.shape.dim, free, strict=False):
            if name:
                dimension.dim_param = name
    for value in graph.output:
        for at, dimension in enumerate(value.type.tensor_type.shape.dim):
            if at == 0:
                dimension.dim_param = "batch"
            elif any_size and at == 1:
                dimension.dim_param = f"{value.name}_places"
    del graph.value_info[:]  # written for the old sizes


def drop_unused(graph: onnx.GraphProto) -> None:
    """Drop initializers that no node reads."""
    used = {name for node in graph.node for name in node.input} | {value.name for value in graph.output}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _is_plain(node: onnx.NodeProto) -> bool:
    if node.op_type == "Conv":
        return True
    return node.op_type == "Gemm" and (
        attribute(node, "alpha", 1.0) == attribute(node, "beta", 1.0) == attribute(node, "transB", 0) == 1
    )
