from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx.helper import make_node
from onnx.reference import ReferenceEvaluator

from mien.models import find_weights, load_card
from mien.models.graph_repair import repair
from mien.models.onnxruntime_network import OnnxruntimeNetwork
from small_networks import model

RNG = np.random.default_rng(7)


def normal(*shape: int) -> NDArray[np.float32]:
    return RNG.normal(size=shape).astype(np.float32)


def reference(data: bytes, x: NDArray[np.float32], output: str) -> NDArray[np.float32]:
    """What the ONNX project's own reference makes of it, once with each row."""
    evaluator = ReferenceEvaluator(onnx.load_model_from_string(data))
    return np.concatenate([_first(evaluator.run([output], {"x": row[None]})) for row in x])


def _first(outputs: Any) -> NDArray[np.float32]:
    return np.asarray(outputs[0], np.float32)


def kinds(data: bytes) -> set[str]:
    return {node.op_type for node in onnx.load_model_from_string(data).graph.node}


def two_convolutions_with_prelu(slope: NDArray[np.float32]) -> tuple[bytes, dict[str, NDArray[np.generic]]]:
    weights: dict[str, NDArray[np.generic]] = {
        "w1": normal(5, 3, 3, 3),
        "b1": normal(5),
        "slope": slope,
        "w2": normal(2, 5, 1, 1),
    }
    nodes = [
        make_node("Conv", ["x", "w1", "b1"], ["a"], pads=[1, 1, 1, 1]),
        make_node("PRelu", ["a", "slope"], ["b"]),
        make_node("Conv", ["b", "w2"], ["c"]),
    ]
    return model(nodes, weights, output="c"), weights


@settings(max_examples=25)
@given(st.lists(st.floats(-2, 2, width=32), min_size=5, max_size=5))
def test_prelu_of_any_slope_gives_the_same(slope: list[float]) -> None:
    data, _ = two_convolutions_with_prelu(np.array(slope, np.float32).reshape(5, 1, 1))
    mended = repair(data, fast_prelu=True)
    assert kinds(mended) == {"Conv", "Relu", "Add"}
    x = normal(2, 3, 8, 8)
    np.testing.assert_allclose(OnnxruntimeNetwork(mended, 1)(x)["c"], reference(data, x, "c"), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("nodes", "output"),
    [
        # the PRelu's result is read by something that can't take it negated
        (
            [
                make_node("Conv", ["x", "w"], ["a"]),
                make_node("PRelu", ["a", "s"], ["b"]),
                make_node("Exp", ["b"], ["c"]),
            ],
            "c",
        ),
        # … or is an output
        ([make_node("Conv", ["x", "w"], ["a"]), make_node("PRelu", ["a", "s"], ["b"])], "b"),
        # the convolution's result is read by another node too
        (
            [
                make_node("Conv", ["x", "w"], ["a"]),
                make_node("PRelu", ["a", "s"], ["b"]),
                make_node("Conv", ["b", "w"], ["c"]),
                make_node("Add", ["a", "c"], ["d"]),
            ],
            "d",
        ),
        # what comes before is no convolution
        ([make_node("PRelu", ["x", "s"], ["b"]), make_node("Conv", ["b", "w"], ["c"])], "c"),
        # one slope for all channels
        (
            [
                make_node("Conv", ["x", "w"], ["a"]),
                make_node("PRelu", ["a", "t"], ["b"]),
                make_node("Conv", ["b", "w"], ["c"]),
            ],
            "c",
        ),
        # two in a row, sharing their weights
        (
            [
                make_node("Conv", ["x", "w"], ["a"]),
                make_node("PRelu", ["a", "s"], ["b"]),
                make_node("Conv", ["b", "w"], ["c"]),
                make_node("PRelu", ["c", "s"], ["d"]),
                make_node("Conv", ["d", "w"], ["e"]),
            ],
            "e",
        ),
        # read by a normalisation and a convolution
        (
            [
                make_node("Conv", ["x", "w"], ["a"]),
                make_node("PRelu", ["a", "s"], ["b"]),
                make_node("BatchNormalization", ["b", "g", "h", "m", "v"], ["c"]),
                make_node("Conv", ["b", "w"], ["d"]),
                make_node("Add", ["c", "d"], ["e"]),
            ],
            "e",
        ),
    ],
)
def test_prelu_in_any_place_gives_the_same(nodes: list[onnx.NodeProto], output: str) -> None:
    weights: dict[str, NDArray[np.generic]] = {
        "w": normal(3, 3, 1, 1),
        "s": normal(3, 1, 1),
        "t": normal(1, 1, 1),
        "g": normal(3),
        "h": normal(3),
        "m": normal(3),
        "v": np.abs(normal(3)) + 0.1,
    }
    data = model(nodes, weights, output=output)
    mended = repair(data, fast_prelu=True)
    assert "PRelu" not in kinds(mended)
    x = normal(2, 3, 8, 8)
    expected = reference(data, x, output)
    np.testing.assert_allclose(OnnxruntimeNetwork(mended, 1)(x)[output], expected, rtol=1e-4, atol=1e-4)


def test_prelu_stays_where_it_is_not_asked_for() -> None:
    data, _ = two_convolutions_with_prelu(normal(5, 1, 1))
    assert "PRelu" in kinds(repair(data))


@pytest.mark.parametrize("bias", [True, False])
def test_batch_normalisation_goes_into_what_is_before_it(bias: bool) -> None:
    norms = {f"{name}{i}": normal(n) for i, n in ((1, 4), (2, 6)) for name in "ghm"}
    weights: dict[str, NDArray[np.generic]] = {
        **norms,
        "v1": np.abs(normal(4)) + 0.1,
        "v2": np.abs(normal(6)) + 0.1,
        "w1": normal(4, 3, 3, 3),
        "b1": normal(4),
        "w2": normal(6, 144),
        "b2": normal(6),
    }
    nodes = [
        make_node("Conv", ["x", "w1", "b1"][: 3 if bias else 2], ["a"]),
        make_node("BatchNormalization", ["a", "g1", "h1", "m1", "v1"], ["b"], epsilon=0.01),
        make_node("Flatten", ["b"], ["c"]),
        make_node("Gemm", ["c", "w2", "b2"], ["d"], transB=1),
        make_node("BatchNormalization", ["d", "g2", "h2", "m2", "v2"], ["e"]),
    ]
    data = model(nodes, weights, output="e")
    mended = repair(data)
    assert kinds(mended) == {"Conv", "Flatten", "Gemm"}
    x = normal(3, 3, 8, 8)
    np.testing.assert_allclose(OnnxruntimeNetwork(mended, 1)(x)["e"], reference(data, x, "e"), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("columns", "block"), [(12, 4), (10, 4), (10, 16)])
def test_block_quantised_weights_become_what_they_stand_for(columns: int, block: int) -> None:
    blocks = -(-columns // block)
    quantised = RNG.integers(-128, 128, (3, columns)).astype(np.int8)
    scale = np.abs(normal(3, blocks))
    zero = RNG.integers(-9, 9, (3, blocks)).astype(np.int8)
    nodes = [
        make_node("DequantizeLinear", ["q", "s", "z"], ["d"], axis=1, block_size=block),
        make_node("Reshape", ["d", "shape"], ["w"]),
        make_node("MatMul", ["x", "w"], ["y"]),
    ]
    weights: dict[str, NDArray[np.generic]] = {
        "q": quantised,
        "s": scale,
        "z": zero,
        "shape": np.array([columns, 3], np.int64),
    }
    mended = repair(model(nodes, weights, output="y", given=(1, 3, 8, columns)))
    assert kinds(mended) == {"MatMul"}
    expected = np.array(
        [
            [(int(quantised[i, j]) - int(zero[i, j // block])) * scale[i, j // block] for j in range(columns)]
            for i in range(3)
        ]
    ).reshape(columns, 3)
    x = normal(1, 3, 8, columns)
    np.testing.assert_allclose(OnnxruntimeNetwork(mended, 1)(x)["y"], x @ expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("shape", "target"), [((6, 4), (0, 4)), ((6, 2, 2), (0, -1)), ((2, 12), (6, 4))])
def test_a_zero_in_a_constant_reshape_copies_the_dimension(shape: tuple[int, ...], target: tuple[int, ...]) -> None:
    nodes = [make_node("Reshape", ["v", "target"], ["w"]), make_node("MatMul", ["x", "w"], ["y"])]
    weights: dict[str, NDArray[np.generic]] = {"v": normal(*shape), "target": np.array(target, np.int64)}
    mended = repair(model(nodes, weights, output="y", given=(1, 3, 8, 6)))
    assert kinds(mended) == {"MatMul"}
    x = normal(1, 3, 8, 6)
    expected = x @ np.asarray(weights["v"], np.float32).reshape(6, 4)
    np.testing.assert_allclose(OnnxruntimeNetwork(mended, 1)(x)["y"], expected, rtol=1e-4, atol=1e-4)


def test_sface_gives_what_the_published_graph_gives() -> None:
    data = find_weights(load_card("sface")).read_bytes()
    published = onnx.load_model_from_string(data)
    inputs = [value for value in published.graph.input if value.name == "data"]
    del published.graph.input[:]
    published.graph.input.extend(inputs)
    x = RNG.uniform(0, 255, (2, 3, 112, 112)).astype(np.float32)
    expected = np.concatenate([_first(ReferenceEvaluator(published).run(None, {"data": row[None]})) for row in x])
    for fast_prelu in (False, True):
        got = OnnxruntimeNetwork(repair(data, fast_prelu=fast_prelu), 1)(x)["fc1"]
        np.testing.assert_allclose(got, expected, atol=2e-5)
        lengths = np.linalg.norm(got.astype(np.float64), axis=1) * np.linalg.norm(expected.astype(np.float64), axis=1)
        assert ((got.astype(np.float64) * expected).sum(axis=1) / lengths).min() >= 0.9999999


def test_the_repaired_graphs_are_valid() -> None:
    for name, any_size in (("sface", False), ("yunet", True)):
        data = repair(find_weights(load_card(name)).read_bytes(), any_size=any_size, fast_prelu=True)
        onnx.checker.check_model(onnx.load_model_from_string(data), full_check=True)
