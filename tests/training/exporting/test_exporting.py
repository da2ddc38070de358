import hashlib
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from mien import Recognizer
from mien.errors import ConfigError, TrainingError
from mien.faces import open_encoder
from mien.faces.encoding import NetworkEncoder
from mien.models import load_card
from mien.training.backbones import SFace, Small
from mien.training.exporting import ExportedEncoder, Parity, export, forms
from training_networks import embeddings_of

SIDE, SIZE = 64, 24
RUNTIMES = ("onnxruntime", "openvino")


@dataclass(frozen=True)
class Exported:
    """A network, where it was exported to, and in which forms."""

    network: nn.Module
    folder: Path
    whole: ExportedEncoder
    small: ExportedEncoder


@pytest.fixture(scope="module")
def exported(
    tmp_path_factory: pytest.TempPathFactory,
    crops: NDArray[np.uint8],
    taught: Callable[[nn.Module, int], nn.Module],
) -> Exported:
    torch.manual_seed(7)
    network = taught(Small(SIZE, SIDE, width=8), SIDE)
    folder = tmp_path_factory.mktemp("exported") / "with spaces" / "ü"
    whole, small = export(
        network,
        folder,
        name="my.own-1",
        side=SIDE,
        crops=crops,
        title="Mine",
        training="Twelve people who don't exist.",
        figures="AUC 0.9.",
        limits="None known.",
        licence="CC0-1.0",
        int8=True,
        about={"data_sha256": "cd34"},
    )
    return Exported(network, folder, whole, small)


def embed(card: Path, crops: NDArray[np.uint8], runtime: str = "onnxruntime") -> NDArray[np.float32]:
    encoder = open_encoder(str(card), runtime=runtime)
    assert isinstance(encoder, NetworkEncoder)
    return encoder.embed_crops(crops)


class Drawing(nn.Module):
    """Draws at random in evaluation mode too."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.matrix = nn.Linear(3, size)

    def forward(self, pictures: Tensor) -> Tensor:
        made: Tensor = self.matrix(pictures.mean((2, 3)))
        return made + torch.randn_like(made)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_encoder_gives_what_the_network_gives(exported: Exported, crops: NDArray[np.uint8], runtime: str) -> None:
    if runtime == "openvino":
        pytest.importorskip("openvino")
    expected = embeddings_of(exported.network, crops, SIDE)
    np.testing.assert_allclose(embed(exported.whole.file, crops, runtime), expected, atol=1e-4)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_whole_numbers_change_little(exported: Exported, crops: NDArray[np.uint8], runtime: str) -> None:
    if runtime == "openvino":
        pytest.importorskip("openvino")
    cosines = (embed(exported.small.file, crops, runtime) * embeddings_of(exported.network, crops, SIDE)).sum(axis=1)
    assert np.median(cosines) >= 0.99
    assert cosines.min() >= 0.98
    assert cosines.max() < 1 - 1e-7  # they are other numbers, though


def test_a_crop_does_not_depend_on_its_batch(exported: Exported, crops: NDArray[np.uint8]) -> None:
    for form in (exported.whole, exported.small):
        together = embed(form.file, crops)
        alone = np.concatenate([embed(form.file, crops[i : i + 1]) for i in (0, 5, 23)])
        np.testing.assert_allclose(together[[0, 5, 23]], alone, atol=1e-5)


def test_the_cards_say_what_the_encoders_are(exported: Exported) -> None:
    assert {path.name for path in exported.folder.iterdir()} == {
        *("my.own-1.onnx", "my.own-1.toml", "my.own-1-int8.onnx", "my.own-1-int8.toml")
    }
    for form, name in ((exported.whole, "my.own-1"), (exported.small, "my.own-1-int8")):
        card = load_card(exported.folder / f"{name}.toml")
        assert card == form.card
        weights = (exported.folder / card.file).read_bytes()
        assert (card.name, card.task, card.licence) == (name, "encoder", "CC0-1.0")
        assert card.sha256 == hashlib.sha256(weights).hexdigest()
        assert card.size_bytes == len(weights)
        assert (card.input.size, card.input.colour, card.input.template) == ((112, 112), "rgb", "arcface-112")
        assert (card.input.mean, card.input.scale) == ((127.5,) * 3, (1 / 128,) * 3)
        assert (card.output.name, card.output.dimensions) == ("embedding", SIZE)
        assert card.training == "Twelve people who don't exist."
        assert card.limits == "None known."
        assert card.figures.startswith("AUC 0.9. ")
        assert {entry.key: entry.value for entry in onnx.load_model_from_string(weights).metadata_props}[
            "data_sha256"
        ] == "cd34"
        tomllib.loads((exported.folder / f"{name}.toml").read_text("utf-8"))
    assert exported.whole.card.identity() != exported.small.card.identity()


def test_what_was_measured_is_on_the_card(exported: Exported, crops: NDArray[np.uint8]) -> None:
    whole, small = embed(exported.whole.file, crops), embed(exported.small.file, crops)
    cosines = (whole * small).sum(axis=1)[1::2]
    assert exported.small.parity.median_cosine == pytest.approx(np.median(cosines), abs=1e-6)
    assert exported.small.parity.least_cosine == pytest.approx(cosines.min(), abs=1e-6)
    assert f"{np.median(cosines):.4f} in the median" in exported.small.card.figures
    assert f"at least {cosines.min():.4f} on 12 other crops" in exported.small.card.figures
    assert exported.whole.parity.difference <= 1e-4
    assert f"{exported.whole.parity.difference:.1g} on 24 crops" in exported.whole.card.figures


def test_weights_are_whole_numbers_of_seven_bits(exported: Exported) -> None:
    graph = onnx.load(exported.folder / exported.small.card.file).graph
    arrays = [numpy_helper.to_array(tensor) for tensor in graph.initializer]
    weights = [array for array in arrays if array.dtype == np.int8 and array.ndim > 1]
    convolutions = [node for node in graph.node if node.op_type in ("Conv", "Gemm")]
    assert len(weights) == len(convolutions) == 15
    assert all(np.abs(array).max() <= 64 for array in weights)
    assert max(array.size for array in arrays if array.dtype == np.float32) <= 64 * 112  # what shrinks the crops
    assert exported.small.card.size_bytes < 0.4 * exported.whole.card.size_bytes


def test_the_rest_of_mien_takes_it_at_once(exported: Exported, people: Path) -> None:
    for form in (exported.whole, exported.small):
        recognizer = Recognizer(encoder=str(form.file), runtime="onnxruntime")
        photo, stranger = people / "person-0001/0001.jpg", people / "person-0002/0001.jpg"
        assert recognizer.verify(photo, photo, threshold=0.99).decision == "match"
        assert recognizer.verify(photo, stranger, threshold=0.99).decision == "no_match"


def test_sface_goes_through_pytorch_and_back(tmp_path: Path, crops: NDArray[np.uint8]) -> None:
    (form,) = export(SFace(), tmp_path, name="again", crops=crops, flip=True)
    assert form.card.input.flip
    shipped = open_encoder("sface", flip=True, runtime="onnxruntime")
    assert isinstance(shipped, NetworkEncoder)
    np.testing.assert_allclose(embed(form.file, crops), shipped.embed_crops(crops), atol=1e-4)


def test_a_network_that_draws_at_random_is_refused(tmp_path: Path, crops: NDArray[np.uint8]) -> None:
    with pytest.raises(TrainingError, match="gives other embeddings than the network"):
        export(Drawing(6), tmp_path, name="drawing", crops=crops)
    assert not list(tmp_path.iterdir())


def test_whole_numbers_too_far_off_are_refused(
    tmp_path: Path, exported: Exported, crops: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "LEAST_COSINE", 1.1)
    with pytest.raises(
        TrainingError, match=r"too far from itself: the median cosine .* is (0\.9|1\.0).*1\.1 is the least"
    ):
        export(exported.network, tmp_path, name="mine", side=SIDE, crops=crops, int8=True)
    assert not list(tmp_path.iterdir())


def test_an_encoder_is_not_overwritten_unasked(exported: Exported, crops: NDArray[np.uint8], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"There is an encoder my.own-1 in .*already"):
        export(exported.network, exported.folder, name="my.own-1", side=SIDE, crops=crops)
    shutil.copytree(exported.folder, tmp_path, dirs_exist_ok=True)
    (again,) = export(
        exported.network,
        tmp_path,
        name="my.own-1",
        side=SIDE,
        crops=crops,
        title="New",
        overwrite=True,
        about={"data_sha256": "cd34"},
    )
    assert load_card(tmp_path / "my.own-1.toml").title == "New"
    assert again.card.sha256 == exported.whole.card.sha256  # the same network is the same file
    assert again.card.identity() == exported.whole.card.identity()


@pytest.mark.parametrize("name", ["", "a/b", "../a", "-a", ".a", "a b", "ä"])
def test_a_name_that_makes_no_file_is_refused(name: str, tmp_path: Path, crops: NDArray[np.uint8]) -> None:
    with pytest.raises(ConfigError, match="can't be the name"):
        export(nn.Identity(), tmp_path, name=name, crops=crops)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 64, 64, 3), np.uint8),
        np.zeros((1, 112, 112, 3), np.uint8),
        np.zeros((2, 112, 112, 3), np.float32),
        np.zeros((112, 112, 3), np.uint8),
    ],
)
def test_crops_of_another_kind_are_refused(wrong: NDArray[np.uint8], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\(N, 112, 112, 3\) uint8, N ≥ 2"):
        export(nn.Identity(), tmp_path, name="a", crops=wrong)


def test_parity_by_hand() -> None:
    reference = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
    other = np.array([[1, 0], [0.6, 0.8], [0.8, 0.6]], np.float32)
    parity = Parity.of(reference, other)
    assert parity.crops == 3
    assert (parity.difference, parity.median_cosine, parity.least_cosine) == pytest.approx((0.6, 0.96, 0.8))
