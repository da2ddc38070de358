"""`mien calibrate`: measure what similarities stand for, on people one has."""

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.options import (
    EncoderOption,
    FaceOption,
    FlipOption,
    JsonOption,
    PrecisionOption,
    RuntimeOption,
    embed_photos,
    make_recognizer,
    output_file,
)
from mien.cli.output import ExitCode, print_json, progress_shown, say, say_problems


def calibrate(
    people: Annotated[
        Path, typer.Option(help="A folder with a folder of photos for each person; labels must be right.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", callback=output_file, help="The calibration to write (JSON).")
    ],
    name: Annotated[str | None, typer.Option(help="What to call it; by default after encoder and folder.")] = None,
    embeddings: Annotated[
        Path | None,
        typer.Option(
            callback=output_file, help="Keep the embeddings in this .npz, so that an interrupted run carries on."
        ),
    ] = None,
    face: FaceOption = "central",
    encoder: EncoderOption = "sface",
    flip: FlipOption = None,
    runtime: RuntimeOption = "auto",
    precision: PrecisionOption = "f32",
    json: JsonOption = False,
) -> int:
    """Measure false match and false non-match rates over all pairs of photos of people you know."""
    from mien.decisions import EncoderIdentity
    from mien.evaluation import calibrate as measure
    from mien.photos import find_people

    recognizer = make_recognizer(encoder, flip=flip, runtime=runtime, precision=precision)
    with progress_shown():
        listed = [str(path) for photos_of_one in find_people(people).values() for path in photos_of_one]
        # A table that is carried on may hold other photos too, which are none of this calibration's business.
        table = embed_photos(recognizer, listed, face=face, keep=embeddings).only(listed)
        photos = [str(Path(source).relative_to(people)) for source in table.sources]
        calibration = measure(
            table.embeddings,
            [Path(photo).parts[0] for photo in photos],
            name=name or f"{recognizer.encoder_name} on {people.name}",
            encoder=EncoderIdentity(recognizer.encoder_name, recognizer.encoder_identity),
            data=people.name,
            score={"face": face},
            photos=photos,
            photos_without_face=len(table.problems),
            command=f"mien calibrate --people {people.name} --encoder {encoder}"
            + {None: "", True: " --flip", False: " --no-flip"}[flip],
        )
    problems = table.problems
    calibration.save(output)
    if json:
        print_json({"output": str(output), **calibration.summary(), "problems": problems})
    else:
        print(f"{output}: {calibration}")
    say_problems(problems)
    if not json:
        say(f"Use it with: mien verify A B --calibration {output}")
    return ExitCode.SOME_FAILED if problems else ExitCode.DONE
