"""Reads the network in dlib's ``dlib_face_recognition_resnet_model_v1.dat`` and writes it as an ONNX graph.

dlib writes a network from its input to its output, layer by layer: the name of the layer, its own fields, and then what
training left behind (three flags and three tensors, empty here). The atoms are

* an integer: a byte with the count of bytes that follow (and 128 if negative), then those bytes, lowest first;
* a number: an integer mantissa m and an integer exponent e, for m·2ᵉ;
* a string: its length as an integer, then its bytes;
* a tensor: the integer 2, four integers for its shape, then its values as little-endian float32.

The network is a ResNet with 29 convolutions (Davis King, "High Quality Face Recognition with Deep Metric Learning",
2017). Its blocks add their input, ``add_prev``; where a block halves the picture, its input goes through a 2×2 average
on the way, and the rows, columns and channels that one of the two lacks count as zero.
"""

import math
from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info

from mien.models.graph_edit import Weights

LAST = "fc_2"


def read_dlib_resnet(data: bytes) -> bytes:
    """Turn the file's bytes into a serialised ONNX model.

    Its input "image" is (N, 3, H, W) float32 with the mean subtracted and divided by 256, as the file's first layer
    wants it, and its output "descriptor" (N, D) is what dlib's ``compute_face_descriptor`` gives.

    Raises:
        ValueError: The bytes are not such a network.
    """
    reader = _Reader(data)
    height, width = reader.skip_to_input()
    graph = _Graph(height, width)
    name, first = "", True
    while name != LAST:
        name = reader.string()
        match name:
            case "con_4":
                graph.convolution(*reader.convolution())
            case "affine_":
                graph.affine(*reader.affine())
            case "relu_":
                graph.relu()
            case "max_pool_2":
                graph.max_pool(*reader.pool())
            case "avg_pool_2":
                graph.average(*reader.pool())
            case "add_prev_":
                graph.add_block_input()
            case "fc_2":
                graph.project(reader.projection())
            case _:
                raise ValueError(f"the file holds a layer that is not part of dlib's face network: {name[:40]!r}")
        reader.skip_training_state()
        if first:
            reader.integer()  # how many samples the input layer makes of a picture
            first = False
    return graph.finish()


class _Reader:
    """Takes dlib's atoms off the front of a file, and the fields of each kind of layer."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def integer(self) -> int:
        control = self._take(1)[0]
        value = int.from_bytes(self._take(control & 0x0F), "little")
        return -value if control & 0x80 else value

    def number(self) -> float:
        return math.ldexp(self.integer(), self.integer())

    def string(self) -> str:
        return self._take(self.integer()).decode("latin-1")

    def tensor(self) -> NDArray[np.float32]:
        if self.integer() != 2:
            raise ValueError("the file holds a tensor of another version of dlib")
        shape = [self.integer() for _ in range(4)]
        return np.frombuffer(self._take(4 * math.prod(shape)), "<f4").reshape(shape)

    def skip_to_input(self) -> tuple[int, int]:
        """Go past the first layer, and tell the height and width that it wants."""
        name = b"input_rgb_image_sized"
        start = self._data.find(name)
        if start < 0:
            raise ValueError("the file isn't dlib's face network: it has no input layer for pictures")
        self._at = start + len(name)
        for _ in "rgb":
            self.number()
        return self.integer(), self.integer()

    def convolution(self) -> tuple[NDArray[np.float32], NDArray[np.float32], list[int], list[int]]:
        """Weights (out, in, h, w), bias (out,), strides and padding (vertical, horizontal)."""
        values = self.tensor().ravel()
        self._skip_integers(3)  # filters, height, width: also in the shape below
        strides = [self.integer(), self.integer()]
        padding = [self.integer(), self.integer()]
        shape = self._shape()
        self._shape()  # of the bias
        for _ in range(4):
            self.number()  # rates of learning
        count = math.prod(shape)
        return values[:count].reshape(shape), values[count:], strides, padding

    def affine(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Gain and shift of each channel."""
        values = self.tensor().ravel()
        count = math.prod(self._shape())
        self._shape()
        self.integer()  # per channel, or per value
        return values[:count], values[count:]

    def pool(self) -> tuple[list[int], list[int]]:
        """Size (0, 0 for the whole picture) and strides."""
        size = [self.integer(), self.integer()]
        strides = [self.integer(), self.integer()]
        if any([self.integer(), self.integer()]):
            raise ValueError("the file holds a pooling layer with padding, which dlib's face network has not")
        return size, strides

    def projection(self) -> NDArray[np.float32]:
        """Weights (in, out) of the last layer, which has no bias."""
        outputs, inputs = self.integer(), self.integer()
        weights = self.tensor().reshape(inputs, outputs)
        self._shape()
        self._shape()
        self.integer()
        for _ in range(4):
            self.number()
        return weights

    def skip_training_state(self) -> None:
        self._take(3)
        for _ in range(3):
            self.tensor()

    def _shape(self) -> list[int]:
        self.integer()  # version
        return [self.integer() for _ in range(4)]

    def _skip_integers(self, count: int) -> None:
        for _ in range(count):
            self.integer()

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise ValueError("the file ends in the middle of a layer")
        self._at += count
        return taken


class _Graph:
    """The ONNX graph as it grows, a layer at a time."""

    def __init__(self, height: int, width: int) -> None:
        self._graph = make_graph([], "dlib_resnet", [], [])
        self._weights = Weights(self._graph)
        self._sizes: dict[str, tuple[int, ...]] = {"image": (3, height, width)}
        self._tip = self._block_input = "image"
        self._shortcut = ""

    def convolution(
        self, weights: NDArray[np.float32], bias: NDArray[np.float32], strides: list[int], padding: list[int]
    ) -> None:
        name = f"conv{len(self._graph.node)}"
        self._weights[f"{name}.weights"], self._weights[f"{name}.bias"] = weights, bias
        inputs = [self._tip, f"{name}.weights", f"{name}.bias"]
        size = self._strided(self._tip, weights.shape[2:], strides, padding)
        self._tip = self._add("Conv", inputs, (len(weights), *size), strides=strides, pads=padding * 2)

    def affine(self, gain: NDArray[np.float32], shift: NDArray[np.float32]) -> None:
        """Merge a gain and a shift into the convolution before."""
        _, weights, bias = self._graph.node[-1].input
        wide = gain.astype(np.float64)
        self._weights[weights] = (self._weights[weights] * wide.reshape(-1, 1, 1, 1)).astype(np.float32)
        self._weights[bias] = (self._weights[bias] * wide + shift).astype(np.float32)

    def relu(self) -> None:
        """The end of a block, or of the first convolution in it."""
        ends_block = self._graph.node[-1].op_type == "Add"
        self._tip = self._add("Relu", [self._tip], self._sizes[self._tip])
        if ends_block:
            self._block_input = self._tip

    def max_pool(self, window: list[int], strides: list[int]) -> None:
        size = (self._sizes[self._tip][0], *self._strided(self._tip, window, strides, [0, 0]))
        self._tip = self._add("MaxPool", [self._tip], size, kernel_shape=window, strides=strides)
        self._block_input = self._tip

    def average(self, window: list[int], strides: list[int]) -> None:
        """The average over the whole picture, or the 2×2 average on a block's way around.

        The latter is written as a convolution, which also makes the channels that the block's input lacks.
        """
        if window == [0, 0]:
            channels = self._sizes[self._tip][0]
            mean = self._add("GlobalAveragePool", [self._tip], (channels, 1, 1))
            self._tip = self._add("Flatten", [mean], (channels,))
            return
        given, wanted = self._sizes[self._block_input][0], self._sizes[self._tip][0]
        weights = np.eye(wanted, given, dtype=np.float32)[:, :, None, None] / np.float32(math.prod(window))
        name = f"average{len(self._graph.node)}.weights"
        self._weights[name] = np.broadcast_to(weights, (wanted, given, *window))
        size = self._strided(self._block_input, window, strides, [0, 0])
        self._shortcut = self._add("Conv", [self._block_input, name], (wanted, *size), strides=strides)

    def add_block_input(self) -> None:
        parts = [self._tip, self._shortcut or self._block_input]
        largest = tuple(int(side) for side in np.max([self._sizes[part] for part in parts], axis=0))
        self._tip = self._add("Add", [self._padded(part, largest) for part in parts], largest)
        self._shortcut = ""

    def project(self, weights: NDArray[np.float32]) -> None:
        self._weights["projection.weights"] = weights
        self._tip = self._add("MatMul", [self._tip, "projection.weights"], (weights.shape[1],))

    def finish(self) -> bytes:
        self._graph.node[-1].output[0] = "descriptor"
        self._graph.input.append(self._described("image", self._sizes["image"]))
        self._graph.output.append(self._described("descriptor", self._sizes[self._tip]))
        model = make_model(self._graph, opset_imports=[make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        data: bytes = model.SerializeToString()
        return data

    def _described(self, name: str, size: tuple[int, ...]) -> onnx.ValueInfoProto:
        return make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *size])

    def _strided(self, name: str, window: Sequence[int], strides: list[int], padding: list[int]) -> list[int]:
        """Height and width of what a window gives that moves over `name`."""
        sides = self._sizes[name][1:]
        return [(s + 2 * p - w) // by + 1 for s, w, by, p in zip(sides, window, strides, padding, strict=True)]

    def _padded(self, name: str, size: tuple[int, ...]) -> str:
        """`name` with zeros behind its last channels, rows and columns, up to `size`."""
        lacking = [wanted - given for wanted, given in zip(size, self._sizes[name], strict=True)]
        if not any(lacking):
            return name
        pads = f"pad{len(self._graph.node)}.ends"
        self._weights[pads] = np.array([0] * 5 + lacking, np.int64)
        return self._add("Pad", [name, pads], size)

    def _add(self, kind: str, inputs: list[str], size: tuple[int, ...], **attributes: list[int]) -> str:
        output = f"{kind.lower()}{len(self._graph.node)}"
        self._graph.node.append(make_node(kind, inputs, [output], None, None, None, None, **attributes))
        self._sizes[output] = size
        return output
