from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.errors import PhotoError
from mien.faces import Detector, NetworkEncoder, choose, embed_ready_crops, open_encoder, ready_crop
from mien.photos import PhotoFile


@pytest.fixture(scope="module")
def sface() -> NetworkEncoder:
    encoder = open_encoder("sface", runtime="onnxruntime")
    assert isinstance(encoder, NetworkEncoder)
    return encoder


def aligned(photo: Path) -> NDArray[Any]:
    crops = choose(Detector.open(runtime="onnxruntime").detect(photo), "central").crops()
    return np.asarray(crops[0])


def test_an_encoder_of_the_template_sees_the_crop_as_it_is(people: Path, sface: NetworkEncoder) -> None:
    crop = aligned(people / "person-0001/0001.jpg")
    np.testing.assert_array_equal(ready_crop(crop).crops()[0], crop)
    (found,) = embed_ready_crops([crop], sface)
    np.testing.assert_allclose(found.embeddings, sface.embed_crops(crop[None]), atol=1e-6)


def test_a_crop_of_twice_the_size_is_the_same_face(people: Path, sface: NetworkEncoder) -> None:
    crop = aligned(people / "person-0002/0001.jpg")
    small, large = embed_ready_crops([crop, crop.repeat(2, axis=0).repeat(2, axis=1)], sface)
    assert float(small.embeddings[0] @ large.embeddings[0]) > 0.95


def test_other_proportions_are_refused(sface: NetworkEncoder) -> None:
    with pytest.raises(PhotoError, match="96 × 112"):
        ready_crop(np.zeros((112, 96, 3), np.uint8))


def test_one_that_cannot_be_used_does_not_stop_the_rest(people: Path, sface: NetworkEncoder, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff nothing")
    crop = aligned(people / "person-0001/0001.jpg")
    found = list(embed_ready_crops([crop] * 20 + [PhotoFile.read(tmp_path / "bad.jpg"), b"", crop], sface))
    assert [len(faces) for faces in found] == [1] * 20 + [0, 0, 1]
    assert [faces.source for faces in found[20:]] == [str(tmp_path / "bad.jpg"), "<bytes>", "<array>"]
    assert found[20].problem is not None
