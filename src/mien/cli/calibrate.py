"""`mien calibrate`: measure what similarities stand for, on people one has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli.options import (
    EncoderOption,
    Face,
    FlipOption,
    JsonOption,
    PrecisionOption,
    RuntimeOption,
    embed_photos,
    list_photos,
    make_recognizer,
)
from mien.cli.output import ExitCode, print_json, print_line, progress_shown, say, say_problems
from mien.cli.outputs import output_file, refuse_one_place_for_two
from mien.errors import ConfigError, NoFaceError

if TYPE_CHECKING:
    from mien.decisions import Calibration
    from mien.evaluation import Double
    from mien.faces import FaceTable
    from mien.recognizer import Recognizer

Problems = dict[str, dict[str, str]]


def calibrate(
    people: Annotated[
        Path | None, typer.Option(help="A folder with a folder of photos for each person; labels must be right.")
    ] = None,
    gallery: Annotated[
        str | None, typer.Option(help="A gallery, whose people are measured; it decides by them from then on.")
    ] = None,
    unlabelled: Annotated[
        Path | None, typer.Option(help="A folder of photos of which nobody says who is on them; often refused.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", callback=output_file("calibration"), help="The calibration to write (JSON)."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call it; by default after encoder and folder.")] = None,
    embeddings: Annotated[
        Path | None,
        typer.Option(
            callback=output_file("faces"),
            help="Keep the embeddings in this .npz, so that an interrupted run carries on.",
        ),
    ] = None,
    face: Annotated[
        Face | None, typer.Option(help="Which face of a photo of --people counts; by default the central one.")
    ] = None,
    encoder: EncoderOption = "sface",
    flip: FlipOption = None,
    runtime: RuntimeOption = "auto",
    precision: PrecisionOption = "f32",
    json: JsonOption = False,
) -> int:
    """Measure false match rates, and false non-match rates where people have several photos, over all pairs of photos.

    Of people you know (--people), of the people of a gallery (--gallery), or of photos without names (--unlabelled).
    """
    if sum(source is not None for source in (people, gallery, unlabelled)) != 1:
        raise ConfigError("Say on whom to calibrate.", hint="Give one of --people, --gallery and --unlabelled.")
    if gallery is not None:
        _refuse("--gallery, whose faces are embedded already", face=face, name=name, embeddings=embeddings)
        recognizer = make_recognizer(encoder, flip=flip, runtime=runtime, precision=precision)
        return _gallery(recognizer, gallery, output, json)
    if output is None:
        raise ConfigError("Say where to write the calibration.", hint="Give -o FILE.json.")
    if unlabelled is not None:
        _refuse("--unlabelled, of which all faces count", face=face)
    refuse_one_place_for_two(output, embeddings)
    recognizer = make_recognizer(encoder, flip=flip, runtime=runtime, precision=precision)
    made: dict[str, Any] = {"command": f"--encoder {encoder}" + {None: "", True: " --flip", False: " --no-flip"}[flip]}
    with progress_shown():
        if people is not None:
            calibration, doubles, problems = _people(recognizer, people, face or "central", embeddings, name, made)
        else:
            assert unlabelled is not None
            calibration, problems = _unlabelled(recognizer, unlabelled, embeddings, name, made)
            doubles = []
    calibration.save(output)
    _tell(calibration, doubles, problems, output, json)
    if not json and calibration.smallest_fmr is not None:
        say(f"Use it with: mien verify A B --calibration {output}")
    return ExitCode.SOME_FAILED if problems else ExitCode.DONE


def _refuse(source: str, **options: object) -> None:
    """Refuse options that are given, and mean nothing for what is calibrated on."""
    for name, value in options.items():
        if value is not None:
            raise ConfigError(f"--{name} means nothing with {source}.", hint="Leave it out.")


def _people(
    recognizer: Recognizer, people: Path, face: Any, keep: Path | None, name: str | None, made: dict[str, Any]
) -> tuple[Calibration, list[Double], Problems]:
    from mien.evaluation import calibrate as measure
    from mien.evaluation import find_doubles, labelled_photos
    from mien.evaluation.protocols.protocol import last_part

    files, person = labelled_photos(people)
    data = last_part(people)
    named = {str(file): name for name, file in files.items()}
    listed = list(named)
    # A table that is carried on may hold other photos too, which are none of this calibration's business.
    table = _with_faces(embed_photos(recognizer, listed, face=face, keep=keep).only(listed), people)
    photos = [named[source] for source in table.sources]
    whose = [person[photo] for photo in photos]
    calibration = measure(
        table.embeddings,
        whose,
        name=name or f"{recognizer.encoder_name} on {data}",
        encoder=recognizer.named_encoder,
        data=data,
        score={"face": face},
        photos=photos,
        photos_without_face=len(table.problems),
        command=f"mien calibrate --people {data} {made['command']}",
    )
    return calibration, find_doubles(table.embeddings, whose), table.problems


def _unlabelled(
    recognizer: Recognizer, folder: Path, keep: Path | None, name: str | None, made: dict[str, Any]
) -> tuple[Calibration, Problems]:
    from mien.decisions import shipped_calibration
    from mien.evaluation import calibrate_unlabelled
    from mien.evaluation.protocols.protocol import last_part

    listed = list_photos([str(folder)])
    data = last_part(folder)
    table = _with_faces(embed_photos(recognizer, listed, keep=keep).only(listed), folder)
    calibration = calibrate_unlabelled(
        table.embeddings,
        shipped_calibration(recognizer.encoder_identity),
        name=name or f"{recognizer.encoder_name} on {data}, unlabelled",
        data=data,
        photo_of_face=table.photo_numbers().tolist(),
        score={"face": "all"},
        photos=[str(Path(source).relative_to(folder)) for source in dict.fromkeys(table.sources)],
        photos_without_face=len(table.problems),
        command=f"mien calibrate --unlabelled {data} {made['command']}",
    )
    return calibration, table.problems


def _with_faces(table: FaceTable, folder: Path) -> FaceTable:
    if not len(table):
        say_problems(table.problems)
        raise NoFaceError(f"No photo in {folder} has a face.", hint="Name a folder of photos with faces.")
    return table


def _gallery(recognizer: Recognizer, url: str, output: Path | None, json: bool) -> int:
    from mien.gallery import Gallery

    with Gallery(url, recognizer=recognizer, create=False) as store, progress_shown():
        doubles = store.doubles()  # refuses a gallery of another encoder, before anything is changed in it
        calibration = store.calibrate()
    if output is not None:
        calibration.save(output)
    _tell(calibration, doubles, {}, output or url, json)
    if not json and calibration.smallest_fmr is not None:
        say("The gallery decides by it from now on, for every rate that it supports.")
    return ExitCode.DONE


def _tell(calibration: Calibration, doubles: list[Double], problems: Problems, output: Path | str, json: bool) -> None:
    if json:
        print_json(
            {
                "output": str(output),
                **calibration.summary(),
                "smallest_fmr": calibration.smallest_fmr,
                "smallest_modelled_fmr": calibration.smallest_modelled_fmr,
                "doubles": [double.to_dict() for double in doubles],
                "problems": problems,
            }
        )
    else:
        print_line(f"{output}: {calibration}")
        say(calibration.support)
    for double in doubles:
        say(double.reason)
    say_problems(problems)
