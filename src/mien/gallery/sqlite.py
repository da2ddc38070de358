"""A gallery's database in one file: opening it, transactions, and every way in which that goes wrong, in words."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import sqlalchemy as sa
from sqlcipher3 import dbapi2  # a DB-API module that brings its own, current SQLite; a file without a key is plain

from mien.errors import GalleryError
from mien.gallery import schema
from mien.gallery.erasure import file_holds, pieces

BUSY_TIMEOUT = 30.0
"""Seconds to wait for another process that is writing."""

_APPLICATION_ID = 0x4D49454E  # "MIEN", in the file's header
_MOST = 1 << 62  # revisions, people and templates, so that there is room for more
_GREATEST_NUMBER = "SELECT max(CAST(seq AS INTEGER)) FROM sqlite_sequence"  # that a row has, or ever had
_WRITING = "mien_writing"
_PRAGMAS = (
    "foreign_keys = ON",
    "synchronous = FULL",  # committed is committed, also when the power fails
    "secure_delete = ON",  # what is deleted is overwritten with zeros
    "temp_store = MEMORY",  # no embedding in a temporary file
    "trusted_schema = OFF",
    "cell_size_check = ON",
)
_making = Lock()


class SqliteDatabase:
    """The SQLite file of a gallery. Safe for several threads and processes.

    Args:
        path: The file.
        create: Make it if it is not there, and lay out a gallery in an empty one.

    Raises:
        GalleryError: It is missing and not to be made, not a gallery, a newer one, damaged, locked, or can't be read
            and written.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        self._closed = False
        _find_file(path, create)
        self._file = _which_file(path)
        self._engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(path)),
            module=dbapi2,
            connect_args={"timeout": BUSY_TIMEOUT},
            hide_parameters=True,  # no names or embeddings in messages
            max_overflow=-1,
        )
        sa.event.listen(self._engine, "connect", _configure)
        sa.event.listen(self._engine, "begin", _begin)
        try:
            self._recognise(create)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state of the gallery, whatever is committed meanwhile."""
        with self._in_words(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that no other writer can come between; committed at the end, undone if anything is raised."""
        with self._exclusively() as connection:
            yield connection
            connection.execute(sa.update(schema.gallery).values(revision=schema.gallery.c.revision + 1))

    def compact(self) -> bool:
        """Rewrite the file so that nothing deleted is left in it or in its write-ahead log.

        Returns:
            False if the log could not be emptied because someone is reading the gallery.
        """
        with self._in_words(), closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("VACUUM")
            blocked = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        return not blocked

    def holds_any(self, embeddings: Iterable[bytes]) -> bool:
        """Whether the raw bytes of the file may contain one of `embeddings`; a log that is not empty counts as yes."""
        log = Path(f"{self.path.resolve()}-wal")  # beside the file itself, where the path is a link to it
        return (log.exists() and log.stat().st_size > 0) or file_holds(self.path, pieces(embeddings))

    def close(self) -> None:
        """Close the file. Closing twice does nothing."""
        self._closed = True
        self._engine.dispose()

    def _recognise(self, create: bool) -> None:
        """Check that this is a gallery that we can read; lay out a new one in an empty file."""
        with self.reading() as connection:
            empty = not _tables(connection)
        if empty:
            if not create:
                raise _no_gallery(self.path, "is empty")
            self._lay_out()
        with self.reading() as connection:
            if connection.exec_driver_sql("PRAGMA application_id").scalar() != _APPLICATION_ID:
                raise GalleryError(
                    f"{self.path} is a database, but not a gallery of mien.",
                    hint="Give the path of a gallery, or of a file that does not exist yet.",
                    code="gallery.not-a-gallery",
                )
            _refuse_programs(connection)
            about = connection.execute(sa.select(schema.gallery.c.schema_version, schema.gallery.c.revision)).one()
            if not 0 <= about.revision < _MOST:
                raise schema.DamageError(f"it can't have been written {about.revision:,} times")
            if (connection.exec_driver_sql(_GREATEST_NUMBER).scalar() or 0) >= _MOST:
                raise schema.DamageError("it has no numbers left for new people or templates")
        if about.schema_version > schema.SCHEMA_VERSION:
            raise GalleryError(
                f"The gallery {self.path} has schema {about.schema_version}, made by a newer mien; "
                f"this one reads schemas up to {schema.SCHEMA_VERSION}.",
                hint="Install a newer mien: pip install --upgrade mien",
                code="gallery.newer",
            )

    def _lay_out(self) -> None:
        self._use_write_ahead_log()
        with self._exclusively() as connection:
            if _tables(connection):
                return  # another process was faster
            schema.metadata.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(
                sa.insert(schema.gallery).values(
                    id=1, schema_version=schema.SCHEMA_VERSION, revision=0, created=datetime.now(UTC)
                )
            )

    @contextmanager
    def _exclusively(self) -> Iterator[sa.Connection]:
        with self._in_words(), self._engine.connect() as plain:
            connection = plain.execution_options(**{_WRITING: True})
            with connection.begin():
                yield connection

    def _use_write_ahead_log(self) -> None:
        """Make it so that readers and a writer don't wait for each other; the file itself remembers this."""
        deadline = time.monotonic() + BUSY_TIMEOUT
        while True:
            try:
                with self._in_words(), closing(self._engine.raw_connection()) as connection:
                    connection.cursor().execute("PRAGMA journal_mode = WAL")
                return
            except GalleryError as error:  # SQLite does not wait by itself here
                if error.code != "gallery.locked" or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        if self._closed:
            raise ValueError("this gallery is closed")
        if _which_file(self.path) != self._file:  # what is written now would be lost with the file that is gone
            raise GalleryError(
                f"The gallery {self.path} was moved, deleted or replaced while it was open.",
                hint="Open it again.",
                code="gallery.moved",
            )
        try:
            yield
        except sa.exc.DBAPIError as error:
            raise _explained(self.path, error.orig) from error
        except dbapi2.Error as error:
            raise _explained(self.path, error) from error
        except (schema.DamageError, sa.exc.NoResultFound, sa.exc.MultipleResultsFound) as error:
            what = error if isinstance(error, schema.DamageError) else "the one row about itself is not there"
            raise GalleryError(
                f"The gallery {self.path} is damaged: {what}.", hint=_FAULTS[11][2], code="gallery.damaged"
            ) from error


def _no_gallery(path: Path, why: str) -> GalleryError:
    return GalleryError(
        f"There is no gallery at {path}: the file {why}.",
        hint="Check the path; a gallery is made when the first person is enrolled.",
        code="gallery.missing",
    )


def _which_file(path: Path) -> tuple[int, int] | None:
    """What tells the file at `path` from any other that may come to be there; None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _find_file(path: Path, create: bool) -> None:
    """Make the file if it isn't there and may be made, for the user's eyes only.

    SQLite gives its log the same permissions.
    """
    try:
        if path.is_dir():
            raise GalleryError(
                f"{path} is a folder, not a gallery.",
                hint=f"Name a file in it, such as {path / 'gallery.db'}.",
                code="gallery.cannot-open",
            )
        if path.exists() and not path.is_file():
            raise GalleryError(
                f"{path} is a device or a pipe, not a gallery.", hint="Name a file.", code="gallery.cannot-open"
            )
        with _making:  # closing a file that SQLite has open in this process would drop its locks
            if not path.exists():
                if not create:
                    raise _no_gallery(path, "does not exist")
                os.close(os.open(os.path.realpath(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        pass  # another process was faster
    except OSError as error:
        raise GalleryError(
            f"The gallery {path} can't be opened: {(error.strerror or str(error)).lower()}.",
            hint="Check that its folder exists and that you may write there.",
            code="gallery.cannot-open",
        ) from error


def _configure(connection: Any, record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say so, not where the driver guesses
    connection.text_factory = _text
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _text(stored: bytes) -> str:
    """As the driver decodes it, whose own refusal would repeat what it can't."""
    try:
        return stored.decode()
    except UnicodeDecodeError:
        raise schema.DamageError("a text is not in UTF-8") from None


def _begin(connection: sa.Connection) -> None:
    writing = connection.get_execution_options().get(_WRITING)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _tables(connection: sa.Connection) -> int:
    return connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()  # type: ignore[no-any-return]


def _refuse_programs(connection: sa.Connection) -> None:
    """Refuse what would run when tables are read or written.

    A view may never end, a trigger change other rows, and a virtual table or an expression (in a generated column, an
    index, a check or a default) give more than there is memory for.
    """
    query = (
        "SELECT type FROM sqlite_master WHERE type IN ('view', 'trigger') UNION ALL "
        "SELECT 'check, a default or an index' FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
        "OR sql LIKE '%check%' OR sql LIKE '%default%' UNION ALL "
        "SELECT 'virtual table or a generated column' FROM sqlite_master AS made, pragma_table_xinfo(made.name) "
        "WHERE hidden LIMIT 1"
    )
    kind = connection.exec_driver_sql(query).scalar()
    if kind is not None:
        raise schema.DamageError(f"it has a {kind}, which no mien makes")


# By SQLite's primary result code (https://sqlite.org/rescode.html): our code, what happened, what to do
_FAULTS = {
    5: ("locked", "is locked by another program", "Try again when it has finished."),
    6: ("locked", "is locked by another program", "Try again when it has finished."),
    8: (
        "read-only",
        "can't be written",
        "Check the permissions of the file and its folder, where a log is kept even while it is only searched; copy a "
        "gallery from a read-only disk to another.",
    ),
    10: ("disk", "can't be read or written: the disk reports an error", "Check the disk and its free space."),
    11: ("damaged", "is damaged", "Restore it from a backup, or enrol again into a new file."),
    13: ("disk-full", "can't grow: the disk is full", "Free some space; everything committed before is kept."),
    14: ("cannot-open", "can't be opened", "mien needs to read and write the file and its folder; check both."),
    26: (
        "not-a-database",
        "is not a gallery: the file is no database",
        "Give the path of a gallery, or of a new file.",
    ),
}


def _explained(path: Path, error: object) -> GalleryError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    name, happened, hint = _FAULTS.get(code, ("database", f"can't be used: {error}", ""))
    return GalleryError(f"The gallery {path} {happened}.", hint=hint, code=f"gallery.{name}")
