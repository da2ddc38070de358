"""Reading and writing a gallery's tables, inside a transaction of the caller."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from mien.errors import GalleryError
from mien.gallery import schema
from mien.gallery.records import Box, PersonRecord, TemplateRecord

_AT_ONCE = 500

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class NewTemplate:
    """A face about to be enrolled; `embedding` is (D,) float32 of unit length."""

    embedding: NDArray[np.float32]
    source: str
    photo_sha256: str
    box: Box
    score: float


def person_number(connection: sa.Connection, name: str) -> int | None:
    """The number of the person called `name`, or None if there is no such person."""
    return connection.execute(sa.select(schema.person.c.id).where(schema.person.c.name == name)).scalar()


def known_person(connection: sa.Connection, name: str) -> int:
    """The number of the person called `name`. Raises `GalleryError` if there is no such person."""
    number = person_number(connection, name)
    if number is None:
        raise GalleryError(
            f"Nobody in the gallery is called {name!r}.",
            hint="`mien people list` shows who is; upper and lower case differ.",
            code="gallery.unknown-person",
        )
    return number


def names(connection: sa.Connection, numbers: Collection[int]) -> dict[int, str]:
    """The names of the people with these numbers, all different. Raises `DamageError` if one has none."""
    query = sa.select(schema.person.c.id, schema.person.c.name)
    found = {
        row.id: row.name
        for some in _portions(numbers)
        for row in connection.execute(query.where(schema.person.c.id.in_(some)))
    }
    if len(found) != len(numbers):
        raise schema.DamageError("a template belongs to nobody")
    return found


def people(connection: sa.Connection) -> list[PersonRecord]:
    """Everyone, by name."""
    templates = sa.func.count(schema.template.c.id)
    query = (
        sa.select(schema.person.c.name, templates.label("templates"), schema.person.c.created)
        .outerjoin(schema.template)
        .group_by(schema.person.c.id)
        .order_by(schema.person.c.name)
    )
    return [PersonRecord(row.name, row.templates, _utc(row.created)) for row in connection.execute(query)]


def people_count(connection: sa.Connection) -> int:
    """How many people there are."""
    return connection.execute(sa.select(sa.func.count()).select_from(schema.person)).scalar_one()


def person_created(connection: sa.Connection, number: int) -> datetime:
    """When the person was enrolled first, in UTC."""
    return _utc(connection.execute(sa.select(schema.person.c.created).where(schema.person.c.id == number)).scalar_one())


def templates_of(connection: sa.Connection, number: int) -> list[TemplateRecord]:
    """The person's templates, oldest first."""
    query = sa.select(schema.template).where(schema.template.c.person_id == number).order_by(schema.template.c.id)
    return [
        TemplateRecord(
            source=row.source,
            photo_sha256=row.photo_sha256,
            box=(row.x, row.y, row.width, row.height),
            score=row.score,
            created=_utc(row.created),
        )
        for row in connection.execute(query)
    ]


def photos_of(connection: sa.Connection, name: str) -> set[str]:
    """SHA-256 of the photos enrolled for the person called `name`; none if there is no such person."""
    query = sa.select(schema.template.c.photo_sha256).join(schema.person).where(schema.person.c.name == name)
    return set(connection.execute(query).scalars())


def embeddings_of(connection: sa.Connection, number: int) -> list[bytes]:
    """The person's embeddings, as they are stored."""
    query = sa.select(schema.template.c.embedding).where(schema.template.c.person_id == number)
    return list(connection.execute(query).scalars())


def still_stored(connection: sa.Connection, embeddings: Collection[bytes]) -> set[bytes]:
    """Those of `embeddings` that anyone's template consists of."""
    column = schema.template.c.embedding
    return {
        found
        for some in _portions(embeddings)
        for found in connection.execute(sa.select(column).where(column.in_(some))).scalars()
    }


def add_person(connection: sa.Connection, name: str) -> int:
    """Add a person and return their number."""
    query = sa.insert(schema.person).values(name=name, created=datetime.now(UTC)).returning(schema.person.c.id)
    return int(connection.execute(query).scalar_one())


def add_templates(connection: sa.Connection, person: int, templates: Collection[NewTemplate]) -> list[TemplateRecord]:
    """Add templates of photos that the person has none of yet."""
    now = datetime.now(UTC)
    records = [TemplateRecord(_storable(t.source), t.photo_sha256, t.box, t.score, now) for t in templates]
    rows = [
        {
            "person_id": person,
            "embedding": each.embedding.astype("<f4").tobytes(),
            "source": record.source,
            "photo_sha256": record.photo_sha256,
            **dict(zip(("x", "y", "width", "height"), record.box, strict=True)),
            "score": record.score,
            "created": now,
        }
        for each, record in zip(templates, records, strict=True)
    ]
    if rows:
        connection.execute(sa.insert(schema.template), rows)
    return records


def rename_person(connection: sa.Connection, number: int, name: str) -> None:
    """Give a person another name."""
    connection.execute(sa.update(schema.person).where(schema.person.c.id == number).values(name=name))


def move_templates(connection: sa.Connection, of: int, to: int) -> None:
    """Give a person the templates of another, of photos that they have none of yet.

    The rows are written anew: a template's number says whose it is to everybody who has read it.
    """
    theirs = schema.template.alias()
    there = sa.select(theirs.c.photo_sha256).where(theirs.c.person_id == to)
    kept = [column for column in schema.template.c if column.name not in ("id", "person_id")]
    moved = sa.select(sa.literal(to), *kept).where(
        schema.template.c.person_id == of, schema.template.c.photo_sha256.not_in(there)
    )
    connection.execute(
        sa.insert(schema.template).from_select(["person_id", *kept], moved.order_by(schema.template.c.id))
    )


def delete_person(connection: sa.Connection, number: int) -> None:
    """Delete a person and their templates; a gallery without templates is free to take another encoder."""
    connection.execute(sa.delete(schema.template).where(schema.template.c.person_id == number))
    connection.execute(sa.delete(schema.person).where(schema.person.c.id == number))
    if connection.execute(sa.select(schema.template.c.id).limit(1)).first() is None:
        set_encoder(connection, None, None, None)
        set_calibration(connection, None)


def encoder(connection: sa.Connection) -> tuple[str | None, str | None]:
    """Name and identity of the encoder whose embeddings the gallery holds; None twice while it holds none."""
    row = connection.execute(sa.select(schema.gallery.c.encoder_name, schema.gallery.c.encoder_identity)).one()
    return row.encoder_name, row.encoder_identity


def set_encoder(connection: sa.Connection, name: str | None, identity: str | None, dimensions: int | None) -> None:
    """Say whose embeddings the gallery holds, and how long they are."""
    connection.execute(
        sa.update(schema.gallery).values(encoder_name=name, encoder_identity=identity, dimensions=dimensions)
    )


def template_count(connection: sa.Connection) -> int:
    """How many templates there are."""
    return connection.execute(sa.select(sa.func.count()).select_from(schema.template)).scalar_one()


def calibration(connection: sa.Connection) -> str | None:
    """The JSON of the gallery's own calibration, if it has one."""
    if not sa.inspect(connection).has_table(schema.calibration.name):
        return None
    return connection.execute(sa.select(schema.calibration.c.content)).scalar()


def calibrated_templates(connection: sa.Connection) -> int | None:
    """How many templates the gallery had when it was calibrated, if it was."""
    if not sa.inspect(connection).has_table(schema.calibration.name):
        return None
    return connection.execute(sa.select(schema.calibration.c.templates)).scalar()


def set_calibration(connection: sa.Connection, content: str | None) -> None:
    """Keep a calibration instead of the one before, or none."""
    schema.calibration.create(connection, checkfirst=True)
    connection.execute(sa.delete(schema.calibration))
    if content is not None:
        connection.execute(
            sa.insert(schema.calibration).values(id=1, content=content, templates=template_count(connection))
        )


def _portions(items: Collection[T]) -> Iterator[list[T]]:
    every = list(items)
    for start in range(0, len(every), _AT_ONCE):
        yield every[start : start + _AT_ONCE]


def _storable(source: str) -> str:
    """A path as text that any database takes, also where a file name is no valid Unicode."""
    return os.fsencode(source).decode("utf-8", "backslashreplace") if source else source


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)  # SQLite keeps no zone
