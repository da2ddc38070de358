"""The few things that every change of an ONNX graph needs: its constants, its attributes, who reads what."""

from collections.abc import Iterable

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper


class Weights:
    """The constants of a graph as arrays, by name."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._graph = graph
        self._tensors = {tensor.name: tensor for tensor in graph.initializer}

    def hold(self, names: Iterable[str]) -> bool:
        """Whether every one of `names` is a constant."""
        return all(name in self._tensors for name in names)

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        return numpy_helper.to_array(self._tensors[name])

    def __setitem__(self, name: str, value: NDArray[np.float32]) -> None:
        tensor = numpy_helper.from_array(np.ascontiguousarray(value), name)
        if name in self._tensors:
            self._tensors[name].CopyFrom(tensor)
        else:
            self._graph.initializer.append(tensor)
            self._tensors[name] = self._graph.initializer[-1]


def attribute(node: onnx.NodeProto, name: str, default: float) -> float:
    """A number among a node's attributes."""
    return next((float(onnx.helper.get_attribute_value(a)) for a in node.attribute if a.name == name), default)


def readers(graph: onnx.GraphProto, name: str) -> list[onnx.NodeProto]:
    """The nodes that read `name`."""
    return [node for node in graph.node if name in node.input]


def is_output(graph: onnx.GraphProto, name: str) -> bool:
    """Whether `name` is an output of the graph."""
    return any(value.name == name for value in graph.output)
