"""The table of faces: growing, interruption, files."""

import json
import pickle
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest

from mien.errors import InputError, PhotoError
from mien.faces import Faces, FaceTable


def photo(source: str, faces: int, seed: int = 0) -> Faces:
    rng = np.random.default_rng(seed)
    embeddings = rng.random((faces, 8), np.float32)
    return Faces(
        boxes=rng.random((faces, 4), np.float32),
        landmarks=100 * rng.random((faces, 5, 2), np.float32),
        scores=rng.random(faces, np.float32),
        embeddings=embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True),
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


def test_photos_without_a_name_stay_apart() -> None:
    table = FaceTable("sface", "ab")
    for _ in range(2):
        broken = Faces(problem=PhotoError("It is broken.", code="photo.truncated"))
        table.extend([broken, photo("", 2), Faces(), photo("", 1)])
    assert [why["code"] for why in table.problems.values()] == ["photo.truncated", "no-face.none"] * 2
    np.testing.assert_array_equal(table.photo_numbers(), [0, 0, 1, 2, 2, 3])
    assert len(table.photos_done()) == 8
    assert not table.stamps  # the working folder is no photo
    table.extend([photo("<array>", 2), photo("<array>", 1)])
    np.testing.assert_array_equal(table.photo_numbers()[-3:], [4, 4, 5])


def test_photos_of_blurred_faces_alone_are_among_the_problems(tmp_path: Path) -> None:
    table = FaceTable("sface", "ab")
    blurred, mixed, unknown = photo("blurred", 2, 1), photo("mixed", 2, 2), photo("unknown", 1, 3)
    blurred = replace(blurred, sharpness=np.array([0.002, 0.1]), noise=np.array([0.1, 1000.0]))
    table.extend([blurred, replace(mixed, sharpness=np.array([0.001, 0.1])), Faces(source="empty"), unknown])
    assert table.blurred.tolist() == [True, True, True, False, False]
    table.save(tmp_path / "faces.npz")
    part = FaceTable.load(tmp_path / "faces.npz").sharp()
    assert part.sources == ["mixed", "unknown"]
    np.testing.assert_array_equal(part.embeddings, table.embeddings[[3, 4]])
    np.testing.assert_array_equal(part.sharpness, [0.1, np.nan])
    np.testing.assert_array_equal(FaceTable.load(tmp_path / "faces.npz").noise, [0.1, 1000, np.nan, np.nan, np.nan])
    why = {"empty": "no-face.none", "blurred": "no-face.blurred"}
    assert {name: problem["code"] for name, problem in part.problems.items()} == why
    assert len(table) == 5
    assert list(table.problems) == ["empty"]


@pytest.mark.parametrize("unknown", [["noise"], ["sharpness", "noise"]])
def test_a_table_from_before_quality_was_kept(unknown: list[str], tmp_path: Path) -> None:
    table = FaceTable("sface", "ab")
    table.extend([photo("a", 2)])
    table.save(tmp_path / "new.npz")
    arrays = dict(np.load(tmp_path / "new.npz"))
    for name in unknown:
        del arrays[name]
    np.savez(tmp_path / "old.npz", **arrays)
    old = FaceTable.load(tmp_path / "old.npz")
    assert all(np.isnan(getattr(old, name)).all() for name in unknown)
    assert not old.blurred.any()
    old.extend([replace(photo("b", 1), sharpness=np.array([0.001])), replace(photo("c", 1), noise=np.array([1000.0]))])
    assert old.blurred.tolist() == [False, False, True, True]


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


def about(**changed: object) -> np.ndarray[Any, Any]:
    """What a table says of itself, with changes."""
    told = {"encoder_name": "sface", "encoder_identity": "ab", "settings": {}, "problems": {}, "stamps": {}}
    return np.array(json.dumps({**told, **changed}))


def test_a_table_of_faces_whose_quality_nobody_measured_round_trips(tmp_path: Path) -> None:
    faces = photo("a.jpg", 3)
    FaceTable("sface", "ab", {}, ["a.jpg"] * 3, faces.boxes, faces.landmarks, faces.scores, faces.embeddings).save(
        tmp_path / "faces.npz"
    )
    table = FaceTable.load(tmp_path / "faces.npz")
    assert np.isnan([table.sharpness, table.noise]).all()
    assert len(table.sharp()) == 3


def test_an_empty_table_round_trips(tmp_path: Path) -> None:
    FaceTable("sface", "ab").save(tmp_path / "faces.npz")
    table = FaceTable.load(tmp_path / "faces.npz")
    assert len(table) == 0
    table.extend([photo("a", 1)])
    assert table.embeddings.shape == (1, 8)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 not a zip", pickle.dumps([1])])
def test_other_files_are_refused_without_advice_to_unpickle_them(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.npz is not a table of faces") as caught:
        FaceTable.load(tmp_path / "x.npz")
    told = "".join(traceback.format_exception(caught.value))
    assert "allow_pickle" not in told
    assert "pickle.load" not in told


def test_a_missing_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing\.npz can't be read: No such file"):
        FaceTable.load(tmp_path / "missing.npz")


@pytest.mark.parametrize(
    "other",
    [
        {"boxes": np.zeros((3, 4), np.float32)},
        {"landmarks": np.zeros((2, 10), np.float32)},
        {"embeddings": np.zeros(2, np.float32)},
        {"sharpness": np.zeros(3)},
        {"sharpness": np.full(2, -1.0)},
        {"sharpness": np.full(2, np.inf)},
        {"sharpness": np.full(2, "x")},
        {"noise": np.zeros(3)},
        {"noise": np.full(2, -1.0)},
        {"noise": np.full(2, np.inf)},
        {"embeddings": np.full((2, 8), np.nan, np.float32)},
        {"embeddings": np.full((2, 8), "x")},
        {"embeddings": np.full((2, 8), 30, np.float32)},
        {"about": np.array("[" * 10**5)},
        {"sources": np.zeros(2)},
        {"about": np.array("[1]")},
        {"about": np.array("{")},
        {"about": np.array(json.dumps({"problems": {"a": 1}}))},
        {"about": about(problems={"a": {"code": 1, "message": "", "hint": ""}})},
        {"about": about(stamps={"a": {}})},
    ],
    ids=str,
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, other: dict[str, Any]) -> None:
    table = FaceTable("sface", "ab")
    table.extend([photo("a", 2)])
    table.save(tmp_path / "faces.npz")
    with np.load(tmp_path / "faces.npz") as saved:
        np.savez(tmp_path / "faces.npz", **{**saved, **other})
    with pytest.raises(InputError, match="not a table of faces"):
        FaceTable.load(tmp_path / "faces.npz")
    np.savez(tmp_path / "y.npz", **other)
    with pytest.raises(InputError, match="not a table of faces"):
        FaceTable.load(tmp_path / "y.npz")


def test_a_table_that_unpacks_to_more_than_its_file_is_refused(tmp_path: Path) -> None:
    table = FaceTable("sface", "ab")
    table.extend([photo("a", 2)])
    table.save(tmp_path / "faces.npz")
    with np.load(tmp_path / "faces.npz") as saved:
        np.savez_compressed(tmp_path / "faces.npz", **saved)
    with pytest.raises(InputError, match="not a table of faces"):
        FaceTable.load(tmp_path / "faces.npz")


@pytest.mark.parametrize(
    "header",
    [
        f"{{'descr': '<f4', 'fortran_order': False, 'shape': (2, {10**14})}}",  # more than there is memory for
        f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({10**30},)}}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 8)",
        "{'descr': ',', 'fortran_order': False, 'shape': (2, 8)}",
        "\n  x\n y",
    ],
)
def test_an_array_whose_header_makes_no_sense(tmp_path: Path, header: str) -> None:
    table = FaceTable("sface", "ab")
    table.extend([photo("a", 2)])
    table.save(tmp_path / "faces.npz")
    array = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode()
    with ZipFile(tmp_path / "faces.npz") as saved, ZipFile(tmp_path / "other.npz", "w") as changed:
        for name in saved.namelist():
            changed.writestr(name, array if name == "embeddings.npy" else saved.read(name))
    with pytest.raises(InputError, match="not a table of faces"):
        FaceTable.load(tmp_path / "other.npz")


def test_an_encrypted_archive_is_no_table(tmp_path: Path) -> None:
    FaceTable("sface", "ab").save(tmp_path / "faces.npz")
    data = bytearray((tmp_path / "faces.npz").read_bytes())
    for entry, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = -1
        while (at := data.find(entry, at + 1)) >= 0:
            data[at + flags] |= 1
    (tmp_path / "faces.npz").write_bytes(data)
    with pytest.raises(InputError, match="not a table of faces"):
        FaceTable.load(tmp_path / "faces.npz")


def test_a_single_array_is_no_table(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(InputError, match="not a table of faces"):
        FaceTable.load(tmp_path / "one.npy")


class Touch:
    """Unpickled, it leaves a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.file,))


@pytest.mark.parametrize("name", ["about", "sources", "embeddings"])
def test_nothing_is_unpickled(tmp_path: Path, name: str) -> None:
    table = FaceTable("sface", "ab")
    table.extend([photo("a", 1)])
    table.save(tmp_path / "faces.npz")
    with np.load(tmp_path / "faces.npz") as saved:
        np.savez(tmp_path / "faces.npz", **{**saved, name: np.array([Touch(tmp_path / "ran")], object)})
    (tmp_path / "bare.npz").write_bytes(pickle.dumps(Touch(tmp_path / "ran")))
    for file in ("faces.npz", "bare.npz"):
        with pytest.raises(InputError, match="nothing in it was run"):
            FaceTable.load(tmp_path / file)
    assert not (tmp_path / "ran").exists()
