import gc
import hashlib
import os
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto
from onnx.helper import make_node

from mien.errors import ConfigError, MissingExtraError, ModelError
from mien.models import ModelCard, Runner, check_graph, find_weights, load_card, open_model, runner
from small_networks import encoder_card, model, projection

needs_openvino = pytest.mark.skipif(find_spec("openvino") is None, reason="openvino is not installed")
RUNTIMES = ["onnxruntime", pytest.param("openvino", marks=needs_openvino)]


def crops(count: int, side: int = 112, seed: int = 0) -> NDArray[np.float32]:
    noise = np.random.default_rng(seed).uniform(0, 255, (count, 3, side, side)).astype(np.float32)
    smooth = [[cv2.GaussianBlur(channel, (0, 0), 3) * 4 - 382 for channel in crop] for crop in noise]
    return np.array(smooth, np.float32)


def sface(runtime: str = "onnxruntime", threads: int = 1) -> Runner:
    return open_model(load_card("sface"), runtime=runtime, threads=threads)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_batch_gives_what_its_rows_give(runtime: str) -> None:
    x = crops(9)
    together = sface(runtime).run(x)["fc1"]
    alone = np.concatenate([sface(runtime).run(row[None])["fc1"] for row in x])
    assert together.shape == (9, 128)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert np.ptp(together, axis=0).min() > 0


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_threads_do_not_disturb_each_other(runtime: str) -> None:
    batches = [crops(3, seed=seed) for seed in range(8)]
    expected = [sface(runtime).run(batch)["fc1"] for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            for got, want in zip(
                pool.map(lambda batch: sface(runtime).run(batch)["fc1"], batches), expected, strict=True
            ):
                np.testing.assert_array_equal(got, want)


@needs_openvino
def test_the_first_calls_of_openvino_come_from_several_threads_and_end() -> None:
    """The first tensors of a process, made at once, stopped one process in twelve for ever."""
    script = """
import threading, numpy as np
from mien.models import load_card, open_model
network, together = open_model(load_card("sface"), runtime="openvino"), threading.Barrier(2)
def call():
    together.wait()
    network.run(np.zeros((1, 3, 112, 112), np.float32))
threads = [threading.Thread(target=call) for _ in range(2)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
"""
    for _ in range(5):
        subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


@needs_openvino
@pytest.mark.usefixtures("empty_cache")
def test_opening_with_openvino_makes_the_first_tensor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no two threads ever make it at once, which the test above can miss on a calm machine."""
    made: list[Any] = []
    monkeypatch.setattr("openvino.Tensor", lambda *given, **named: made.append(given))
    open_model(encoder_card(tmp_path, projection()), runtime="openvino")
    assert made


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_nothing_is_reported_to_the_makers_of_the_runtime(runtime: str, tmp_path: Path) -> None:
    """Seen by the numbers for this user that they keep in the home folder: nothing is written there."""
    script = f"from mien.models import load_card, open_model; open_model(load_card('sface'), runtime='{runtime}')"
    silent = ("CI", "ORT_RUNNING_UNIT_TESTS", "XDG_CACHE_HOME", "ORT_DISABLE_TELEMETRY")
    environment = {name: value for name, value in os.environ.items() if name not in silent} | {"HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)
    assert not list(tmp_path.iterdir())


@needs_openvino
@pytest.mark.parametrize(("name", "side"), [("sface", 112), ("dlib", 150)])
def test_openvino_in_f32_gives_what_onnxruntime_gives(name: str, side: int) -> None:
    card = load_card(name)
    x = crops(4, side)
    if name == "dlib":
        _weights_or_skip(card)
        x = (x / 256 - 0.5).astype(np.float32)
    a = open_model(card, runtime="onnxruntime").run(x)[card.output.name].astype(np.float64)
    b = open_model(card, runtime="openvino").run(x)[card.output.name].astype(np.float64)
    np.testing.assert_allclose(a, b, atol=5e-5)
    assert ((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).min() > 0.999999


def test_yunet_finds_what_opencv_finds_at_any_size() -> None:
    # On noise, so that thousands of boxes of every score are compared, and no face is needed.
    card = load_card("yunet")
    opencv = cv2.FaceDetectorYN.create(str(find_weights(card)), "", (64, 64), 1e-6, 1.0, 100_000)
    for height, width in ((96, 160), (320, 256), (32, 32)):
        picture = np.random.default_rng(height).integers(0, 256, (height, width, 3)).astype(np.uint8)
        opencv.setInputSize((width, height))
        _, expected = opencv.detect(picture)
        batch = picture.transpose(2, 0, 1)[None].astype(np.float32)
        outputs = open_model(card, runtime="onnxruntime").run(np.concatenate([batch[..., ::-1], batch]))
        got = _decoded({name: values[1] for name, values in outputs.items()}, width)
        got = got[got[:, 14] > 1e-6]
        assert len(got) == len(expected) > 10
        _match(got, np.asarray(expected, np.float32))


def _decoded(outputs: dict[str, NDArray[np.float32]], width: int) -> NDArray[np.float32]:
    rows = []
    for stride in (8, 16, 32):
        cls, obj, box, points = (outputs[f"{kind}_{stride}"] for kind in ("cls", "obj", "bbox", "kps"))
        for i in range(len(cls)):
            cell = np.array([i % (width // stride), i // (width // stride)])
            centre = (cell + box[i, :2]) * stride
            size = np.exp(box[i, 2:]) * stride
            landmarks = (cell + points[i].reshape(5, 2)) * stride
            score = np.sqrt(np.clip(cls[i, 0], 0, 1) * np.clip(obj[i, 0], 0, 1))
            rows.append(np.concatenate([centre - size / 2, size, landmarks.ravel(), [score]]))
    return np.array(rows, np.float32)


def _match(got: NDArray[np.float32], expected: NDArray[np.float32]) -> None:
    """Each expected row has its own in `got`."""
    distance = np.abs(got[:, None] - expected[None]).max(axis=2)
    assert distance.min(axis=0).max() < 2e-2
    assert len(set(distance.argmin(axis=0))) == len(expected)


def test_auto_is_onnxruntime_for_networks_of_any_size() -> None:
    assert open_model(load_card("yunet")).runtime == "onnxruntime"


def test_auto_takes_openvino_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    if find_spec("openvino"):
        assert open_model(load_card("sface")).runtime == "openvino"
    monkeypatch.setattr(runner, "find_spec", lambda name: None)
    assert open_model(load_card("sface")).runtime == "onnxruntime"
    for runtime, precision in (("openvino", "f32"), ("auto", "bf16")):
        with pytest.raises(MissingExtraError, match=r"mien\[openvino\]"):
            open_model(load_card("sface"), runtime=runtime, precision=precision)


@needs_openvino
def test_bf16_is_refused_where_the_processor_has_none_and_moves_embeddings_where_it_has() -> None:
    if "BF16" not in import_module("openvino").Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        with pytest.raises(ModelError, match="can't compute in bf16"):
            open_model(load_card("sface"), precision="bf16")
        return
    opened = open_model(load_card("sface"), precision="bf16")
    assert opened.precision == "bf16"
    assert not np.array_equal(opened.run(crops(1))["fc1"], sface("openvino").run(crops(1))["fc1"])


def test_wrong_questions_are_refused() -> None:
    card = load_card("sface")
    with pytest.raises(ConfigError, match="no bf16"):
        open_model(card, runtime="onnxruntime", precision="bf16")
    with pytest.raises(ValueError, match="no such runtime"):
        open_model(card, runtime="tensorrt")
    with pytest.raises(ValueError, match="no such runtime"):
        open_model(card, threads=0)
    with pytest.raises(ValueError, match="fusion"):
        open_model(load_card("fusion"))


@pytest.mark.parametrize(
    ("name", "batch"),
    [
        ("sface", np.zeros((1, 3, 112, 112))),
        ("sface", np.zeros((0, 3, 112, 112), np.float32)),
        ("sface", np.zeros((3, 112, 112), np.float32)),
        ("sface", np.zeros((1, 3, 112, 96), np.float32)),
        ("sface", np.zeros((1, 112, 112, 3), np.float32)),
        ("yunet", np.zeros((1, 3, 100, 96), np.float32)),
        ("yunet", np.zeros((1, 4, 96, 96), np.float32)),
        ("yunet", np.zeros((1, 3, 0, 96), np.float32)),
    ],
)
def test_a_batch_of_another_shape_or_type_is_refused(name: str, batch: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match=r"takes|a batch is"):
        open_model(load_card(name), runtime="onnxruntime").run(batch)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_users_network_with_a_fixed_batch_runs_on_any(tmp_path: Path, runtime: str) -> None:
    x = crops(6, 8)
    # (1, −1) can be freed; (1, 192) in one Reshape too; (−1, 192) written for one row gives one row each
    for at, reshape in enumerate([(1, -1), (1, 192), (-1, 192)]):
        folder = tmp_path / str(at)
        folder.mkdir()
        got = open_model(encoder_card(folder, projection(reshape=reshape)), runtime=runtime).run(x)["y"]
        expected = x.reshape(6, -1) @ np.random.default_rng(0).normal(size=(192, 4)).astype(np.float32)
        np.testing.assert_allclose(got, expected, rtol=1e-3, atol=0.5)


def one_row_network() -> bytes:
    """Takes the mean over its batch, so that a batch is not what its rows are."""
    nodes = [
        make_node("ReduceMean", ["x", "axes"], ["a"], keepdims=0),
        make_node("Unsqueeze", ["a", "zero"], ["b"]),
        make_node("MatMul", ["b", "w"], ["y"]),
    ]
    constants: dict[str, NDArray[np.generic]] = {
        "w": np.ones((3, 4), np.float32),
        "axes": np.array([0, 2, 3], np.int64),
        "zero": np.array([0], np.int64),
    }
    return model(nodes, constants, output="y", gives=(1, 4))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_network_that_mixes_its_rows_is_run_row_by_row(tmp_path: Path, runtime: str) -> None:
    x = crops(5, 8)
    got = open_model(encoder_card(tmp_path, one_row_network()), runtime=runtime).run(x)["y"]
    np.testing.assert_allclose(got, np.repeat(x.mean((2, 3)).sum(1)[:, None], 4, 1), rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_network_that_is_not_what_its_card_says_is_refused(tmp_path: Path, runtime: str) -> None:
    good = encoder_card(tmp_path, projection())
    with pytest.raises(ModelError, match=r"has no output named 'z'; it has y"):
        open_model(replace(good, output=replace(good.output, name="z")), runtime=runtime).run(crops(1, 8))
    with pytest.raises(ModelError, match=r"gives 'y' as \(1, 4\), and its card says 5 numbers"):
        open_model(replace(good, output=replace(good.output, dimensions=5)), runtime=runtime).run(crops(1, 8))
    with pytest.raises(ModelError, match=r"takes \(1, 3, 8, 8\), and its card says \(any, 3, 16, 16\)"):
        open_model(replace(good, input=replace(good.input, size=(16, 16))), runtime=runtime)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"this is not a network", "can't be run"),
        (b"", "can't be run"),
        (projection(given=(1, 8, 8, 3)), r"takes \(.*8, 8, 3\), and its card says"),
        (projection(given=(4, 3, 8, 8), reshape=(4, -1)), "."),
        (projection(kind=TensorProto.DOUBLE), "can't be run"),
    ],
)
def test_a_file_that_is_no_usable_network_is_refused(tmp_path: Path, runtime: str, data: bytes, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        open_model(encoder_card(tmp_path, data), runtime=runtime)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_what_is_not_a_number_is_refused(tmp_path: Path, runtime: str) -> None:
    data = model([make_node("Log", ["x"], ["a"]), make_node("ReduceMean", ["a", "axes"], ["y"], keepdims=0)],
                 {"axes": np.array([2, 3], np.int64)}, output="y", gives=(1, 3))  # fmt: skip
    opened = open_model(encoder_card(tmp_path, data, dimensions=3), runtime=runtime)
    opened.run(np.ones((2, 3, 8, 8), np.float32))
    with pytest.raises(ModelError) as caught:
        opened.run(-np.ones((2, 3, 8, 8), np.float32))
    assert caught.value.code == "model.not-finite"


def test_a_network_is_compiled_once_and_few_are_kept(tmp_path: Path, empty_cache: Path) -> None:
    card = encoder_card(tmp_path, projection())
    first, second = (open_model(card, runtime="onnxruntime") for _ in range(2))
    flipped = open_model(card.with_flip(True), runtime="onnxruntime")
    assert first.network is second.network is flipped.network  # type: ignore[attr-defined]
    assert flipped.card.input.flip
    for threads in range(2, 15):
        open_model(card, runtime="onnxruntime", threads=threads)
    assert len(runner._open) == 8


def test_a_damaged_cache_is_mended(tmp_path: Path, empty_cache: Path) -> None:
    card = encoder_card(tmp_path, projection())
    x = crops(2, 8)
    expected = open_model(card, runtime="onnxruntime").run(x)["y"]
    [kept] = (empty_cache / "graphs").iterdir()
    kept.write_bytes(kept.read_bytes()[:-1])
    runner._open.clear()
    np.testing.assert_array_equal(open_model(card, runtime="onnxruntime").run(x)["y"], expected)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_swapped_graph_is_found_out(tmp_path: Path, empty_cache: Path, runtime: str) -> None:
    card = encoder_card(tmp_path, projection())
    assert check_graph(card, runtime=runtime) == "No graph is kept yet."
    open_model(card, runtime=runtime)
    assert check_graph(card, runtime=runtime) == "The kept graph is what the weights make."
    [file] = (empty_cache / "graphs").iterdir()
    other = file.read_bytes().replace(b"small", b"other")
    file.unlink()
    key, _, _ = file.name.split(".")
    (file.parent / f"{key}.{hashlib.sha256(other).hexdigest()}.onnx").write_bytes(other)
    with pytest.raises(ModelError, match="is not what the weights of 'small' make") as caught:
        check_graph(card, runtime=runtime)
    assert caught.value.code == "model.altered"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the size of the process from /proc")
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_memory_does_not_grow(runtime: str) -> None:
    def megabytes() -> float:
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20

    yunet = open_model(load_card("yunet"), runtime=runtime)
    sizes = [(32 * h, 32 * w) for h in range(1, 7) for w in range(1, 7)]

    def round_trip(count: int) -> None:
        for i in range(count):
            height, width = sizes[i % len(sizes)]
            yunet.run(np.zeros((1, 3, height, width), np.float32))
            sface(runtime).run(crops(1 + i % 2))

    round_trip(50)
    before = megabytes()
    round_trip(120)
    assert megabytes() - before < 20


def _weights_or_skip(card: ModelCard) -> None:
    try:
        find_weights(card)
    except ModelError:
        pytest.skip("face-recognition-models (extra dlib) is not installed")
