"""Small networks for the tests of models, with cards for them."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info

from mien.models import InputContract, ModelCard, OutputContract


def model(
    nodes: list[onnx.NodeProto],
    weights: dict[str, NDArray[np.generic]],
    *,
    output: str,
    given: tuple[int | str, ...] = (1, 3, 8, 8),
    gives: tuple[int | str, ...] | None = None,
    kind: int = TensorProto.FLOAT,
) -> bytes:
    """A serialised model with one input "x"."""
    graph = make_graph(
        nodes,
        "small",
        [make_tensor_value_info("x", kind, given)],
        [make_tensor_value_info(output, TensorProto.FLOAT, gives)],
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in weights.items()],
    )
    data: bytes = make_model(graph, opset_imports=[make_opsetid("", 21)], ir_version=10).SerializeToString()
    return data


def projection(
    dimensions: int = 4,
    *,
    reshape: tuple[int, ...] = (1, -1),
    given: tuple[int | str, ...] = (1, 3, 8, 8),
    kind: int = TensorProto.FLOAT,
) -> bytes:
    """An encoder of 8×8 crops that flattens them with a Reshape and multiplies by a matrix."""
    weights = np.random.default_rng(0).normal(size=(192, dimensions)).astype(np.float32)
    nodes = [make_node("Reshape", ["x", "shape"], ["flat"]), make_node("MatMul", ["flat", "weights"], ["y"])]
    constants: dict[str, NDArray[np.generic]] = {"shape": np.array(reshape, np.int64), "weights": weights}
    return model(nodes, constants, output="y", gives=(1, dimensions), given=given, kind=kind)


def encoder_card(folder: Path, data: bytes, *, dimensions: int = 4, size: tuple[int, int] = (8, 8)) -> ModelCard:
    """The card of an encoder whose file lies in `folder`."""
    (folder / "small.onnx").write_bytes(data)
    return ModelCard(
        name="small",
        title="small",
        task="encoder",
        licence="none",
        file="small.onnx",
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        input=InputContract(size, "rgb", template="arcface-112"),
        output=OutputContract("y", dimensions),
        path=folder / "small.toml",
    )
