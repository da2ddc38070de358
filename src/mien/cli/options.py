"""Options that several commands share, each with one name and one meaning."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from mien.faces import FacePolicy, FaceTable
    from mien.recognizer import Recognizer

Face = Literal["central", "largest", "only", "all"]
Runtime = Literal["auto", "onnxruntime", "openvino"]
Precision = Literal["f32", "bf16"]

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
EncoderOption = Annotated[
    str, typer.Option("--encoder", envvar="MIEN_ENCODER", help="sface, dlib, fusion, or the path of a model card.")
]
FlipOption = Annotated[
    bool | None,
    typer.Option("--flip/--no-flip", help="Add the mirror image to each embedding; by default as the model card says."),
]
RuntimeOption = Annotated[Runtime, typer.Option("--runtime", envvar="MIEN_RUNTIME", help="What runs the networks.")]
PrecisionOption = Annotated[Precision, typer.Option("--precision", help="Precision that the networks run in.")]
FaceOption = Annotated[Face, typer.Option("--face", help="Which face of a photo counts.")]
SmallFacesOption = Annotated[
    bool, typer.Option("--small-faces", help="Look for small faces too, at many times the cost.")
]
CalibrationOption = Annotated[
    Path | None, typer.Option("--calibration", help="A calibration file; by default the one shipped for the encoder.")
]
GalleryOption = Annotated[
    str | None,
    typer.Option("--gallery", envvar="MIEN_GALLERY", help="The gallery; by default a file in your data folder."),
]
PhotosArgument = Annotated[list[str], typer.Argument(metavar="PHOTO…", help="Photos, or folders of photos.")]


def make_recognizer(
    encoder: str = "sface",
    *,
    flip: bool | None = None,
    runtime: Runtime = "auto",
    precision: Precision = "f32",
    face: FacePolicy = "central",
    small_faces: bool = False,
    calibration: Path | None = None,
) -> Recognizer:
    """The recognizer that the options describe."""
    from mien.decisions import Calibration
    from mien.recognizer import Recognizer

    return Recognizer(
        encoder,
        flip=flip,
        runtime=runtime,
        precision=precision,
        face=face,
        small_faces=small_faces,
        calibration=Calibration.load(calibration) if calibration else None,
    )


def list_photos(sources: list[str]) -> list[str]:
    """Photos as they are named, and the photos below folders.

    Raises:
        PhotoError: A folder has no photo.
    """
    from mien.errors import PhotoError
    from mien.photos import find_photos

    photos: list[str] = []
    for source in sources:
        if Path(source).is_dir():
            found = [str(path) for path in find_photos(source)]
            if not found:
                raise PhotoError(f"There is no photo in {source}.", hint="Name a folder that has photos in it.")
            photos += found
        else:
            photos.append(source)
    return photos


def embed_photos(recognizer: Recognizer, sources: list[str], *, face: FacePolicy = "all") -> FaceTable:
    """The faces of photos and folders, embedded; a single ``.npz`` that `mien embed` wrote is read instead.

    Raises:
        ConfigError: The table was made with another encoder.
    """
    from mien.errors import ConfigError
    from mien.faces import FaceTable
    from mien.progress import track

    if len(sources) == 1 and sources[0].endswith(".npz"):
        table = FaceTable.load(sources[0])
        if table.encoder_identity != recognizer.encoder_identity:
            raise ConfigError(
                f"{sources[0]} was made with the encoder {table.encoder_name} ({table.encoder_identity[:12]}), "
                f"not with {recognizer.encoder_name} ({recognizer.encoder_identity[:12]}).",
                hint="Embed the photos again, or choose the same --encoder, --flip and --precision.",
            )
        return table
    photos = list_photos(sources)
    table = FaceTable(recognizer.encoder_name, recognizer.encoder_identity)
    table.extend(track(recognizer.embed_many(photos, face=face), "embedding photos", len(photos)))
    return table
