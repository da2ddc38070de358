"""`mien compare-models`: which encoder is better, and is the difference more than chance?"""

from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.measuring import (
    AlignedOption,
    AtThresholdOption,
    FailuresOption,
    OneFaceOption,
    ReportOption,
    SeedOption,
    embed_protocol,
    say_doubts,
    show_measures,
    words,
)
from mien.cli.options import (
    FlipOption,
    JsonOption,
    PrecisionOption,
    RuntimeOption,
    make_recognizer,
)
from mien.cli.output import ExitCode, Group, one_line, print_json, progress_shown, say, say_problems
from mien.cli.outputs import output_folder
from mien.cli.protocols import OPENINGS, with_options
from mien.whole_files import write_whole

if TYPE_CHECKING:
    from mien.evaluation import EvaluationProtocol
    from mien.evaluation.reports.difference_tables import Differences


@dataclass(frozen=True, kw_only=True)
class Comparing:
    """The options of every comparison."""

    encoder: Annotated[
        list[str],
        typer.Option("--encoder", help="sface, dlib, fusion, or the path of a model card; give it for each one."),
    ]
    threshold: AtThresholdOption = None
    failures_are_errors: FailuresOption = False
    aligned: AlignedOption = False
    embeddings: Annotated[
        Path | None,
        typer.Option(
            "--embeddings",
            callback=output_folder,
            help="Keep each encoder's embeddings in this folder, so that an interrupted run carries on.",
        ),
    ] = None
    report: ReportOption = None
    seed: SeedOption = 0
    face: OneFaceOption = "central"
    flip: FlipOption = None
    runtime: RuntimeOption = "auto"
    precision: PrecisionOption = "f32"
    json: JsonOption = False


def compare(protocol: "EvaluationProtocol", asked: Comparing, command: str) -> int:
    """Evaluate every encoder, and each two of them against each other."""
    from mien.errors import ConfigError
    from mien.evaluation import Settings
    from mien.evaluation.reports import render_evaluation

    if len(set(asked.encoder)) < 2:
        raise ConfigError("A comparison takes two encoders or more.", hint="Give --encoder for each of them.")
    settings = Settings(
        threshold=asked.threshold, failures_are_errors=asked.failures_are_errors, seed=asked.seed, command=command
    )
    evaluations, photos = [], []
    with progress_shown():
        for encoder in dict.fromkeys(asked.encoder):
            recognizer = make_recognizer(
                encoder, flip=asked.flip, runtime=asked.runtime, precision=asked.precision, face=asked.face
            )
            keep = None
            if asked.embeddings:
                asked.embeddings.mkdir(parents=True, exist_ok=True)
                keep = asked.embeddings / f"{recognizer.encoder_name}-{recognizer.encoder_identity[:12]}.npz"
            photos.append(embed_protocol(recognizer, protocol, asked.face, keep, aligned=asked.aligned))
            with_rule = replace(settings, rule=recognizer.find_calibration(needed=False))
            evaluations.append(protocol.evaluate(photos[-1].embedded, with_rule))
        pairs = combinations(range(len(photos)), 2)
        compared = {(a, b): protocol.compare(photos[a].embedded, photos[b].embedded, settings) for a, b in pairs}
        differences = {pair: found for pair, found in compared.items() if found}
        if asked.report:
            page = render_evaluation(evaluations, photo=photos[0].picture, differences=differences)
            write_whole(asked.report, page)
    names = [one.embedded.encoder.name for one in photos]
    if asked.json:
        print_json(
            {
                "evaluations": [evaluation.to_dict() for evaluation in evaluations],
                "differences": [
                    {"first": names[a], "second": names[b], **{name: one.to_dict() for name, one in found.items()}}
                    for (a, b), found in differences.items()
                ],
            }
        )
    else:
        show_measures(evaluations)
        _show_differences(differences, names)
    say_doubts(evaluations)
    if asked.report:
        say(f"Look at {asked.report}")
    problems = {name: why for one in photos for name, why in one.table.problems.items()}
    say_problems(problems)
    return ExitCode.SOME_FAILED if problems else ExitCode.DONE


COMPARE_MODELS = Group(
    "compare-models",
    "Which encoder is better, and is that more than chance? By the same protocols as mien evaluate.",
    tuple(with_options(opening, Comparing, compare, "compare-models") for opening in OPENINGS),
)


def _show_differences(differences: "Differences", names: list[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from mien.evaluation.reports.difference_tables import difference_tables

    if not differences:
        print("\nWhether these differ by more than chance is not known for this protocol.")
    for one in difference_tables(differences, names):
        shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for heading in (f"{one.first} less {one.second}", "difference", "p", "better"):
            shown.add_column(Text(one_line(heading)))
        for row in one.rows:
            shown.add_row(
                *(Text(one_line(text)) for text in (f"  {row.label}", words(row.cell), row.p_value, row.better))
            )
        print()
        Console().print(shown)
