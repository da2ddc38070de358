"""`mien export`: the network of a training run as an encoder."""

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.options import JsonOption
from mien.cli.output import ExitCode, print_json, print_line, progress_shown, say
from mien.cli.outputs import output_folder


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run of `mien train`.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", callback=output_folder, help="The encoder's folder; by default encoder/ in the run's."
        ),
    ] = None,
    name: Annotated[str, typer.Option("--name", help="What to call it; by default as the run's folder.")] = "",
    title: Annotated[str, typer.Option("--title", help="What it is, in a line; by default the recipe's.")] = "",
    licence: Annotated[str | None, typer.Option("--licence", help="The licence of the weights, for its card.")] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="Write it in whole numbers of 8 bits too: faster, a little less exact.")
    ] = False,
    crops: Annotated[
        Path | None,
        typer.Option("--crops", help="Calibrate int8 with this folder of crops, not with the run's own."),
    ] = None,
    flip: Annotated[
        bool, typer.Option("--flip", help="Embeddings are to be the sum of a crop's and its mirror image's.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an encoder of that name.")] = False,
    json: JsonOption = False,
) -> int:
    """Export a trained encoder: its network (ONNX) and its card, which --encoder takes everywhere."""
    from mien.errors import MissingExtraError

    try:
        from mien.training.exporting.exporting import UNLICENSED
        from mien.training.exporting.run import export_run
    except ImportError as missing:
        if missing.name and missing.name.partition(".")[0] == "mien":
            raise
        raise MissingExtraError("train", "exporting an encoder") from None
    with progress_shown():
        forms = export_run(
            run,
            output or run / "encoder",
            name=name,
            title=title,
            licence=licence or UNLICENSED,
            flip=flip,
            int8=int8,
            crops=crops,
            overwrite=overwrite,
            tell=say,
        )
    if json:
        print_json({"encoders": [form.to_dict() for form in forms]})
        return ExitCode.DONE
    for form in forms:
        print_line(form.describe())
    card = forms[0].file
    say(f"Compare with it: mien verify A B --encoder {card} --threshold 0.4")
    say(f"For decisions with an error rate: mien calibrate --people FOLDER --encoder {card} -o calibration.json")
    return ExitCode.DONE
