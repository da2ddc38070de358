"""The table of faces: growing, interruption, files."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mien.errors import ConfigError, PhotoError
from mien.faces import Faces, FaceTable


def photo(source: str, faces: int, seed: int = 0) -> Faces:
    rng = np.random.default_rng(seed)
    return Faces(
        boxes=rng.random((faces, 4), np.float32),
        landmarks=rng.random((faces, 5, 2), np.float32),
        scores=rng.random(faces, np.float32),
        embeddings=rng.random((faces, 8), np.float32),
        source=source,
    )


def test_rows_stay_together_and_problems_are_kept() -> None:
    table = FaceTable("sface", "ab")
    a, b = photo("a", 2, 1), photo("b", 1, 2)
    table.extend([a, Faces(source="broken", problem=PhotoError("It is broken.", code="photo.truncated"))])
    table.extend([Faces(source="empty"), b])
    assert table.sources == ["a", "a", "b"]
    np.testing.assert_array_equal(table.embeddings, np.concatenate([a.embeddings, b.embeddings]))
    np.testing.assert_array_equal(table.landmarks, np.concatenate([a.landmarks, b.landmarks]))
    np.testing.assert_array_equal(table.boxes, np.concatenate([a.boxes, b.boxes]))
    np.testing.assert_array_equal(table.photo_numbers(), [0, 0, 1])
    assert table.problems["broken"]["code"] == "photo.truncated"
    assert table.photos_done() == {"a", "b", "broken", "empty"}


def test_only_some_photos() -> None:
    table = FaceTable("sface", "ab", {"face": "all"})
    a, b, c = photo("a", 2, 1), photo("b", 1, 2), photo("c", 1, 3)
    table.extend([a, b, c, Faces(source="empty"), Faces(source="void")])
    part = table.only(["c", "a", "void", "never seen"])
    assert part.sources == ["a", "a", "c"]
    np.testing.assert_array_equal(part.embeddings, np.concatenate([a.embeddings, c.embeddings]))
    np.testing.assert_array_equal(part.boxes, np.concatenate([a.boxes, c.boxes]))
    np.testing.assert_array_equal(part.landmarks, np.concatenate([a.landmarks, c.landmarks]))
    np.testing.assert_array_equal(part.scores, np.concatenate([a.scores, c.scores]))
    assert part.problems.keys() == {"void"}
    assert (part.settings, part.encoder_identity) == (table.settings, "ab")
    assert len(table) == 4
    assert len(table.only([])) == 0


def test_what_came_before_an_interruption_is_kept() -> None:
    def interrupted() -> Iterator[Faces]:
        yield photo("a", 1)
        yield photo("b", 1)
        raise KeyboardInterrupt

    table = FaceTable("sface", "ab")
    with pytest.raises(KeyboardInterrupt):
        table.extend(interrupted())
    assert table.sources == ["a", "b"]
    assert len(table.embeddings) == 2


def test_round_trip(tmp_path: Path) -> None:
    table = FaceTable("sface", "ab")
    table.extend([photo("ünïcode 'name'", 2), Faces(source="empty")])
    table.save(tmp_path / "faces.npz")
    again = FaceTable.load(tmp_path / "faces.npz")
    assert (again.sources, again.problems, again.encoder_identity) == (table.sources, table.problems, "ab")
    np.testing.assert_array_equal(again.embeddings, table.embeddings)
    np.testing.assert_array_equal(again.landmarks, table.landmarks)
    assert [path.name for path in tmp_path.iterdir()] == ["faces.npz"]


def test_an_empty_table_round_trips(tmp_path: Path) -> None:
    FaceTable("sface", "ab").save(tmp_path / "faces.npz")
    table = FaceTable.load(tmp_path / "faces.npz")
    assert len(table) == 0
    table.extend([photo("a", 1)])
    assert table.embeddings.shape == (1, 8)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 not a zip"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(ConfigError, match=r"x\.npz is not a table of faces"):
        FaceTable.load(tmp_path / "x.npz")
    np.savez(tmp_path / "y.npz", other=np.zeros(3))
    with pytest.raises(ConfigError, match="not a table of faces"):
        FaceTable.load(tmp_path / "y.npz")
    with pytest.raises(ConfigError):
        FaceTable.load(tmp_path / "missing.npz")


def test_pickles_are_never_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "evil.npz", about=np.array([{"a": 1}], object))
    with pytest.raises(ConfigError):
        FaceTable.load(tmp_path / "evil.npz")
