"""Whom do we know? An open store of people: enrol, identify, forget."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from threading import Lock
from types import TracebackType
from typing import Literal, Self, cast

import numpy as np
import PIL.Image
import sqlalchemy as sa
from numpy.typing import ArrayLike

from mien.decisions import Calibration, Candidate, EncoderIdentity, Identification, identify
from mien.decisions.calibration import OWN_GALLERY
from mien.decisions.wording import counted
from mien.errors import CalibrationError, ConfigError, GalleryError, MienError, NoFaceError
from mien.evaluation import Double, Drift
from mien.faces import FacePolicy, are_of_unit_length, choose
from mien.faces.choosing import require_policy
from mien.gallery import own_calibration, tables
from mien.gallery.enrolling import Draft, box_of, drafts
from mien.gallery.index import Floats, Index
from mien.gallery.location import locate
from mien.gallery.lookalikes import find_lookalikes
from mien.gallery.names import clean_name
from mien.gallery.own_calibration import Drawn, Rule, rule_at, rule_for
from mien.gallery.records import (
    Enrolment,
    ForgetReceipt,
    IdentifiedFace,
    PersonDetails,
    PersonRecord,
    SkippedPhoto,
)
from mien.gallery.sqlite import SqliteDatabase
from mien.models import list_cards
from mien.photos import Photo, PhotoFile, PhotoSource, find_people
from mien.progress import track
from mien.recognizer import Recognizer

OnDuplicate = Literal["warn", "refuse"]


class Gallery:
    """The people we know, each with one or more templates, in one file. Safe for several threads and processes.

    What one process commits, every other sees in its next search. A gallery holds the embeddings of one encoder, set
    when the first person is enrolled.

    Args:
        url: ``sqlite:///path`` or a plain path; by default the environment variable ``MIEN_GALLERY``, and without it
            a file in the user's data folder.
        recognizer: Finds and embeds faces; by default one with the gallery's encoder, if that is one of mien's own,
            opened when it is first needed.
        create: Make the file if it is not there, when somebody is enrolled or anything else is asked of the gallery;
            without it a path that was mistyped is refused, and nothing is made.

    Raises:
        ConfigError: `url` names no kind of gallery that there is.
        GalleryError: The file is missing and not to be made, no gallery, damaged, of a newer mien, locked, or can't be
            read and written.
    """

    def __init__(
        self,
        url: str | os.PathLike[str] | None = None,
        *,
        recognizer: Recognizer | None = None,
        create: bool = True,
    ) -> None:
        self._path = locate(url, create=create)
        self._create = create
        self._opened: SqliteDatabase | None = None
        self._closed = False
        self._opening = Lock()
        self._recognizer = recognizer
        self._recognizer_opening = Lock()
        self._index = Index()
        self._drift: tuple[int, Calibration, Drift] | None = None  # at which revision, from which calibration
        self._lock = Lock()  # held by whoever uses the index
        if not create or self._is_there():
            self._opened = SqliteDatabase(self._path, create=create)  # what is wrong with the file is said now

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def encoder_name(self) -> str | None:
        """The name of the encoder whose embeddings it holds; None while it is empty."""
        with self._database.reading() as connection:
            return tables.encoder(connection)[0]

    @property
    def recognizer(self) -> Recognizer:
        """What finds and embeds faces for this gallery.

        Raises:
            GalleryError: None was given, and the gallery's encoder is none of mien's own.
        """
        with self._recognizer_opening:
            if self._recognizer is None:
                self._recognizer = Recognizer(self._shipped_encoder())
            return self._recognizer

    def enroll(
        self,
        name: str,
        photos: PhotoSource | Iterable[PhotoSource],
        *,
        face: FacePolicy = "central",
        on_duplicate: OnDuplicate = "warn",
    ) -> Enrolment:
        """Enrol one person from one or more photos: all of them are committed at once, or none.

        A photo that was enrolled for this person before is left as it is, so that enrolling twice changes nothing. A
        photo that can't be used is skipped; the others are enrolled.

        Args:
            name: What to call the person; new, or already in the gallery.
            photos: One photo or several.
            face: Which face of a photo with several is the person's: ``"central"``, ``"largest"``, or ``"only"`` to
                skip such photos. The result's notes say where there were others.
            on_duplicate: What to do if a face looks like another person of the gallery: ``"warn"`` in the result, or
                ``"refuse"``.

        Raises:
            ConfigError: The name, or `face`, makes no sense.
            TypeError: What is given is no photo, such as an open file.
            PhotoError, NoFaceError: The only photo can't be used.
            GalleryError: None of several photos can be used, a lookalike was refused, the gallery has another encoder,
                or it can't be written.
        """
        enrolment = next(self._enroll_all({clean_name(name): _several(photos)}, face, on_duplicate))
        if enrolment.refused:
            raise GalleryError(
                f"{enrolment.person} was not enrolled. {enrolment.lookalikes[0].reason}",
                hint="If they are two people, allow it with --on-duplicate warn (in Python on_duplicate='warn').",
                code="gallery.duplicate",
            )
        if not enrolment.added and not enrolment.known:
            raise _unusable(enrolment.person, enrolment.skipped)
        self._calibrate_if_due()
        return enrolment

    def enroll_folder(
        self, folder: str | os.PathLike[str], *, face: FacePolicy = "central", on_duplicate: OnDuplicate = "warn"
    ) -> list[Enrolment]:
        """Enrol everybody in a folder that has one sub-folder of photos a person, named after them.

        Each person is committed as soon as their photos are done. Run again after an interruption, it goes on where it
        was: photos that are enrolled already are not embedded again. Photos that can't be used are listed in the
        results, and never stop the rest.

        Args:
            folder: ``folder/NAME/*.jpg``.
            face: As in `enroll`.
            on_duplicate: As in `enroll`; a refused person has `Enrolment.refused` and stops nobody else.

        Returns:
            What came of each person, in the order of the folders.

        Raises:
            PhotoError: The folder can't be read.
            GalleryError: The gallery has another encoder, or can't be written; the hint says how many people were
                enrolled before.
        """
        people: dict[str, list[PhotoSource]] = {}
        refused: list[Enrolment] = []
        for name, photos in find_people(folder).items():
            try:
                people.setdefault(clean_name(name), []).extend(photos)
            except ConfigError as problem:
                refused.append(
                    Enrolment(name, skipped=tuple(SkippedPhoto(os.fspath(photo), problem) for photo in photos))
                )
        done: list[Enrolment] = []
        try:
            done.extend(track(self._enroll_all(people, face, on_duplicate), "enrolling people", len(people)))
        except MienError as error:
            if kept := sum(bool(enrolment.added) for enrolment in done):
                people_kept = counted(kept, "person was", "people were")
                error.hint = f"{error.hint} {people_kept} enrolled before that; run it again to go on.".strip()
            raise
        self._calibrate_if_due()
        return done + refused

    def identify(
        self,
        photo: PhotoSource,
        *,
        fpir: float = 0.01,
        threshold: float | None = None,
        face: FacePolicy = "all",
        top: int = 5,
    ) -> list[IdentifiedFace]:
        """Say who each face of a photo is: someone in the gallery, nobody in it, or nobody can tell.

        Args:
            photo: The photo.
            fpir: How often a stranger may be taken for anyone in the gallery, in (0, 1).
            threshold: A similarity to decide at instead; then the encoder needs no calibration.
            face: Which faces to identify.
            top: How many candidates to give for each face, 1 or more.

        Returns:
            One answer a face, best detection first; a single one that is ``unusable`` if the face is not there.

        Raises:
            PhotoError: The photo can't be used.
            CalibrationError: The calibration can't support this rate in a gallery of this size.
            GalleryError: The gallery has another encoder, or can't be read.
        """
        if top < 1:
            raise ValueError(f"top must be 1 or more, not {top}")
        faces = self.recognizer.faces(photo)
        try:
            faces = choose(faces, face)
        except NoFaceError as problem:
            unusable = Identification.unusable(problem, encoder=self.recognizer.named_encoder)
            return [IdentifiedFace.of(unusable, box=None)]
        found, size = self._search(faces.embeddings, max(top, 2), self.recognizer.encoder_identity)
        known = self.recognizer.find_calibration(needed=False)
        notes = tuple(f"{faces.source}: {note}" for note in faces.notes)
        if threshold is None:
            rule = self._rule_for(fpir, size)
            notes += self._drift_notes(rule.calibration)
        else:
            rule = rule_at(self._own_calibration(), known, threshold)
        answers = []
        for candidates, box in zip(found, faces.boxes, strict=True):
            pairs = [(each.person, each.similarity) for each in candidates]
            answer = identify(pairs, size, rule.calibration, fpir=fpir, threshold=rule.threshold, likelihood=known)
            answer = replace(answer, reason=answer.reason + rule.note, encoder=self.recognizer.named_encoder)
            answers.append(IdentifiedFace.of(replace(answer, candidates=answer.candidates[:top]), box_of(box), notes))
        return answers

    @property
    def calibration(self) -> Calibration | None:
        """What similarities stand for among the gallery's own people; None if that was not measured."""
        with self._database.reading() as connection:
            content = tables.calibration(connection)
        return None if content is None else own_calibration.read(content, str(self.path))

    def calibrate(self) -> Calibration:
        """Measure how alike different people of the gallery are, and decide by that from now on.

        Templates under different names are non-mated, so that a gallery is labelled data. With 100 people or more this
        happens by itself, and again whenever the gallery has grown or shrunk by a fifth. Of a gallery of more than
        4,000 templates as many are drawn; it takes a second or two, for which others wait who write to the gallery, and
        nobody who searches.

        Returns:
            The calibration, which is kept in the gallery. It is used for every rate that it supports.

        Raises:
            CalibrationError: There are no two people.
            GalleryError: The gallery can't be read or written.
        """
        with self._database.writing() as connection:  # so that what is written is of the people who are there
            encoder = EncoderIdentity(*(each or "" for each in tables.encoder(connection)))
            with self._lock:
                drawn = self._drawn(connection)
            calibration = own_calibration.measure(drawn, encoder, self.path.name)
            tables.set_calibration(connection, json.dumps(calibration.to_dict()))
        return replace(calibration, whose=OWN_GALLERY)

    def doubles(self) -> list[Double]:
        """Pairs of people who are as alike as one person: enrolled under two names, or twins; most alike first.

        They are 20 at most, and in a gallery of more than 4,000 templates among those of as many that are drawn.

        Raises:
            GalleryError: The gallery has another encoder, or can't be read.
        """
        known = self.recognizer.find_calibration(needed=False)
        with self._lock, self._database.reading() as connection:
            self._refuse_other_encoder(connection)
            drawn = self._drawn(connection)
        return own_calibration.doubles(drawn, known)

    def drift(self, fpir: float = 0.01) -> Drift | None:
        """Whether the gallery's own people are as alike as the calibration says that identifications go by.

        Where they are not, `identify` says so with each answer. Quick, also in a large gallery: one that has a
        calibration of its own does not compare its people again, and others do only when the gallery has changed.

        Args:
            fpir: The rate that identifications are asked for.

        Returns:
            The comparison; None with fewer than 20 people, or where the calibration is the gallery's own.

        Raises:
            CalibrationError: There is no calibration to compare with.
        """
        with self._database.reading() as connection:
            size = tables.template_count(connection)
        return self._drift_from(self._rule_for(fpir, size).calibration)

    def search(self, embeddings: ArrayLike, top: int = 5) -> list[list[Candidate]]:
        """Find the people most similar to each probe: exactly, by the best of each person's templates.

        Args:
            embeddings: (N, D) of unit length, by the gallery's encoder.
            top: How many people, 1 or more; fewer come back where there are fewer.

        Returns:
            For each probe its candidates, most similar first.

        Raises:
            ValueError: `embeddings` has another shape, a value that is not finite or a row not of unit length.
            GalleryError: The embeddings are not as long as the gallery's, or the gallery can't be read.
        """
        return self._search(_probes(embeddings), top)[0]

    def people(self) -> list[PersonRecord]:
        """Everyone, by name."""
        with self._database.reading() as connection:
            return tables.people(connection)

    def show(self, name: str) -> PersonDetails:
        """One person and where their templates came from. Raises `GalleryError` if there is no such person."""
        with self._database.reading() as connection:
            return _details(connection, clean_name(name))

    def rename(self, old: str, new: str) -> None:
        """Call a person something else.

        Raises:
            ConfigError: The new name makes no sense.
            GalleryError: There is no such person, or the new name is another's.
        """
        old, new = clean_name(old), clean_name(new)
        with self._database.writing() as connection:
            number = tables.known_person(connection, old)
            if tables.person_number(connection, new) not in (None, number):
                raise GalleryError(
                    f"{old!r} can't be renamed: somebody else is called {new!r} already.",
                    hint=f"Choose another name. If they are one person: mien people merge {quote(old)} {quote(new)}",
                    code="gallery.name-taken",
                )
            tables.rename_person(connection, number, new)

    def merge(self, name: str, into: str) -> PersonDetails:
        """Make one person of two that are the same: the templates of one become the other's.

        A calibration that counted them as two people is made anew, and dropped where it can't be.

        Args:
            name: Who is to be known under the other name only.
            into: The name that stays.

        Raises:
            ConfigError: The two names are one.
            GalleryError: There is no such person, or the gallery can't be written.
        """
        name, into = clean_name(name), clean_name(into)
        if name == into:
            raise ConfigError(f"{name!r} is one person already.", hint="Give the names of two.")
        with self._database.writing() as connection:
            number, other = tables.known_person(connection, name), tables.known_person(connection, into)
            tables.move_templates(connection, number, other)
            tables.delete_person(connection, number)
            calibrated = tables.calibration(connection) is not None
            if calibrated:  # dropped at once: whatever comes between, no search goes by it any more
                tables.set_calibration(connection, None)
            details = _details(connection, into)
        if calibrated:
            with suppress(GalleryError, CalibrationError):
                self.calibrate()
        return details

    def forget(self, name: str) -> ForgetReceipt:
        """Delete a person and their templates, and every trace of them in the gallery's files.

        Rewrites the file, which takes as long as copying it and as much space for a moment.

        Raises:
            GalleryError: There is no such person, or the gallery can't be written.
        """
        name = clean_name(name)
        with self._database.writing() as connection:
            number = tables.known_person(connection, name)
            embeddings = tables.embeddings_of(connection, number)
            tables.delete_person(connection, number)
        self._calibrate_if_due()
        erased, reason = self._erase(embeddings)
        with self._lock, self._database.reading() as connection:
            self._index.refresh(connection)
        return ForgetReceipt(name, len(embeddings), erased, reason, datetime.now(UTC))

    def compact(self) -> bool:
        """Rewrite the file so that it is as small as can be and nothing deleted is left in it; `forget` does this too.

        Returns:
            False if another program was reading the gallery, so that its log could not be emptied.
        """
        return self._database.compact()

    def close(self) -> None:
        """Close the file. Closing twice does nothing; anything else afterwards is a ValueError."""
        with self._opening:
            self._closed = True
            if self._opened is not None:
                self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        """How many people there are."""
        with self._database.reading() as connection:
            return tables.people_count(connection)

    def __contains__(self, name: object) -> bool:
        """Whether somebody is called that; nobody is by what can be no name."""
        if not isinstance(name, str):
            return False
        try:
            name = clean_name(name)
        except ConfigError:
            return False
        with self._database.reading() as connection:
            return tables.person_number(connection, name) is not None

    def __bool__(self) -> bool:
        """True, also for a gallery that is empty."""
        return True

    def __repr__(self) -> str:
        return f"<Gallery {self.path}>"

    @property
    def _database(self) -> SqliteDatabase:
        """The open file, made if it is not there."""
        with self._opening:
            if self._closed:
                raise ValueError("this gallery is closed")
            if self._opened is None:
                self._opened = SqliteDatabase(self._path, create=self._create)
            return self._opened

    def _is_there(self) -> bool:
        """Whether there is a file, which enrolling makes only for somebody who can be enrolled."""
        return self._opened is not None or os.path.exists(self._path)  # noqa: PTH110 (fails on impossible paths)

    def _enroll_all(
        self, people: Mapping[str, Iterable[PhotoSource]], face: FacePolicy, on_duplicate: OnDuplicate
    ) -> Iterator[Enrolment]:
        require_policy(face)
        if face == "all":
            raise ConfigError("One face of a photo is the person's, not all.", hint="Use central, largest or only.")
        if on_duplicate not in ("warn", "refuse"):
            raise ConfigError(f"on_duplicate can't be {on_duplicate!r}.", hint="Use warn or refuse.")
        if self._is_there():
            with self._database.reading() as connection:
                self._refuse_other_encoder(connection)
        for draft in drafts(people, self.recognizer, face, self._photos_of):
            yield self._commit(draft, refuse=on_duplicate == "refuse")

    def _drawn(self, connection: sa.Connection) -> Drawn:
        """Some of the templates, to measure: they are copies, so that searches go on meanwhile."""
        self._index.refresh(connection)
        return own_calibration.draw(connection, self._index)

    def _own_calibration(self) -> Calibration | None:
        """The gallery's own, if it was measured with the recognizer's encoder."""
        own = self.calibration
        return own if own is not None and own.encoder.identity == self.recognizer.encoder_identity else None

    def _rule_for(self, fpir: float, size: int) -> Rule:
        rule = rule_for(self._own_calibration(), self.recognizer.find_calibration(needed=False), fpir, size)
        return Rule(self.recognizer.find_calibration(needed=True)) if rule.calibration is None else rule

    def _drift_from(self, used: Calibration | None) -> Drift | None:
        """How the gallery's people differ from those of the calibration that is used; as `drift`."""
        if used is None or used.whose == OWN_GALLERY:
            return None
        with self._lock, self._database.reading() as connection:
            self._index.refresh(connection)
            if len(self._index.people) < own_calibration.FEWEST_PEOPLE_FOR_DRIFT:
                return None
            if self._drift is None or self._drift[:2] != (self._index.revision, used):
                drawn = own_calibration.draw(connection, self._index)
                found = own_calibration.drift(drawn, self._own_calibration(), used)
                self._drift = self._index.revision, used, found
            return self._drift[2]

    def _drift_notes(self, used: Calibration | None) -> tuple[str, ...]:
        drift = self._drift_from(used)
        if drift is None or not drift.drifted:
            return ()
        return (
            f"{drift.reason}. So the stated rates do not hold in this gallery: calibrate on photos of such people.",
        )

    def _calibrate_if_due(self) -> None:
        """What was written stays written, whatever comes of this; the next writing tries again."""
        if not self._is_there():
            return
        with suppress(GalleryError, CalibrationError):
            with self._database.reading() as connection:
                due = own_calibration.is_due(connection)
            if due:
                self.calibrate()

    def _photos_of(self, name: str) -> set[str]:
        if not self._is_there():
            return set()
        with self._database.reading() as connection:
            return tables.photos_of(connection, name)

    def _commit(self, draft: Draft, *, refuse: bool) -> Enrolment:
        """Write one person."""
        known, skipped = draft.known_photos, tuple(draft.skipped)
        enrolment = Enrolment(draft.name, known=known, skipped=skipped, notes=tuple(draft.notes))
        if not draft.templates:
            return enrolment
        with self._database.writing() as connection:
            self._refuse_other_encoder(connection)
            number = tables.person_number(connection, draft.name)
            there = tables.photos_of(connection, draft.name)  # by another process meanwhile
            templates = [each for each in draft.templates if each.photo_sha256 not in there]
            already = tuple(each.source for each in draft.templates if each.photo_sha256 in there)
            with self._lock:
                self._index.refresh(connection)
                alike, notes = find_lookalikes(connection, self._index, self._rule_for, draft.name, number, templates)
            enrolment = replace(enrolment, known=known + already, lookalikes=alike, notes=enrolment.notes + notes)
            if refuse and alike:
                return replace(enrolment, refused=True)
            tables.set_encoder(
                connection,
                self.recognizer.encoder_name,
                self.recognizer.encoder_identity,
                len(draft.templates[0].embedding),
            )
            owner = tables.add_person(connection, draft.name) if number is None else number
            added = tables.add_templates(connection, owner, templates)
            return replace(enrolment, new=number is None, added=tuple(added))

    def _search(
        self, probes: Floats, top: int, encoder_identity: str | None = None
    ) -> tuple[list[list[Candidate]], int]:
        """Each probe's candidates, and how many templates it was compared with."""
        if top < 1:
            raise ValueError(f"top must be 1 or more, not {top}")
        with self._lock, self._database.reading() as connection:
            if encoder_identity is not None:
                self._refuse_other_encoder(connection)
            self._index.refresh(connection)
            if self._index.templates and probes.shape[1] != self._index.dimensions:
                raise GalleryError(
                    f"These embeddings have {probes.shape[1]} numbers and the gallery's {self._index.dimensions}: "
                    "they come from another encoder.",
                    hint="Embed the probes with the gallery's encoder.",
                    code="gallery.other-encoder",
                )
            numbers, similarities = self._index.search(probes, top)
            names = tables.names(connection, set(numbers.ravel().tolist()))
            size = self._index.templates
        return [
            [Candidate(names[number], similarity, None) for number, similarity in zip(row, scores, strict=True)]
            for row, scores in zip(numbers.tolist(), similarities.tolist(), strict=True)
        ], size

    def _shipped_encoder(self) -> str:
        """The name of the gallery's encoder, if it is one of mien's own: a file that is only data opens no other."""
        name = self.encoder_name if self._is_there() else None
        if name is None:
            return "sface"
        if name not in {card.name for card in list_cards() if card.task == "encoder"}:
            raise GalleryError(
                f"The gallery {self.path} holds embeddings of the encoder {name!r}, which is none of mien's own.",
                hint="Open it with that encoder's card: --encoder CARD.toml (in Python recognizer=Recognizer(card)).",
                code="gallery.other-encoder",
            )
        return name

    def _refuse_other_encoder(self, connection: sa.Connection) -> None:
        name, identity = tables.encoder(connection)
        mine, ours = self.recognizer.encoder_name, self.recognizer.encoder_identity
        if identity is not None and identity != ours:
            raise GalleryError(
                f"The gallery {self.path} holds embeddings of the encoder {name} ({identity[:12]}…); those of {mine} "
                f"({ours[:12]}…) can't be compared with them.",
                hint=f"Use {name} as it was then, or enrol the photos again into a new gallery.",
                code="gallery.other-encoder",
            )

    def _erase(self, embeddings: Collection[bytes]) -> tuple[bool, str]:
        """Rewrite the files without what was deleted, and look whether it is gone."""
        again = "The rows are deleted; run `mien people compact` when nobody else uses the gallery."
        try:
            emptied = self.compact()
        except GalleryError as problem:
            return (
                False,
                f"Deleted bytes may be left in the file, which could not be rewritten: {problem.message} {again}",
            )
        if not emptied:
            return False, f"Deleted bytes may be left in the file's log, as another program is reading it. {again}"
        with self._database.reading() as connection:
            others = tables.still_stored(connection, embeddings)  # the same photo enrolled under another name
        if self._database.holds_any(each for each in embeddings if each not in others):
            return False, f"Deleted bytes are still in the file, as another program is writing it. {again}"
        return (
            True,
            "Nothing of the deleted embeddings is left in the gallery's files: they were rewritten and searched.",
        )


def _details(connection: sa.Connection, name: str) -> PersonDetails:
    number = tables.known_person(connection, name)
    created = tables.person_created(connection, number)
    return PersonDetails(name, created, tuple(tables.templates_of(connection, number)))


def _several(photos: PhotoSource | Iterable[PhotoSource]) -> list[PhotoSource]:
    if isinstance(photos, str | bytes | os.PathLike | np.ndarray | PIL.Image.Image | PhotoFile | Photo):
        return [photos]
    if isinstance(photos, bytearray | memoryview) or hasattr(photos, "read"):
        return [cast(PhotoSource, photos)]  # to be refused as one, not taken for the numbers or lines that it gives
    return list(photos)


def _probes(embeddings: ArrayLike) -> Floats:
    probes = np.asarray(embeddings, np.float32)
    if probes.ndim != 2:
        raise ValueError(f"embeddings must have shape (N, D), not {probes.shape}")
    if not are_of_unit_length(probes):
        raise ValueError("embeddings must be finite and of unit length")
    return probes


def _unusable(name: str, skipped: Sequence[SkippedPhoto]) -> MienError:
    if len(skipped) == 1:
        return skipped[0].problem
    if not skipped:
        return GalleryError(f"No photo of {name} was given.", hint="Give one or more.", code="gallery.no-photo")
    return GalleryError(
        f"None of the {len(skipped)} photos of {name} can be used: "
        + "; ".join(each.problem.message for each in skipped),
        hint="Give photos that show the person's face.",
        code="gallery.no-usable-photo",
    )
