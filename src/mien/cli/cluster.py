"""`mien cluster`: which of these faces belong together?"""

import csv
from pathlib import Path
from typing import Annotated, Literal

import typer

from mien.cli.options import (
    CalibrationOption,
    EncoderOption,
    FaceOption,
    FlipOption,
    JsonOption,
    PhotosArgument,
    PrecisionOption,
    RuntimeOption,
    SmallFacesOption,
    ThresholdOption,
    embed_photos,
    make_recognizer,
    share,
)
from mien.cli.output import ExitCode, print_json, print_line, progress_shown, say_problems
from mien.cli.outputs import output_file, refuse_one_place_for_two
from mien.whole_files import opened_whole, write_whole


def cluster(
    photos: PhotosArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", callback=output_file("page"), help="Write a page with every group of faces (HTML)."
        ),
    ] = None,
    table: Annotated[
        Path | None, typer.Option(callback=output_file("groups"), help="Write the group of each face (CSV).")
    ] = None,
    method: Annotated[
        Literal["graph", "agglomerative", "kmeans"],
        typer.Option(help="graph and agglomerative find out how many people there are; kmeans is told with --people."),
    ] = "graph",
    people: Annotated[int | None, typer.Option(min=1, help="How many groups kmeans makes.")] = None,
    fmr: Annotated[
        float, typer.Option(envvar="MIEN_FMR", callback=share, help="Put faces together at this false match rate.")
    ] = 1e-4,
    threshold: ThresholdOption = None,
    labelled: Annotated[
        bool, typer.Option("--labelled", help="Each photo's folder says who it is: measure how right the groups are.")
    ] = False,
    face: FaceOption = "all",
    encoder: EncoderOption = "sface",
    flip: FlipOption = None,
    runtime: RuntimeOption = "auto",
    precision: PrecisionOption = "f32",
    small_faces: SmallFacesOption = False,
    calibration: CalibrationOption = None,
    json: JsonOption = False,
) -> int:
    """Group the faces of photos by person. Two faces of one photo never come into one group."""
    from mien.decisions import cluster as grouped
    from mien.errors import ConfigError, NoFaceError
    from mien.evaluation import bcubed
    from mien.evaluation.reports import contact_sheet
    from mien.progress import track

    if (method == "kmeans") != (people is not None):
        raise ConfigError(
            "--people goes with --method kmeans.", hint="The other methods find out how many people there are."
        )
    refuse_one_place_for_two(output, table)
    recognizer = make_recognizer(
        encoder, flip=flip, runtime=runtime, precision=precision, small_faces=small_faces, calibration=calibration
    )
    with progress_shown():
        found = embed_photos(recognizer, photos, face=face)
        if not len(found):
            say_problems(found.problems)
            raise NoFaceError("No photo has a face.", hint="Name photos, or a folder of photos, with faces.")
        clustering = grouped(
            found.embeddings,
            None if people else recognizer.find_calibration(needed=threshold is None),
            method=method,
            fmr=fmr,
            threshold=threshold,
            photo_of_face=found.photo_numbers(),
            blurred=found.blurred,
            people=people,
        )
        if output:
            crops = list(track(found.crops(), "cutting out faces", len(found)))
            write_whole(output, contact_sheet(clustering, crops, found.sources))
    if table:
        with opened_whole(table) as file:
            writer = csv.writer(file)
            writer.writerow(["group", "photo", "x", "y", "width", "height"])
            for label, source, box in zip(clustering.labels, found.sources, found.boxes, strict=True):
                writer.writerow([label, source, *(f"{value:.1f}" for value in box)])
    truth = bcubed(clustering.labels, [Path(source).parent.name for source in found.sources]) if labelled else None
    if json:
        print_json(
            {
                **clustering.to_dict(),
                "sources": found.sources,
                "bcubed": {"precision": truth.precision, "recall": truth.recall, "f": truth.f} if truth else None,
                "problems": found.problems,
            }
        )
    else:
        print_line(clustering.reason)
        if truth:
            print_line(f"BCubed precision {truth.precision:.3f}, recall {truth.recall:.3f}, F {truth.f:.3f}")
        for path in filter(None, (output, table)):
            print_line(f"Look at {path}")
    say_problems(found.problems)
    return ExitCode.SOME_FAILED if found.problems else ExitCode.DONE
