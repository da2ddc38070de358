"""What is done to a crop before and after the network, with networks whose answer is known."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.errors import ModelError
from mien.faces import Faces, FusedEncoder, NetworkEncoder, open_encoder, with_embeddings
from mien.models import ModelCard, load_card
from mien.photos import Photo


@dataclass(frozen=True)
class Means:
    """A network whose embedding is the mean of each channel, the mean of the left half, and a constant."""

    card: ModelCard
    runtime: str = "fake"
    precision: str = "f32"

    def run(self, batch: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        assert batch.dtype == np.float32
        assert batch.flags["C_CONTIGUOUS"]
        assert 1 <= len(batch) <= 16
        left = batch[..., :56].mean((1, 2, 3))[:, None]
        return {self.card.output.name: np.concatenate([batch.mean((2, 3)), left], axis=1)}


def encoder(**changes: object) -> NetworkEncoder:
    card = load_card("sface")
    contract = {k: v for k, v in changes.items() if k != "centre"}
    card = replace(
        card,
        input=replace(card.input, **contract),  # type: ignore[arg-type]
        output=replace(card.output, centre=changes.get("centre")),  # type: ignore[arg-type]
    )
    return NetworkEncoder(Means(card), "means", "0" * 64, 4)


CROPS = np.random.default_rng(0).integers(0, 256, (37, 112, 112, 3), np.uint8)


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def expected(crops: NDArray[np.uint8]) -> NDArray[np.float64]:
    values = crops.astype(np.float64)
    return np.concatenate([values.mean((1, 2)), values[:, :, :56].mean((1, 2, 3))[:, None]], axis=1)


def test_a_template_that_there_is_not() -> None:
    card = load_card("sface")
    with pytest.raises(ModelError, match=r"'arcface-113', which there is not\. There are: arcface-112, dlib") as caught:
        open_encoder(replace(card, input=replace(card.input, template="arcface-113")))
    assert caught.value.code == "model.card"


def test_a_template_of_another_size() -> None:
    card = load_card("sface")
    with pytest.raises(ModelError, match=r"crops are \(112, 112\).* aligned to dlib-150 are \(150, 150\)") as caught:
        open_encoder(replace(card, input=replace(card.input, template="dlib-150")))
    assert caught.value.code == "model.card"


def test_plain() -> None:
    np.testing.assert_allclose(encoder().embed_crops(CROPS), unit(expected(CROPS)), atol=1e-6)


def test_colour_order_mean_and_scale() -> None:
    made = encoder(colour="bgr", mean=(10.0, 20.0, 30.0), scale=(0.5, 2.0, 1.0)).embed_crops(CROPS)
    values = (CROPS[..., ::-1].astype(np.float64) - [10, 20, 30]) * [0.5, 2, 1]
    wanted = np.concatenate([values.mean((1, 2)), values[:, :, :56].mean((1, 2, 3))[:, None]], axis=1)
    np.testing.assert_allclose(made, unit(wanted), atol=1e-6)


def test_flip_adds_the_mirror_image() -> None:
    wanted = unit(expected(CROPS) + expected(CROPS[:, :, ::-1]))
    made = encoder(flip=True).embed_crops(CROPS)
    np.testing.assert_allclose(made, wanted, atol=1e-6)
    np.testing.assert_allclose(made, encoder(flip=True).embed_crops(CROPS[:, :, ::-1].copy()), atol=1e-6)


def test_centre_is_subtracted_between_two_normalisations() -> None:
    centre = (0.5, 0.4, 0.3, 0.2)
    wanted = unit(unit(expected(CROPS)) - centre)
    np.testing.assert_allclose(encoder(centre=centre).embed_crops(CROPS), wanted, atol=1e-5)


def test_a_zero_embedding_is_refused() -> None:
    with pytest.raises(ModelError, match="zero or not a number"):
        encoder().embed_crops(np.zeros((2, 112, 112, 3), np.uint8))


def test_no_crops() -> None:
    assert encoder().embed_crops(CROPS[:0]).shape == (0, 4)


def test_fused_cosine_is_the_weighted_sum_of_cosines() -> None:
    first, second = encoder(), encoder(colour="bgr", scale=(3.0, 1.0, 1.0))
    fused = FusedEncoder(((first, 0.7), (second, 0.3)), "both", "1" * 64, 8)
    photo = Photo.open(np.random.default_rng(1).integers(0, 256, (200, 300, 3), np.uint8))
    boxes = np.array([[10, 10, 80, 80], [120, 20, 100, 100]], np.float32)
    rng = np.random.default_rng(2)
    landmarks = (boxes[:, None, :2] + rng.uniform(0, 80, (2, 5, 2))).astype(np.float32)
    faces = Faces(boxes, landmarks, np.ones(2, np.float32), size=(300, 200), photo=photo)
    a, b, both = (with_embeddings([faces], e)[0].embeddings for e in (first, second, fused))
    np.testing.assert_allclose(both @ both.T, 0.7 * a @ a.T + 0.3 * b @ b.T, atol=1e-6)


def test_photos_without_faces_stay_in_their_place() -> None:
    photo = Photo.open(np.full((200, 200, 3), 99, np.uint8))
    one = Faces(
        np.zeros((1, 4), np.float32),
        np.random.rand(1, 5, 2).astype(np.float32) * 90,
        np.ones(1, np.float32),
        photo=photo,
    )
    answer = with_embeddings([Faces(source="a"), one, Faces(source="c")], encoder())
    assert [len(faces) for faces in answer] == [0, 1, 0]
    assert answer[1].embeddings.shape == (1, 4)
    assert with_embeddings([], encoder()) == []


def test_a_detector_is_no_encoder() -> None:
    with pytest.raises(ModelError, match="yunet is no encoder"):
        open_encoder("yunet")


def test_flip_is_part_of_the_identity() -> None:
    plain, flipped = (open_encoder("sface", flip=flip, runtime="onnxruntime") for flip in (False, True))
    assert plain.identity != flipped.identity
    assert plain.identity == open_encoder("sface", runtime="onnxruntime").identity
