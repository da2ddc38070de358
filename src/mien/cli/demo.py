"""`mien demo`: the first minute."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.options import EncoderOption, JsonOption, RuntimeOption, make_recognizer
from mien.cli.output import ExitCode, print_json, print_line, progress_shown, say
from mien.cli.outputs import output_folder, refuse_to_replace
from mien.errors import ConfigError
from mien.whole_files import write_whole

PEOPLE = "-people-of-seed-"
"""In the name of a demo's folder of synthetic people."""


def demo(
    output: Annotated[
        Path, typer.Option("-o", "--output", callback=output_folder, help="The folder for the report and the photos.")
    ] = Path("mien-demo"),
    photos: Annotated[
        Path | None, typer.Option(help="A folder with a folder of photos for each person, instead of synthetic people.")
    ] = None,
    people: Annotated[int, typer.Option(min=4, help="How many synthetic people.")] = 40,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same synthetic people.")] = 0,
    encoder: EncoderOption = "sface",
    runtime: RuntimeOption = "auto",
    json: JsonOption = False,
) -> int:
    """Enrol three quarters of the people with one photo each; verify, identify and cluster everyone; write a report."""
    from mien.demo import rate_line, render, run, synthetic_calibration
    from mien.synthesis import generate

    recognizer = make_recognizer(encoder, runtime=runtime)
    among_synthetic = synthetic_calibration()
    if photos is None and recognizer.encoder_identity == among_synthetic.encoder.identity:
        recognizer.calibration = among_synthetic
    report = output / "report.html"
    refuse_to_replace(report, "page")
    if output.exists() and any(output.iterdir()) and not report.exists() and not any(output.glob(f"*{PEOPLE}*")):
        raise ConfigError(f"{output} is not empty and no demo.", hint="Name a new folder.", code="config.in-the-way")
    output.mkdir(parents=True, exist_ok=True)
    with progress_shown():
        if photos is None:
            say(f"Making {people} people who don't exist …")
            made = output / f"{people}{PEOPLE}{seed}"
            generate(made, people=people, photos=4, seed=seed)
        with tempfile.TemporaryDirectory() as folder:
            result = run(photos or made, Path(folder) / "gallery.db", recognizer)
    write_whole(report, render(result, recognizer.calibration, synthetic=photos is None))
    if json:
        print_json({"report": str(report), **result.to_dict()})
    else:
        figures = result.to_dict()
        print_line(
            f"{figures['known']} of {figures['people']} people enrolled with one photo each; "
            f"{figures['photos']} photos in {figures['seconds']:.0f} s"
        )
        for name, (rate, of) in result.rates.items():
            print_line(f"  {rate_line(name, rate, of)}")
        print_line(f"  clusters: {figures['clusters']}, BCubed F {result.bcubed.f:.3f}")
        print_line(f"Look at {report.resolve()}")
    return ExitCode.SOME_FAILED if result.unusable else ExitCode.DONE
