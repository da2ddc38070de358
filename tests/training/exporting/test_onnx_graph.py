import hashlib
from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mien.errors import TrainingError
from mien.training.backbones import IResNet, MobileFaceNet, Small
from mien.training.exporting import OPSET, to_onnx
from mien.training.exporting.int8_graph import as_graph_input
from training_networks import embeddings_of

Teach = Callable[..., nn.Module]


class Undecided(nn.Module):
    """Takes another path by what it sees, which no graph can hold."""

    def forward(self, pictures: Tensor) -> Tensor:
        flat = pictures.flatten(1)[:, :8]
        return flat if flat.sum() > 0 else -flat


def run(graph: bytes, batch: NDArray[np.float32]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["embedding"], {"crops": batch})[0])


@pytest.mark.parametrize(
    ("make", "side"),
    [
        (lambda: MobileFaceNet(16, 112, width=0.25), 112),
        (lambda: IResNet(16, 32, depth=18), 32),
    ],
)
def test_the_graph_gives_what_the_network_gives(
    make: Callable[[], nn.Module], side: int, crops: NDArray[np.uint8], taught: Teach
) -> None:
    network = taught(make(), side, 4)
    made = run(to_onnx(network, side), as_graph_input(crops))
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    np.testing.assert_allclose(made, embeddings_of(network, crops, side), atol=1e-4)


def test_the_graph_is_plain(crops: NDArray[np.uint8], taught: Teach) -> None:
    network = taught(Small(8, 32, width=4), 32, 4).train()
    weights = hashlib.sha256(b"".join(value.numpy().tobytes() for value in network.state_dict().values())).digest()
    graph = to_onnx(network, 32, unit_length=True, about={"recipe_sha256": "ab12"})
    model = onnx.load_model_from_string(graph)
    onnx.checker.check_model(model, full_check=True)

    said = {entry.key: entry.value for entry in model.metadata_props}
    assert said["opset"] == str(OPSET) == str(model.opset_import[0].version)
    assert said["recipe_sha256"] == "ab12"
    assert [value.name for value in model.graph.input] == ["crops"]
    assert [value.name for value in model.graph.output] == ["embedding"]
    shape = model.graph.input[0].type.tensor_type.shape.dim
    assert [side.dim_param or side.dim_value for side in shape] == ["batch", 3, 112, 112]
    assert "BatchNormalization" not in {node.op_type for node in model.graph.node}  # merged into the convolutions

    assert b".py" not in graph  # no path of the machine that wrote it
    assert graph == to_onnx(network, 32, unit_length=True, about={"recipe_sha256": "ab12"})

    lengths = np.linalg.norm(run(graph, as_graph_input(crops[:3])), axis=1)
    np.testing.assert_allclose(lengths, 1, rtol=1e-5)
    assert network.training
    after = hashlib.sha256(b"".join(value.numpy().tobytes() for value in network.state_dict().values())).digest()
    assert after == weights


def test_what_can_not_be_written_is_said() -> None:
    with pytest.raises(TrainingError, match="Undecided can't be written as ONNX") as problem:
        to_onnx(Undecided(), 32)
    assert problem.value.code == "training.export"


def test_half_precision_becomes_float32(crops: NDArray[np.uint8], taught: Teach) -> None:
    network = taught(Small(8, 32, width=2), 32, 4).to(torch.bfloat16)
    graph = to_onnx(network, 32)
    assert {tensor.data_type for tensor in onnx.load_model_from_string(graph).graph.initializer} <= {
        onnx.TensorProto.FLOAT,
        onnx.TensorProto.INT64,
    }
    assert run(graph, as_graph_input(crops[:2])).dtype == np.float32
    assert next(network.parameters()).dtype == torch.bfloat16
