from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.errors import GalleryError
from mien.gallery import index, tables
from mien.gallery.index import Index
from mien.gallery.sqlite import SqliteDatabase

Vectors = NDArray[np.float32]

DIMENSIONS = 6  # not 5: there OpenBLAS reads a stray number on AVX-512, and numpy may warn of an invalid value


@pytest.fixture
def database(tmp_path: Path) -> SqliteDatabase:
    return SqliteDatabase(tmp_path / "gallery.db")


def unit(rows: int, dimensions: int, seed: int) -> Vectors:
    vectors = np.random.default_rng(seed).normal(size=(rows, dimensions))
    unit_vectors: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit_vectors


def enroll(database: SqliteDatabase, name: str, vectors: Vectors, tag: str = "") -> int:
    with database.writing() as connection:
        tables.set_encoder(connection, "fake", "f" * 64, vectors.shape[1])
        number = tables.person_number(connection, name)
        number = tables.add_person(connection, name) if number is None else number
        photos = [f"{tag}{k}" for k in range(len(vectors))]
        templates = [tables.NewTemplate(v, sha, sha, (0, 0, 1, 1), 1.0) for v, sha in zip(vectors, photos, strict=True)]
        tables.add_templates(connection, number, templates)
    return number


def forget(database: SqliteDatabase, number: int) -> None:
    with database.writing() as connection:
        tables.delete_person(connection, number)


def refresh(found: Index, database: SqliteDatabase) -> None:
    with database.reading() as connection:
        found.refresh(connection)


def expected(people: dict[int, Vectors], probes: Vectors, top: int) -> list[list[tuple[int, float]]]:
    """By two loops, in double precision."""
    answers = []
    for probe in probes.astype(np.float64):
        best = [
            (number, max(float(t @ probe) for t in vectors.astype(np.float64))) for number, vectors in people.items()
        ]
        answers.append(sorted(best, key=lambda pair: (-pair[1], pair[0]))[:top])
    return answers


@pytest.mark.parametrize("similarities_at_once", [1, 1 << 24])  # in blocks of one probe, and all at once
@settings(max_examples=15)
@given(data=st.data())
def test_stays_in_step_and_finds_what_two_loops_find(
    tmp_path_factory: pytest.TempPathFactory, similarities_at_once: int, data: st.DataObject
) -> None:
    database = SqliteDatabase(tmp_path_factory.mktemp("index") / "gallery.db")
    people: dict[int, Vectors] = {}
    seed = data.draw(st.integers(0, 1000))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "_SIMILARITIES_AT_ONCE", similarities_at_once)
        found = Index()
        for step in range(data.draw(st.integers(1, 6))):
            if data.draw(st.booleans(), label="forget") and people:
                number = data.draw(st.sampled_from(sorted(people)))
                forget(database, number)
                del people[number]
            else:
                vectors = unit(data.draw(st.integers(1, 4)), DIMENSIONS, seed + step)
                name = data.draw(st.sampled_from("abcd"))
                number = enroll(database, name, vectors, tag=f"{step}-")
                people[number] = np.concatenate([people.get(number, vectors[:0]), vectors])
            if data.draw(st.booleans(), label="refresh"):
                refresh(found, database)
        refresh(found, database)
        probes = unit(3, DIMENSIONS, seed + 99)
        numbers, similarities = found.search(probes, 3)
    assert found.templates == sum(map(len, people.values()))
    for row, scores, pairs in zip(numbers, similarities, expected(people, probes, 3), strict=True):
        assert row.tolist() == [number for number, _ in pairs]
        np.testing.assert_allclose(scores, [similarity for _, similarity in pairs], atol=1e-6)
    database.close()


def test_equal_similarities_come_by_number_and_leaving_out_works(database: SqliteDatabase) -> None:
    vector = unit(1, 8, 0)
    numbers = [enroll(database, name, vector) for name in "abcde"]
    found = Index()
    refresh(found, database)
    people, similarities = found.search(vector, 3)
    assert people.tolist() == [numbers[:3]]
    np.testing.assert_allclose(similarities, 1, atol=1e-6)
    assert similarities.max() <= 1
    assert found.search(vector, 9, leave_out=numbers[1])[0].tolist() == [[n for n in numbers if n != numbers[1]]]
    assert found.search(vector[:0], 3)[0].shape == (0, 0)


def test_only_what_is_new_is_read(database: SqliteDatabase) -> None:
    enroll(database, "a", unit(50, 8, 0))
    found = Index()
    refresh(found, database)
    enroll(database, "b", unit(2, 8, 1))
    asked: list[tuple[str, object]] = []
    with database.reading() as connection:
        sa.event.listen(connection, "before_cursor_execute", lambda *a: asked.append((a[2], a[3])))
        found.refresh(connection)
        found.refresh(connection)
    assert found.templates == 52
    assert [values for query, values in asked if "embedding" in query] == [(50,)]  # after the fiftieth


def test_what_is_forgotten_leaves_memory(database: SqliteDatabase) -> None:
    first, second = unit(3, 8, 0), unit(2, 8, 1)
    number = enroll(database, "a", first)
    enroll(database, "b", second)
    found = Index()
    refresh(found, database)
    forget(database, number)
    refresh(found, database)
    held = found._matrix.tobytes()
    assert second.tobytes() in held
    assert not any(vector.tobytes() in held for vector in first)


def test_another_encoder_starts_anew(database: SqliteDatabase) -> None:
    number = enroll(database, "a", unit(3, 8, 0))
    found = Index()
    refresh(found, database)
    forget(database, number)
    enroll(database, "b", unit(2, DIMENSIONS, 0))
    refresh(found, database)
    assert (found.templates, found.dimensions) == (2, DIMENSIONS)
    assert found.search(unit(1, DIMENSIONS, 0), 1)[1].item() == pytest.approx(1)


@pytest.mark.parametrize(
    "embedding",
    [
        b"123",
        np.zeros(8, "<f4").tobytes(),
        np.full(8, 1, "<f4").tobytes(),
        np.full(8, np.nan, "<f4").tobytes(),
        np.full(8, 3e38, "<f4").tobytes(),
        "text",
        10**15,
    ],
)
def test_what_is_no_embedding_is_damage(database: SqliteDatabase, embedding: object) -> None:
    enroll(database, "a", unit(3, 8, 0))
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE template SET embedding = ? WHERE id = 2", (embedding,))
    found = Index()
    for _ in range(2):  # nothing of it is kept
        with pytest.raises(GalleryError) as caught:
            refresh(found, database)
        assert caught.value.code == "gallery.damaged"


@pytest.mark.parametrize("number", [0, -1, -(2**63)])
def test_a_template_that_would_never_be_found_is_damage(database: SqliteDatabase, number: int) -> None:
    enroll(database, "a", unit(3, 8, 0))
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE template SET id = ? WHERE id = 2", (number,))
    with pytest.raises(GalleryError, match="not above 0"):
        refresh(Index(), database)


@pytest.mark.parametrize("dimensions", [10**12, -1, 7, None, "many"])
def test_dimensions_that_no_embedding_has_are_damage(database: SqliteDatabase, dimensions: object) -> None:
    enroll(database, "a", unit(3, 8, 0))
    for blanked in ("", ", embedding = x''"):
        with database.writing() as connection:
            connection.exec_driver_sql("UPDATE gallery SET dimensions = ?", (dimensions,))
            connection.exec_driver_sql(f"UPDATE template SET source = 's'{blanked}")
        with pytest.raises(GalleryError) as caught:
            refresh(Index(), database)
        assert caught.value.code == "gallery.damaged"
