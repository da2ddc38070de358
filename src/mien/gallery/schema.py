"""How a gallery is laid out in tables, in terms that every SQL database knows."""

from sqlalchemy import (
    Column,
    DateTime,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA_VERSION = 1
"""Raised by any change that an older mien could not read or would get wrong."""

metadata = MetaData()

# One row: about the gallery as a whole. Each commit raises its revision, by which readers see that something changed.
gallery = Table(
    "gallery",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("schema_version", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("encoder_identity", String(64)),  # this and the next two are null until someone is enrolled
    Column("encoder_name", Text),
    Column("dimensions", Integer),
    Column("created", DateTime(timezone=True), nullable=False),
)

person = Table(
    "person",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created", DateTime(timezone=True), nullable=False),
    sqlite_autoincrement=True,  # a number is never given twice, so that what is in memory can't be taken for another
)

template = Table(
    "template",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", ForeignKey("person.id", ondelete="CASCADE"), nullable=False),
    Column("embedding", LargeBinary, nullable=False),  # float32, little-endian, unit length
    Column("source", Text, nullable=False),
    Column("photo_sha256", String(64), nullable=False),
    Column("x", Float, nullable=False),
    Column("y", Float, nullable=False),
    Column("width", Float, nullable=False),
    Column("height", Float, nullable=False),
    Column("score", Float, nullable=False),
    Column("created", DateTime(timezone=True), nullable=False),
    UniqueConstraint("person_id", "photo_sha256"),  # a person has one face in a photo
    sqlite_autoincrement=True,
)

# One row at most: what the gallery's own people say similarities stand for. A gallery from before there was such a
# thing has no such table, and an older mien does not look for it.
calibration = Table(
    "calibration",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("content", Text, nullable=False),  # the JSON of a calibration file
    Column("templates", Integer, nullable=False),  # how many the gallery had when it was made
)
