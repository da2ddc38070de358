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
    list_photos,
    make_recognizer,
)
from mien.cli.output import ExitCode, print_json, progress_shown, say, say_problems


def embed(
    photos: PhotosArgument,
    output: Annotated[Path, typer.Option("-o", "--output", help="The table to write, a NumPy archive (.npz).")],
    face: FaceOption = "central",
    encoder: EncoderOption = "sface",
    flip: FlipOption = None,
    runtime: RuntimeOption = "auto",
    precision: PrecisionOption = "f32",
    small_faces: SmallFacesOption = False,
    json: JsonOption = False,
) -> int:
    """Embed the faces of photos. Run it again to carry on: photos that the table already has are not done twice."""
    from mien.errors import ConfigError
    from mien.faces import FaceTable
    from mien.progress import track

    names = list_photos(photos)
    recognizer = make_recognizer(encoder, flip=flip, runtime=runtime, precision=precision, small_faces=small_faces)
    table = FaceTable(recognizer.encoder_name, recognizer.encoder_identity)
    if output.exists():
        table = FaceTable.load(output)
        if table.encoder_identity != recognizer.encoder_identity:
            raise ConfigError(
                f"{output} holds embeddings of another encoder, {table.encoder_name}.",
                hint="Write to another file, or remove that one.",
            )
    todo = [name for name in names if name not in table.photos_done()]
    if len(todo) < len(names):
        say(f"{len(names) - len(todo)} of {len(names)} photos are already in {output}.")
    try:
        with progress_shown():
            table.extend(track(recognizer.embed_many(todo, face=face), "embedding photos", len(todo)))
    finally:
        table.save(output)
    if json:
        print_json(
            {
                "output": str(output),
                "faces": len(table),
                "photos": len(names),
                "dimensions": int(table.embeddings.shape[1]),
                "encoder": {"name": table.encoder_name, "sha256": table.encoder_identity},
                "problems": table.problems,
            }
        )
    else:
        print(f"{output}: {len(table)} faces of {len(names)} photos, {table.embeddings.shape[1]} numbers each")
    say_problems(table.problems)
    if table.problems:
        return ExitCode.SOME_FAILED if len(table) else ExitCode.UNUSABLE
    return ExitCode.DONE
