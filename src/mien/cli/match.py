"""`mien match`: every probe against every known person, as a table."""

import csv
import os
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.options import (
    CalibrationOption,
    EncoderOption,
    FaceOption,
    FlipOption,
    FpirOption,
    JsonOption,
    PrecisionOption,
    RuntimeOption,
    ThresholdOption,
    embed_photos,
    make_recognizer,
)
from mien.cli.output import ExitCode, print_json, print_line, progress_shown, say_problems
from mien.cli.outputs import output_file, refuse_one_place_for_two
from mien.whole_files import opened_whole


def match(
    probes: Annotated[str, typer.Argument(help="A folder of probe photos, or an .npz of `mien embed`.")],
    gallery: Annotated[
        str, typer.Argument(help="A folder of the known people: photos called NAME.jpg, or folders called NAME.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", callback=output_file("matches"), help="The table of best matches to write (CSV)."
        ),
    ],
    matrix: Annotated[
        Path | None,
        typer.Option(
            callback=output_file("matrix"), help="Write all similarities too, probes × people (.npy or .parquet)."
        ),
    ] = None,
    fpir: FpirOption = 0.01,
    threshold: ThresholdOption = None,
    face: FaceOption = "central",
    encoder: EncoderOption = "sface",
    flip: FlipOption = None,
    runtime: RuntimeOption = "auto",
    precision: PrecisionOption = "f32",
    calibration: CalibrationOption = None,
    json: JsonOption = False,
) -> int:
    """Match every probe with every known person: the best one, or `unknown` below the threshold."""
    from mien.decisions import match as match_people
    from mien.errors import NoFaceError

    refuse_one_place_for_two(output, matrix)
    recognizer = make_recognizer(
        encoder, flip=flip, runtime=runtime, precision=precision, face=face, calibration=calibration
    )
    with progress_shown():
        known, probe = (embed_photos(recognizer, [source], face=face) for source in (gallery, probes))
        if threshold is None:  # which states a rate
            known = known.sharp()
        for called, table in (("known person", known), ("probe", probe)):
            if not len(table):
                say_problems(table.problems)
                raise NoFaceError(f"No photo of a {called} can be used.", hint="Name photos, or a folder, with faces.")
        matches = match_people(
            probe.sources,
            probe.embeddings,
            _people(known.sources, Path(gallery)),
            known.embeddings,
            recognizer.find_calibration(needed=threshold is None),
            fpir=fpir,
            threshold=threshold,
        )
    with opened_whole(output) as file:
        writer = csv.DictWriter(file, ("probe", "decision", "person", "similarity", "runner_up", "margin"))
        writer.writeheader()
        writer.writerows(matches.rows())
    if matrix:
        matches.save_matrix(matrix)
    problems = {**known.problems, **probe.problems}
    if json:
        print_json({"output": str(output), **matches.summary(), "problems": problems})
    else:
        print_line(f"{output}: {matches.sentence()}")
    say_problems(problems)
    return ExitCode.SOME_FAILED if problems else ExitCode.DONE


def _people(sources: list[str], gallery: Path) -> list[str]:
    """Whose each photo is: the folder below the gallery's, or the name of a file that lies in it directly."""
    paths = [Path(source).absolute() for source in sources]
    # Of a table of faces, or of one photo, the folder that all have in common.
    above = gallery.absolute() if gallery.is_dir() else Path(os.path.commonpath([path.parent for path in paths]))
    below = [path.relative_to(above) for path in paths]
    return [path.parts[0] if len(path.parts) > 1 else path.stem for path in below]
