import cv2
import numpy as np
import pytest

from mien.errors import ModelError
from mien.models import find_weights, load_card, open_model
from mien.models.dlib_format import read_dlib_resnet

CARD = load_card("dlib")


@pytest.fixture(scope="module")
def data() -> bytes:
    try:
        return find_weights(CARD).read_bytes()
    except ModelError:
        pytest.skip("face-recognition-models (extra dlib) is not installed")


def test_it_gives_what_dlib_gives(data: bytes) -> None:
    dlib = pytest.importorskip("dlib")
    peer = dlib.face_recognition_model_v1(str(find_weights(CARD)))
    rng = np.random.default_rng(3)
    chips = [cv2.GaussianBlur(rng.integers(0, 256, (150, 150, 3)).astype(np.uint8), (0, 0), s) for s in (0.5, 2, 8)]
    chips += [np.zeros((150, 150, 3), np.uint8), np.full((150, 150, 3), 255, np.uint8)]
    expected = np.array([peer.compute_face_descriptor(chip) for chip in chips])
    batch = (np.array(chips, np.float32) - np.array(CARD.input.mean)) * np.array(CARD.input.scale)
    x = np.ascontiguousarray(batch.transpose(0, 3, 1, 2), np.float32)
    got = open_model(CARD, runtime="onnxruntime").run(x)["descriptor"]
    assert np.ptp(expected, axis=0).max() > 0.1
    np.testing.assert_allclose(got, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("cut", "sentence"),
    [
        (slice(0, 0), "no input layer for pictures"),
        (slice(0, 1000), "ends in the middle"),
        (slice(0, -40), "ends in the middle"),
        (slice(300, None), "no input layer for pictures"),
    ],
)
def test_another_file_is_refused(data: bytes, cut: slice, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_dlib_resnet(data[cut])


def test_another_network_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"not part of dlib's face network: 'selu_'"):
        read_dlib_resnet(data.replace(b"relu_", b"selu_"))
