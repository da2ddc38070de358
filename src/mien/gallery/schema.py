"""How a gallery is laid out in tables, in terms that every SQL database knows."""

import math
from collections.abc import Callable
from datetime import datetime
from types import UnionType
from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

SCHEMA_VERSION = 1
"""Raised by any change that an older mien could not read or would get wrong."""


class DamageError(Exception):
    """What a file holds that no mien wrote; `SqliteDatabase` says it in words, with the file's name."""


class Checked(TypeDecorator[Any]):
    """A type of column whose values are looked at when they are read: SQLite lets any column hold anything.

    Args:
        impl: The type.
        kind: What its values are as the database gives them; numbers are finite.
    """

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = Text  # each one's own is set below
    cache_ok = True

    def __init__(self, impl: TypeEngine[Any], kind: type | UnionType) -> None:
        super().__init__()
        self.impl = impl
        self.kind = kind

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """What turns a value of the database into one of Python. It raises `DamageError`."""
        convert = super().result_processor(dialect, coltype)

        def read(stored: Any) -> Any:
            if not isinstance(stored, self.kind) or (isinstance(stored, float) and not math.isfinite(stored)):
                raise DamageError(f"a value is no {self.impl}")
            try:
                return convert(stored) if convert else stored
            except ValueError:
                raise DamageError(f"a value is no {self.impl}") from None

        return read


_WHOLE = Checked(Integer(), int)
_TEXT = Checked(Text(), str)
_HASH = Checked(String(64), str)
_NUMBER = Checked(Float(), float)
_MOMENT = Checked(DateTime(timezone=True), str | datetime)

metadata = MetaData()

# One row: about the gallery as a whole. Each commit raises its revision, by which readers see that something changed.
gallery = Table(
    "gallery",
    metadata,
    Column("id", _WHOLE, primary_key=True),
    Column("schema_version", _WHOLE, nullable=False),
    Column("revision", _WHOLE, nullable=False),
    # these three are null until someone is enrolled
    Column("encoder_identity", Checked(String(64), str | None)),
    Column("encoder_name", Checked(Text(), str | None)),
    Column("dimensions", Checked(Integer(), int | None)),
    Column("created", _MOMENT, nullable=False),
)

person = Table(
    "person",
    metadata,
    Column("id", _WHOLE, primary_key=True),
    Column("name", _TEXT, nullable=False, unique=True),
    Column("created", _MOMENT, nullable=False),
    sqlite_autoincrement=True,  # a number is never given twice, so that what is in memory can't be taken for another
)

template = Table(
    "template",
    metadata,
    Column("id", _WHOLE, primary_key=True),
    Column("person_id", _WHOLE, ForeignKey("person.id", ondelete="CASCADE"), nullable=False),
    Column("embedding", Checked(LargeBinary(), bytes), nullable=False),  # float32, little-endian, unit length
    Column("source", _TEXT, nullable=False),
    Column("photo_sha256", _HASH, nullable=False),
    Column("x", _NUMBER, nullable=False),
    Column("y", _NUMBER, nullable=False),
    Column("width", _NUMBER, nullable=False),
    Column("height", _NUMBER, nullable=False),
    Column("score", _NUMBER, nullable=False),
    Column("created", _MOMENT, nullable=False),
    UniqueConstraint("person_id", "photo_sha256"),  # a person has one face in a photo
    sqlite_autoincrement=True,
)

# One row at most: what the gallery's own people say similarities stand for. A gallery from before there was such a
# thing has no such table, and an older mien does not look for it.
calibration = Table(
    "calibration",
    metadata,
    Column("id", _WHOLE, primary_key=True),
    Column("content", _TEXT, nullable=False),  # the JSON of a calibration file
    Column("templates", _WHOLE, nullable=False),  # how many the gallery had when it was made
)
