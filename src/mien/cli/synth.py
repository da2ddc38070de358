"""`mien synth`: photos of people who don't exist."""

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.options import JsonOption
from mien.cli.output import ExitCode, print_json, print_line, progress_shown
from mien.cli.outputs import output_folder


def synth(
    folder: Annotated[
        Path, typer.Argument(callback=output_folder, help="Where to write them: a folder for each person.")
    ],
    people: Annotated[int, typer.Option(min=1, help="How many people.")] = 40,
    photos: Annotated[int, typer.Option(min=1, help="How many photos of each.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same people.")] = 0,
    variation: Annotated[float, typer.Option(min=0.0, max=1.0, help="How much the photos of one person differ.")] = 0.3,
    json: JsonOption = False,
) -> int:
    """Make photos of people who don't exist, with the truth about each photo beside it. Run it again to carry on."""
    from mien.decisions.wording import counted
    from mien.synthesis import generate

    with progress_shown():
        manifest = generate(folder, people=people, photos=photos, seed=seed, variation=variation)
    if json:
        print_json(manifest.to_dict())
    else:
        print_line(f"{folder}: {counted(people, 'person', 'people')}, {counted(people * photos, 'photo')}")
    return ExitCode.DONE
