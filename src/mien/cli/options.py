"""Options that several commands share, each with one name and one meaning."""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mien.cli.output import say

if TYPE_CHECKING:
    from mien.faces import FacePolicy, FaceTable
    from mien.photos import PhotoSource
    from mien.recognizer import Recognizer

Face = Literal["central", "largest", "only", "all"]
Runtime = Literal["auto", "onnxruntime", "openvino"]
Precision = Literal["f32", "bf16"]

PHOTOS_TOGETHER, SECONDS_BETWEEN_SAVES = 256, 60.0

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
EncoderOption = Annotated[
    str, typer.Option("--encoder", envvar="MIEN_ENCODER", help="sface, dlib, fusion, or the path of a model card.")
]
FlipOption = Annotated[
    bool | None,
    typer.Option(
        "--flip/--no-flip",
        envvar="MIEN_FLIP",
        help="Add the mirror image to each embedding; by default as the model card says.",
    ),
]
RuntimeOption = Annotated[Runtime, typer.Option("--runtime", envvar="MIEN_RUNTIME", help="What runs the networks.")]
PrecisionOption = Annotated[
    Precision, typer.Option("--precision", envvar="MIEN_PRECISION", help="Precision that the networks run in.")
]
FaceOption = Annotated[Face, typer.Option("--face", help="Which face of a photo counts.")]
SmallFacesOption = Annotated[
    bool, typer.Option("--small-faces", help="Look for small faces too, at many times the cost.")
]
CalibrationOption = Annotated[
    Path | None,
    typer.Option(
        "--calibration",
        envvar="MIEN_CALIBRATION",
        help="A calibration file; by default the one shipped for the encoder.",
    ),
]
GalleryOption = Annotated[
    str | None,
    typer.Option("--gallery", envvar="MIEN_GALLERY", help="The gallery; by default a file in your data folder."),
]


def share(value: float) -> float:
    """Refuse what is not strictly between 0 and 1, NaN included."""
    if not 0 < value < 1:
        raise typer.BadParameter(f"{value} is not between 0 and 1.")
    return value


def similarity(value: float | None) -> float | None:
    """Refuse what no cosine can be."""
    if value is not None and not -1 <= value <= 1:
        raise typer.BadParameter(f"{value} is not a similarity, which lies between -1 and 1.")
    return value


FpirOption = Annotated[
    float,
    typer.Option(
        "--fpir",
        envvar="MIEN_FPIR",
        callback=share,
        help="Decide at this false positive identification rate: the share of strangers who are named.",
    ),
]
ThresholdOption = Annotated[
    float | None, typer.Option("--threshold", callback=similarity, help="Decide at this similarity instead.")
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
        PhotoError: A folder has no photo, or a path is empty.
    """
    from mien.errors import PhotoError
    from mien.photos import find_photos

    photos: list[str] = []
    for source in sources:
        if not source:  # as of a variable of the shell that isn't set; Path("") would be the working folder
            raise PhotoError("The path of a photo or folder is empty.", hint="Give one; . is the folder you are in.")
        if Path(source).is_dir():
            found = [str(path) for path in find_photos(source)]
            if not found:
                raise PhotoError(f"There is no photo in {source}.", hint="Name a folder that has photos in it.")
            photos += found
        else:
            photos.append(source)
    return list(dict.fromkeys(photos))  # a photo named twice is one photo


def embed_photos(
    recognizer: Recognizer, sources: list[str], *, face: FacePolicy = "all", keep: Path | None = None
) -> FaceTable:
    """The faces of photos and folders, embedded; a single ``.npz`` that `mien embed` wrote is read instead.

    Args:
        recognizer: What embeds them.
        sources: Photos, folders, or one table.
        face: Which faces of each photo count.
        keep: A table to carry on from and to write, also when this is interrupted.

    Raises:
        ConfigError: The table was made with another encoder.
    """
    if len(sources) == 1 and sources[0].lower().endswith(".npz") and keep is None:
        return _table_of(recognizer, Path(sources[0]))
    return embed_sources(recognizer, {photo: photo for photo in list_photos(sources)}, face=face, keep=keep)


def embed_sources(
    recognizer: Recognizer,
    photos: Mapping[str, PhotoSource],
    *,
    face: FacePolicy = "all",
    keep: Path | None = None,
    aligned: bool = False,
) -> FaceTable:
    """The faces of photos of any kind, embedded.

    Args:
        recognizer: What embeds them.
        photos: What to open, by the name that the table calls it.
        face: Which faces of each photo count.
        keep: A table to carry on from and to write, also when this is interrupted.
        aligned: The photos are aligned crops already.

    Raises:
        ConfigError: The table was made with another encoder.
    """
    from dataclasses import replace

    from mien.errors import ConfigError
    from mien.faces import FaceTable, embed_ready_crops
    from mien.progress import track

    settings: dict[str, object] = {"face": face, "small_faces": recognizer.detector.small_faces}
    if aligned:
        settings = {"aligned": True}
    if keep is not None and keep.exists():
        table = _table_of(recognizer, keep)
        if table.settings != settings:
            raise ConfigError(
                f"{keep} was made with other settings: {table.settings}, not {settings}.",
                hint="Choose the same, or write to another file.",
            )
    else:
        table = FaceTable(recognizer.encoder_name, recognizer.encoder_identity, settings)
    table.forget_unreadable()  # they may have been mended since
    if changed := table.changed(photos):
        say(f"{len(changed)} of the photos in {keep} are other files now, and are embedded again.")
        table = table.only(table.photos_done() - changed)
    done = table.photos_done()
    todo = {name: source for name, source in photos.items() if name not in done}
    if len(todo) < len(photos):
        say(f"{len(photos) - len(todo)} of {len(photos)} photos are already in {keep}.")
    if aligned:
        embedded = embed_ready_crops(todo.values(), recognizer.encoder)
    else:
        embedded = recognizer.embed_many(todo.values(), face=face)
    named = (replace(faces, source=name) for name, faces in zip(todo, embedded, strict=True))
    tracked = iter(track(named, "embedding photos", len(todo)))
    saved = time.monotonic()
    try:
        for first in tracked:
            table.extend(chain([first], islice(tracked, PHOTOS_TOGETHER - 1)))
            if keep is not None and time.monotonic() - saved > SECONDS_BETWEEN_SAVES:
                table.save(keep)
                saved = time.monotonic()
    finally:
        if keep is not None and todo:
            table.save(keep)
    return table


def _table_of(recognizer: Recognizer, path: Path) -> FaceTable:
    from mien.errors import ConfigError
    from mien.faces import FaceTable

    table = FaceTable.load(path)
    if table.encoder_identity != recognizer.encoder_identity:
        raise ConfigError(
            f"{path} was made with the encoder {table.encoder_name} ({table.encoder_identity[:12]}), "
            f"not with {recognizer.encoder_name} ({recognizer.encoder_identity[:12]}).",
            hint="Choose the same --encoder, --flip and --precision, or embed the photos again to another file.",
        )
    if len(table) and table.embeddings.shape[1] != recognizer.encoder.dimensions:
        raise ConfigError(
            f"The embeddings in {path} are {table.embeddings.shape[1]} numbers long, and those of "
            f"{recognizer.encoder_name} {recognizer.encoder.dimensions}.",
            hint="Embed the photos again to another file.",
        )
    return table
