"""`mien enroll`, `mien identify`, `mien people`: who do we know, and who is this?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mien.cli.options import (
    CalibrationOption,
    EncoderOption,
    FaceOption,
    FlipOption,
    FpirOption,
    GalleryOption,
    JsonOption,
    PrecisionOption,
    RuntimeOption,
    SmallFacesOption,
    ThresholdOption,
    list_photos,
    make_recognizer,
)
from mien.cli.output import DECISION_CODES, ExitCode, Group, print_json, print_line, progress_shown, say
from mien.errors import ConfigError, InputError, MissingExtraError, PhotoError

if TYPE_CHECKING:
    from mien.gallery import Enrolment


def enroll(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="What the person is called.")] = None,
    photos: Annotated[list[str] | None, typer.Argument(metavar="[PHOTO…]", help="One photo is enough.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Enrol everyone of a folder that has a folder of photos for each person.")
    ] = None,
    on_duplicate: Annotated[
        Literal["warn", "refuse"],
        typer.Option(help="What to do when the face is already known under another name."),
    ] = "warn",
    face: FaceOption = "central",
    gallery: GalleryOption = None,
    encoder: EncoderOption = "sface",
    flip: FlipOption = None,
    runtime: RuntimeOption = "auto",
    precision: PrecisionOption = "f32",
    json: JsonOption = False,
) -> int:
    """Enrol a person from one photo or more, or everyone of a folder. A folder is carried on by
    running it again.
    """
    from mien.decisions.wording import counted
    from mien.gallery import Gallery

    if (name is None) == (folder is None) or (name is not None and not photos):
        raise ConfigError(
            "Say whom to enrol.", hint="Either `mien enroll NAME PHOTO…` or `mien enroll --folder PEOPLE`."
        )
    recognizer = make_recognizer(encoder, flip=flip, runtime=runtime, precision=precision, face=face)
    with Gallery(gallery, recognizer=recognizer) as store, progress_shown():
        if name is not None:
            results = [store.enroll(name, list_photos(photos or []), face=face, on_duplicate=on_duplicate)]
        else:
            assert folder is not None
            results = store.enroll_folder(folder, face=face, on_duplicate=on_duplicate)
            if not results:
                raise InputError(
                    f"There is nobody to enrol in {folder}.",
                    hint="Name a folder that has a folder of photos for each person.",
                    code="input.people",
                )
    for result in results:
        for warning in result.warnings:
            say(f"{result.person}: {warning}")
    if json:
        print_json([result.to_dict() for result in results])
    elif name is not None:
        print_line(_enrolled(results[0]))
    else:
        added = sum(len(result.added) for result in results)
        skipped = sum(len(result.skipped) for result in results)
        known = sum(len(result.known) for result in results)
        people = counted(len(results), "person", "people")
        print_line(f"{people}: {counted(added, 'photo')} enrolled, {known} known before, {skipped} could not be used")
    return _enrolment_code(results)


def _enrolled(result: Enrolment) -> str:
    from mien.decisions.wording import counted

    if result.refused:
        return f"{result.person}: refused; the face is already known under another name"
    before = f", {len(result.known)} known before" if result.known else ""
    return f"{result.person}: {counted(len(result.added), 'photo')} enrolled{before}"


def _enrolment_code(results: list[Enrolment]) -> ExitCode:
    failed = any(result.skipped or result.refused for result in results)
    if not failed:
        return ExitCode.DONE
    return ExitCode.SOME_FAILED if any(result.added or result.known for result in results) else ExitCode.UNUSABLE


def identify(
    photos: Annotated[list[str], typer.Argument(metavar="PHOTO…", help="Photos, or folders of photos.")],
    fpir: FpirOption = 0.01,
    threshold: ThresholdOption = None,
    top: Annotated[int, typer.Option(min=1, help="List this many candidates for each face.")] = 5,
    face: FaceOption = "all",
    small_faces: SmallFacesOption = False,
    gallery: GalleryOption = None,
    encoder: EncoderOption = "sface",
    flip: FlipOption = None,
    runtime: RuntimeOption = "auto",
    precision: PrecisionOption = "f32",
    calibration: CalibrationOption = None,
    json: JsonOption = False,
) -> int:
    """Who is on this photo? Exit code 0: someone was recognised; 1: nobody; 3: no photo can be used; 5: some can't.

    With --json: a list with an object for each face; of several photos or a folder, a line {photo, faces} for each.
    """
    from mien.decisions import Identification
    from mien.gallery import Gallery, IdentifiedFace

    names = list_photos(photos)
    one_photo = len(photos) == 1 and names == photos  # not a folder, which says each photo's name, be it only one
    recognizer = make_recognizer(
        encoder, flip=flip, runtime=runtime, precision=precision, small_faces=small_faces, calibration=calibration
    )
    codes, notes = [], dict[str, None]()
    with Gallery(gallery, recognizer=recognizer, create=False) as store:
        for name in names:
            try:
                found = store.identify(name, fpir=fpir, threshold=threshold, face=face, top=top)
            except (PhotoError, MissingExtraError) as problem:  # the extra that reads HEIC
                found = [
                    IdentifiedFace.of(Identification.unusable(problem, encoder=recognizer.named_encoder), box=None)
                ]
            if json:
                document = [identification.to_dict() for identification in found]
                print_json(document if one_photo else {"photo": name, "faces": document}, line=not one_photo)
            else:
                for identification in found:
                    print_line(f"{name}: {identification.reason}")
            codes += [DECISION_CODES[identification.decision] for identification in found]
            notes |= dict.fromkeys(note for identification in found for note in identification.notes)
    for note in notes:  # the same ones with each face
        say(note)
    if ExitCode.UNUSABLE in codes:
        return ExitCode.UNUSABLE if set(codes) == {ExitCode.UNUSABLE} else ExitCode.SOME_FAILED
    return ExitCode.DONE if ExitCode.DONE in codes else ExitCode.NO


def list_(gallery: GalleryOption = None, json: JsonOption = False) -> int:
    """List the people of the gallery."""
    from mien.decisions.wording import counted
    from mien.gallery import Gallery

    with Gallery(gallery, create=False) as store:
        records = store.people()
    if json:
        print_json([record.to_dict() for record in records])
    else:
        for record in records:
            print_line(record.name, counted(record.templates, "photo"), f"since {record.created:%Y-%m-%d}")
        say(counted(len(records), "person", "people"))
    return ExitCode.DONE


def show(name: str, gallery: GalleryOption = None, json: JsonOption = False) -> int:
    """Show what the gallery holds of a person."""
    from mien.gallery import Gallery

    with Gallery(gallery, create=False) as store:
        details = store.show(name)
    if json:
        print_json(details.to_dict())
    else:
        print_line(f"{details.name}, enrolled {details.created:%Y-%m-%d %H:%M} UTC")
        for template in details.templates:
            print_line(
                f"  {template.source} (photo {template.photo_sha256[:12]}, detection score {template.score:.2f})"
            )
    return ExitCode.DONE


def rename(old: str, new: str, gallery: GalleryOption = None, json: JsonOption = False) -> int:
    """Give a person another name."""
    from mien.gallery import Gallery

    with Gallery(gallery, create=False) as store:
        store.rename(old, new)
        details = store.show(new)
    if json:
        print_json(details.to_dict())
    else:
        print_line(f"{old} is now called {details.name}")
    return ExitCode.DONE


def merge(
    name: Annotated[str, typer.Argument(help="Who is to be known under the other name only.")],
    into: Annotated[str, typer.Argument(help="The name that stays.")],
    gallery: GalleryOption = None,
    json: JsonOption = False,
) -> int:
    """Make one person of two that are the same."""
    from mien.decisions.wording import counted
    from mien.gallery import Gallery

    with Gallery(gallery, create=False) as store:
        details = store.merge(name, into)
    if json:
        print_json(details.to_dict())
    else:
        print_line(f"{name} is now part of {details.name}: {counted(len(details.templates), 'photo')}")
    return ExitCode.DONE


def forget(name: str, gallery: GalleryOption = None, json: JsonOption = False) -> int:
    """Delete a person and every trace of their face from the gallery's files."""
    from mien.gallery import Gallery

    with Gallery(gallery, create=False) as store:
        known = name in store
        try:
            receipt = store.forget(name)
        except KeyboardInterrupt:
            if known and name not in store:
                say(
                    f"{name} is deleted, but bytes of the face may be left in the file; run `mien people compact` when "
                    "nobody else uses the gallery."
                )
            raise
    if json:
        print_json(receipt.to_dict())
    else:
        print_line(receipt.reason)
    return ExitCode.DONE if receipt.erased else ExitCode.SOME_FAILED


def compact(gallery: GalleryOption = None, json: JsonOption = False) -> int:
    """Rewrite the gallery's file without what was deleted, when nobody else uses it. Exit code 5: somebody does."""
    from mien.gallery import Gallery

    with Gallery(gallery, create=False) as store:
        emptied = store.compact()
    if json:
        print_json({"compacted": emptied})
    else:
        print_line(
            "Nothing that was deleted is left in the file." if emptied else "Another program is reading the gallery."
        )
    return ExitCode.DONE if emptied else ExitCode.SOME_FAILED


PEOPLE = Group(
    "people",
    "List, show, rename, merge and forget the people of the gallery.",
    (list_, show, rename, merge, forget, compact),
)
