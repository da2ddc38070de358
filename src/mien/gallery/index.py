"""All embeddings of a gallery in memory, in step with its database, and exact search in them."""

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from mien.faces import are_of_unit_length
from mien.gallery import schema

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]

_MOST_DIMENSIONS = 1 << 16
_GROWTH = 1.25
_ROWS_AT_ONCE = 4096
_SIMILARITIES_AT_ONCE = 1 << 24  # 64 MiB


class Index:
    """Embeddings of a gallery, one row a template. Not safe for threads: its user holds a lock."""

    def __init__(self) -> None:
        self._revision = -1  # of the gallery, when it was last looked at
        self._matrix: Floats = np.zeros((0, 0), np.float32)  # with spare rows at the end
        self._ids: Numbers = np.zeros(0, np.int64)  # the number of each row's template, rising
        self._owners: Numbers = np.zeros(0, np.int64)  # the number of the person each row belongs to
        self._people: Numbers = np.zeros(0, np.int64)  # the number of each person
        self._places: Numbers = np.zeros(0, np.int64)  # where in `_people` the person of each row is

    @property
    def revision(self) -> int:
        """The gallery's when it was last looked at."""
        return self._revision

    @property
    def templates(self) -> int:
        """How many there are."""
        return len(self._ids)

    @property
    def dimensions(self) -> int:
        """The length of an embedding; 0 in an empty gallery."""
        return int(self._matrix.shape[1])

    @property
    def people(self) -> set[int]:
        """The numbers of all people."""
        return set(self._people.tolist())

    def refresh(self, connection: sa.Connection) -> None:
        """Bring the rows in step with the state that `connection` sees; only what is new is read.

        Raises:
            DamageError: The embeddings are not all finite, of unit length, and as many numbers as the gallery says.
        """
        about = connection.execute(sa.select(schema.gallery.c.revision, schema.gallery.c.dimensions)).one()
        if about.revision == self._revision:
            return
        dimensions = about.dimensions or 0
        if not 0 <= dimensions <= _MOST_DIMENSIONS:
            raise schema.DamageError(f"an embedding can't be {dimensions:,} numbers long")
        if dimensions != self.dimensions:
            self._matrix = np.zeros((0, dimensions), np.float32)
            self._ids = self._owners = np.zeros(0, np.int64)
        count = connection.execute(sa.select(sa.func.count()).select_from(schema.template)).scalar_one()
        self._append_new(connection, count)
        if len(self._ids) != count:
            self._drop_deleted(connection)
        if len(self._ids) != count:
            raise schema.DamageError("a template has a number that is not above 0")
        self._people, self._places = np.unique(self._owners, return_inverse=True)
        self._revision = about.revision

    def search(self, probes: Floats, top: int, *, leave_out: int | None = None) -> tuple[Numbers, Floats]:
        """The most similar people of each probe, exactly: a person's similarity is the best of their templates'.

        Args:
            probes: (N, D) of unit length.
            top: How many people, 1 or more.
            leave_out: The number of a person who is not to be found.

        Returns:
            Numbers of people (N, K) and their similarities (N, K) in [−1, 1], best first, equal ones by lower number;
            K = min(top, people).
        """
        blocks = [self._search(block, top, leave_out) for block in self._blocks(probes)]
        if not blocks:
            return np.zeros((0, 0), np.int64), np.zeros((0, 0), np.float32)
        return np.concatenate([people for people, _ in blocks]), np.concatenate([best for _, best in blocks])

    def sample(self, most: int, seed: int = 0) -> tuple[Floats, Numbers]:
        """Some of the embeddings (N, D), copied, and the numbers of their people (N,): of as many people as possible.

        Args:
            most: How many; all of them where there are no more.
            seed: Of the draw.
        """
        order = np.random.default_rng(seed).permutation(len(self._ids))
        order = order[np.argsort(self._owners[order], kind="stable")]
        turn = np.arange(len(order)) - np.searchsorted(self._owners[order], self._owners[order])
        lot = np.random.default_rng(seed).permutation(len(order))
        rows = np.sort(order[np.lexsort((lot, turn))[:most]])
        return self._matrix[rows], self._owners[rows]

    def _blocks(self, probes: Floats) -> list[Floats]:
        rows = max(1, _SIMILARITIES_AT_ONCE // max(1, len(self._ids)))
        return [probes[start : start + rows] for start in range(0, len(probes), rows)]

    def _search(self, probes: Floats, top: int, leave_out: int | None) -> tuple[Numbers, Floats]:
        people, best = self._people, self._best_of_each_person(probes)
        if leave_out is not None:
            others = people != leave_out
            people, best = people[others], best[:, others]
        k = min(top, len(people))
        numbers, similarities = np.empty((len(probes), k), np.int64), np.empty((len(probes), k), np.float32)
        for row, scores in enumerate(best if k else ()):
            least = np.partition(scores, len(scores) - k)[len(scores) - k]
            chosen = np.flatnonzero(scores >= least)  # more than k where some are equal
            chosen = chosen[np.argsort(-scores[chosen], kind="stable")[:k]]
            numbers[row], similarities[row] = people[chosen], scores[chosen]
        return numbers, similarities

    def _best_of_each_person(self, probes: Floats) -> Floats:
        """(N, people): the greatest similarity over each person's templates."""
        similarities = probes @ self._matrix[: len(self._ids)].T if len(self._ids) else np.zeros((len(probes), 0))
        best = np.full((len(probes), len(self._people)), -1, np.float32)
        for row, scores in zip(best, similarities, strict=True):
            np.maximum.at(row, self._places, scores)
        return np.minimum(best, 1, out=best)  # rounding may lead beyond

    def _append_new(self, connection: sa.Connection, count: int) -> None:
        newest = int(self._ids[-1]) if len(self._ids) else 0  # numbers rise, and commits follow one another
        table = schema.template.c
        query = sa.select(table.id, table.person_id, table.embedding).where(table.id > newest).order_by(table.id)
        for rows in connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query).partitions():
            ids, owners, blobs = zip(*rows, strict=True)
            if any(not blob or len(blob) != 4 * self.dimensions for blob in blobs):
                raise schema.DamageError("an embedding has the wrong length")
            embeddings = np.frombuffer(b"".join(blobs), "<f4").reshape(-1, self.dimensions)
            if not are_of_unit_length(embeddings):
                raise schema.DamageError("an embedding is not of unit length")
            old, new = len(self._ids), len(self._ids) + len(ids)
            self._make_room(max(count, new))
            self._matrix[old:new] = embeddings
            self._ids = np.append(self._ids, np.array(ids, np.int64))
            self._owners = np.append(self._owners, np.array(owners, np.int64))

    def _drop_deleted(self, connection: sa.Connection) -> None:
        there = np.array(connection.execute(sa.select(schema.template.c.id)).scalars().all(), np.int64)
        kept = np.isin(self._ids, there)
        self._ids, self._owners = self._ids[kept], self._owners[kept]
        self._matrix[: len(self._ids)] = self._matrix[: len(kept)][kept]
        self._matrix[len(self._ids) :] = 0  # what is forgotten is forgotten here too

    def _make_room(self, rows: int) -> None:
        if rows > len(self._matrix):
            wanted = rows if not len(self._ids) else max(rows, int(len(self._matrix) * _GROWTH))
            self._matrix.resize((wanted, self.dimensions), refcheck=False)  # no view of it outlives a call
