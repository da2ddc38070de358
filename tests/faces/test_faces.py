"""The value object: shapes, choosing, indexing."""

from typing import Any

import numpy as np
import pytest

from mien.errors import ConfigError, NoFaceError, PhotoError
from mien.faces import Faces, choose, draw


def three() -> Faces:
    return Faces(
        boxes=np.array([[0, 0, 10, 10], [40, 40, 20, 20], [70, 0, 30, 30]], np.float32),
        landmarks=np.arange(30, dtype=np.float32).reshape(3, 5, 2),
        scores=np.array([0.9, 0.8, 0.7], np.float32),
        embeddings=np.eye(3, 4, dtype=np.float32),
        size=(100, 100),
        source="group.jpg",
    )


def test_indexing_keeps_rows_together() -> None:
    faces = three()
    indices: list[Any] = [1, np.int64(1), [1], np.array([1]), slice(1, 2), np.array([False, True, False])]
    for index in indices:
        one = faces[index]
        assert len(one) == 1
        assert one.boxes[0, 0] == 40
        assert one.landmarks[0, 0, 0] == 10
        assert one.scores[0] == np.float32(0.8)
        assert one.embeddings.tolist() == [[0, 1, 0, 0]]
    assert faces[-1].boxes[0, 0] == 70
    with pytest.raises(IndexError):
        faces[3]
    assert [len(f) for f in faces] == [1, 1, 1]


def test_policies() -> None:
    faces = three()
    assert choose(faces, "largest").boxes[0, 0] == 70
    assert choose(faces, "central").boxes[0, 0] == 40
    assert choose(faces, "central").notes == ("the most central of 3 faces was taken",)
    assert len(choose(faces, "all")) == 3
    assert choose(faces[0], "only").notes == ()
    with pytest.raises(NoFaceError, match="shows 3 faces") as several:
        choose(faces, "only")
    assert several.value.code == "no-face.several"
    with pytest.raises(ConfigError, match="biggest"):
        choose(faces, "biggest")  # type: ignore[arg-type]


@pytest.mark.parametrize("policy", ["central", "largest", "only", "all"])
def test_no_face_is_never_a_choice(policy: str) -> None:
    with pytest.raises(NoFaceError, match=r"No face was found in group\.jpg"):
        choose(three()[:0], policy)  # type: ignore[arg-type]
    with pytest.raises(PhotoError):
        choose(Faces(problem=PhotoError("Broken.")), policy)  # type: ignore[arg-type]


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="landmarks"):
        Faces(boxes=np.zeros((2, 4), np.float32), scores=np.zeros(2, np.float32))
    with pytest.raises(ValueError, match="embeddings"):
        Faces(embeddings=np.zeros((1, 3), np.float32))


def test_to_dict_is_json_ready() -> None:
    as_data = three().to_dict()
    assert as_data["faces"][1] == {
        "box": [40.0, 40.0, 20.0, 20.0],
        "landmarks": [[10.0, 11.0], [12.0, 13.0], [14.0, 15.0], [16.0, 17.0], [18.0, 19.0]],
        "score": 0.8,
    }
    assert as_data["problem"] is None


def test_drawing_marks_the_copy_only() -> None:
    pixels = np.zeros((100, 100, 3), np.uint8)
    drawn = draw(pixels, three())
    assert not pixels.any()
    assert drawn[40, 50].any()
    assert not drawn[95, 5].any()
