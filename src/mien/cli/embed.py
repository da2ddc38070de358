"""`mien embed`: photos in, one table of embeddings out."""

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.options import (
    EncoderOption,
    FaceOption,
    FlipOption,
    JsonOption,
    PhotosArgument,
    PrecisionOption,
    RuntimeOption,
    SmallFacesOption,
    embed_photos,
    make_recognizer,
)
from mien.cli.output import ExitCode, print_json, print_line, progress_shown, say_problems
from mien.cli.outputs import output_file


def embed(
    photos: PhotosArgument,
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", callback=output_file("faces"), help="The table to write, a NumPy archive (.npz)."
        ),
    ],
    face: FaceOption = "central",
    encoder: EncoderOption = "sface",
    flip: FlipOption = None,
    runtime: RuntimeOption = "auto",
    precision: PrecisionOption = "f32",
    small_faces: SmallFacesOption = False,
    json: JsonOption = False,
) -> int:
    """Embed the faces of photos. Run it again to carry on: photos that the table already has are not done twice."""
    from mien.decisions.wording import counted

    recognizer = make_recognizer(encoder, flip=flip, runtime=runtime, precision=precision, small_faces=small_faces)
    with progress_shown():
        table = embed_photos(recognizer, photos, face=face, keep=output)
    if json:
        print_json(
            {
                "output": str(output),
                "faces": len(table),
                "photos": len(table.photos_done()),
                "dimensions": int(table.embeddings.shape[1]),
                "encoder": {"name": table.encoder_name, "sha256": table.encoder_identity},
                "problems": table.problems,
            }
        )
    else:
        photos_done, size = len(table.photos_done()), table.embeddings.shape[1]
        print_line(f"{output}: {counted(len(table), 'face')} of {counted(photos_done, 'photo')}, {size} numbers each")
    say_problems(table.problems)
    if table.problems:
        return ExitCode.SOME_FAILED if len(table) else ExitCode.UNUSABLE
    return ExitCode.DONE
