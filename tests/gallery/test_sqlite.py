import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlcipher3 import dbapi2

from fake_recognizer import FakeRecognizer, embedding, portrait
from mien.errors import GalleryError
from mien.gallery import Gallery, schema, sqlite
from mien.gallery.sqlite import SqliteDatabase


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gallery.db"


def refusal(path: Path) -> GalleryError:
    with pytest.raises(GalleryError) as caught:
        SqliteDatabase(path)
    assert str(path) in caught.value.message
    assert caught.value.hint
    return caught.value


def test_settings(path: Path) -> None:
    database = SqliteDatabase(path)
    with database.reading() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
        }
    assert settings == {
        "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "busy_timeout": 30_000
    }  # fmt: skip
    assert dbapi2.sqlite_version_info >= (3, 51, 3)  # before, two connections could damage the log
    database.close()
    assert path.read_bytes().startswith(b"SQLite format 3\0")  # without a key it is plain SQLite
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_transaction_is_undone_if_anything_is_raised(path: Path) -> None:
    database = SqliteDatabase(path)
    with suppress(KeyError), database.writing() as connection:
        connection.execute(sa.update(schema.gallery).values(encoder_name="x"))
        raise KeyError
    with database.reading() as connection:
        about = connection.execute(sa.select(schema.gallery)).one()
    assert (about.encoder_name, about.revision) == (None, 0)


def test_an_empty_file_becomes_a_gallery(path: Path) -> None:
    path.touch()
    with Gallery(path) as gallery:
        assert len(gallery) == 0


def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_bytes(b"holiday photos, but not a gallery " * 100)
    assert refusal(path).code == "gallery.not-a-database"
    assert path.read_bytes().startswith(b"holiday")


def test_somebody_elses_database_is_not_touched(path: Path) -> None:
    other = dbapi2.connect(str(path))
    other.execute("CREATE TABLE recipe (name)")
    other.close()
    before = path.read_bytes()
    assert refusal(path).code == "gallery.not-a-gallery"
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_newer_gallery(path: Path) -> None:
    database = SqliteDatabase(path)
    with database.writing() as connection:
        connection.execute(sa.update(schema.gallery).values(schema_version=schema.SCHEMA_VERSION + 1))
    database.close()
    assert refusal(path).code == "gallery.newer"


def test_places_where_no_file_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (
        tmp_path, tmp_path / "missing" / "g.db", tmp_path / "file" / "g.db", tmp_path / ("x" * 300), Path(os.devnull)
    ):  # fmt: skip
        assert refusal(place).code == "gallery.cannot-open"


def test_damage_is_said(path: Path) -> None:
    with Gallery(path, recognizer=FakeRecognizer.make()) as gallery:
        for person in range(1, 40):
            gallery.enroll(f"Person {person}", portrait(person))
    content = bytearray(path.read_bytes())
    content[3 * 4096 :] = b"\x5a" * (len(content) - 3 * 4096)
    path.write_bytes(content)
    with pytest.raises(GalleryError) as caught, Gallery(path) as gallery:
        gallery.search([embedding(1)])
    assert caught.value.code == "gallery.damaged"
    content[100:] = b"\x5a" * (len(content) - 100)
    path.write_bytes(content)
    assert refusal(path).code == "gallery.damaged"
    path.write_bytes(content[:50])
    assert refusal(path).code == "gallery.damaged"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE gallery SET schema_version = 'abc'",
        "UPDATE gallery SET revision = 'abc'",
        "UPDATE gallery SET revision = -1",
        "UPDATE gallery SET revision = 9223372036854775807",
        "UPDATE gallery SET encoder_identity = x'00'",
        "DELETE FROM gallery",
        "UPDATE person SET created = 'yesterday'",
        "UPDATE person SET created = x'00'",
        "UPDATE person SET name = x'00' WHERE id = 1",
        "UPDATE person SET name = CAST(x'416e6ec3' AS TEXT) WHERE id = 1",
        "UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'person'",
        "UPDATE template SET created = 5",
        "UPDATE template SET score = 'high'",
        "UPDATE template SET x = 9e999",
        "UPDATE template SET embedding = 'text'",
        "UPDATE template SET person_id = 'Ann'",
        "DELETE FROM person",
    ],
)
def test_values_that_no_mien_wrote_are_damage(path: Path, change: str) -> None:
    with Gallery(path, recognizer=FakeRecognizer.make()) as gallery:
        for person in range(1, 4):
            gallery.enroll(f"Person {person}", portrait(person))
        gallery.calibrate()
    other = dbapi2.connect(str(path), isolation_level=None)
    other.execute(change)
    other.close()
    refusals: list[GalleryError] = []
    looks: list[Callable[[Gallery], object]] = [
        lambda gallery: gallery.people(),
        lambda gallery: gallery.show("Person 1"),
        lambda gallery: gallery.identify(portrait(1)),
        lambda gallery: gallery.forget("Person 1"),
        lambda gallery: gallery.calibrate(),
    ]
    for look in looks:
        try:
            with Gallery(path, recognizer=FakeRecognizer.make()) as gallery:
                look(gallery)
        except GalleryError as refusal:
            refusals.append(refusal)
    codes = {refusal.code for refusal in refusals} - {"gallery.unknown-person"}
    assert codes == {"gallery.damaged"}
    assert all(str(path) in refusal.message and refusal.hint for refusal in refusals if refusal.code in codes)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE VIEW people AS WITH RECURSIVE n(k) AS (VALUES (1) UNION ALL SELECT k FROM n) SELECT k FROM n",
        "ALTER TABLE gallery RENAME TO g; CREATE VIEW gallery AS SELECT * FROM g",
        "CREATE TRIGGER t AFTER INSERT ON person BEGIN DELETE FROM template; END",
        "ALTER TABLE person ADD COLUMN face GENERATED ALWAYS AS (zeroblob(900000000))",
        "CREATE VIRTUAL TABLE t USING fts5(name)",
        "ALTER TABLE person ADD COLUMN face CHECK (length(hex(zeroblob(400000000))))",
        "ALTER TABLE person ADD COLUMN face DEFAULT (zeroblob(900000000))",
        "CREATE INDEX i ON person (hex(zeroblob(400000000)))",
    ],
)
def test_a_database_that_runs_programs_is_refused(path: Path, change: str) -> None:
    SqliteDatabase(path).close()
    other = dbapi2.connect(str(path), isolation_level=None)
    other.executescript(change)
    other.close()
    refused = refusal(path)
    assert refused.code == "gallery.damaged"
    assert "which no mien makes" in refused.message


@pytest.mark.parametrize("number", ["'abc'", "NULL", "1.5", "x'00'"])
def test_a_table_without_numbers_is_damage(path: Path, number: str) -> None:
    with Gallery(path, recognizer=FakeRecognizer.make()) as gallery:
        gallery.enroll("Ann", portrait(1))
    other = dbapi2.connect(str(path), isolation_level=None)
    other.executescript(
        "CREATE TABLE t AS SELECT * FROM template; DROP TABLE template; ALTER TABLE t RENAME TO template; "
        f"UPDATE template SET id = {number}"
    )
    other.close()
    with Gallery(path, recognizer=FakeRecognizer.make()) as gallery, pytest.raises(GalleryError) as caught:
        gallery.identify(portrait(1))
    assert caught.value.code == "gallery.damaged"


def test_locked_by_another(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.1)
    with Gallery(path, recognizer=FakeRecognizer.make()) as gallery:
        gallery.enroll("Ann", portrait(1))
        other = dbapi2.connect(str(path), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(GalleryError) as caught:
            gallery.enroll("Bob", portrait(2))
        assert caught.value.code == "gallery.locked"
        assert gallery.identify(portrait(1))[0].person == "Ann"  # reading goes on
        other.close()
        gallery.enroll("Bob", portrait(2))


def test_forgetting_while_another_reads_is_honest(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.1)
    with Gallery(path, recognizer=FakeRecognizer.make()) as gallery:
        gallery.enroll("Ann", portrait(1))
        gallery.enroll("Bob", portrait(2))
        other = dbapi2.connect(str(path), isolation_level=None)
        other.execute("BEGIN")
        other.execute("SELECT * FROM person").fetchall()
        receipt = gallery.forget("Ann")
        assert not receipt.erased
        assert "another program" in receipt.reason
        assert len(gallery) == 1
        other.close()
        assert gallery.compact()
        assert not gallery._database.holds_any([embedding(1).tobytes()])
        assert gallery._database.holds_any([embedding(2).tobytes()])


@pytest.mark.skipif(os.name == "nt", reason="an open file can't be deleted there")
def test_a_file_that_is_gone_takes_nobody(path: Path) -> None:
    """What is written to a deleted file goes with it."""
    with Gallery(path, recognizer=FakeRecognizer.make()) as gallery:
        gallery.enroll("Ann", portrait(1))
        for file in path.parent.iterdir():
            file.unlink()
        with pytest.raises(GalleryError) as deleted:
            gallery.enroll("Bob", portrait(2))
        SqliteDatabase(path).close()
        with pytest.raises(GalleryError) as replaced:
            gallery.identify(portrait(1))
    assert deleted.value.code == replaced.value.code == "gallery.moved"


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_link_to_where_the_gallery_is_to_be(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(path)
    with Gallery(link, recognizer=FakeRecognizer.make()) as gallery:
        gallery.enroll("Ann", portrait(1))
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert gallery._database.holds_any([embedding(1).tobytes()])
        assert gallery.forget("Ann").erased


def test_no_name_and_no_embedding_in_messages(path: Path) -> None:
    with Gallery(path, recognizer=FakeRecognizer.make()) as gallery:
        gallery.enroll("Ann Unusual-Name", portrait(1))
        with pytest.raises(GalleryError) as caught, gallery._database.writing() as connection:
            connection.execute(sa.insert(schema.person).values(name="Ann Unusual-Name", created=sa.func.now()))
        assert "Unusual" not in f"{caught.value} {caught.value.__cause__}"
        with gallery._database.writing() as connection:
            connection.exec_driver_sql("UPDATE person SET name = CAST(name || x'c3' AS TEXT)")
        with pytest.raises(GalleryError) as caught:
            gallery.people()
    assert "Unusual" not in f"{caught.value} {caught.value.__cause__}"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of half a megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if not mount or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_loses_nothing_committed(small_disk: Path) -> None:
    path = small_disk / "gallery.db"
    with Gallery(path, recognizer=FakeRecognizer.make()) as gallery:
        reserve = small_disk / "reserve"
        reserve.write_bytes(bytes(150_000))
        done: list[int] = []

        def fill() -> None:
            for person in range(1, 1000):
                gallery.enroll(f"Person {person}", portrait(person))
                done.append(person)

        with pytest.raises(GalleryError) as caught:
            fill()
        assert caught.value.code == "gallery.disk-full"
        assert [gallery.identify(portrait(person))[0].person for person in done] == [f"Person {k}" for k in done]
        assert len(gallery) == len(done) > 0
        reserve.unlink()
        gallery.enroll("Somebody After", portrait(2000))
        with gallery._database.reading() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def test_a_read_only_disk(small_disk: Path) -> None:
    path = small_disk / "gallery.db"
    with Gallery(path, recognizer=FakeRecognizer.make()) as gallery:
        gallery.enroll("Ann", portrait(1))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert refusal(path).code in ("gallery.cannot-open", "gallery.read-only")
    assert refusal(small_disk / "new.db").code == "gallery.cannot-open"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions don't bind root")
def test_no_permission(path: Path) -> None:
    SqliteDatabase(path).close()
    path.chmod(0o000)
    assert refusal(path).code == "gallery.cannot-open"
    path.chmod(0o400)
    with Gallery(path, recognizer=FakeRecognizer.make()) as gallery, pytest.raises(GalleryError) as caught:
        gallery.enroll("Ann", portrait(1))
    assert caught.value.code == "gallery.read-only"
