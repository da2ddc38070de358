"""`mien evaluate`: how often is an encoder wrong, by the protocols that laboratories use?"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    write_rows,
)
from mien.cli.options import (
    CalibrationOption,
    EncoderOption,
    FlipOption,
    JsonOption,
    PrecisionOption,
    RuntimeOption,
    make_recognizer,
)
from mien.cli.output import ExitCode, Group, print_json, progress_shown, say, say_problems
from mien.cli.outputs import output_file, refuse_one_place_for_two
from mien.cli.protocols import OPENINGS, with_options
from mien.whole_files import write_whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mien.evaluation import Evaluation, EvaluationProtocol

CurveOption = Annotated[
    Path | None,
    typer.Option(
        "--csv",
        callback=output_file("curve"),
        help="Write the error rates at each threshold, or the measures if there is none.",
    ),
]


@dataclass(frozen=True)
class Evaluating:
    """The options of every protocol."""

    threshold: AtThresholdOption = None
    failures_are_errors: FailuresOption = False
    aligned: AlignedOption = False
    embeddings: Annotated[
        Path | None,
        typer.Option(
            "--embeddings",
            callback=output_file("faces"),
            help="Keep the embeddings in this .npz, so that an interrupted run carries on, or take them from it.",
        ),
    ] = None
    report: ReportOption = None
    csv: CurveOption = None
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            callback=output_file("answers"),
            help="Write each comparison, or each probe's answer (CSV).",
        ),
    ] = None
    seed: SeedOption = 0
    face: OneFaceOption = "central"
    encoder: EncoderOption = "sface"
    flip: FlipOption = None
    runtime: RuntimeOption = "auto"
    precision: PrecisionOption = "f32"
    calibration: CalibrationOption = None
    json: JsonOption = False


def scores(
    mated: Annotated[
        Path, typer.Argument(help="Scores of photos of one person, one a line; or a CSV (score,mated) with both kinds.")
    ],
    non_mated: Annotated[Path | None, typer.Argument(help="Scores of photos of two people, one a line.")] = None,
    threshold: AtThresholdOption = None,
    failures_are_errors: FailuresOption = False,
    calibration: CalibrationOption = None,
    report: ReportOption = None,
    csv: CurveOption = None,
    seed: SeedOption = 0,
    json: JsonOption = False,
) -> int:
    """Scores of any encoder, greater = more alike: no photos are needed."""
    from mien.decisions import Calibration
    from mien.evaluation import Settings, evaluate_scores, read_score_table, read_scores

    refuse_one_place_for_two(report, csv)
    found = read_score_table(mated) if non_mated is None else read_scores(mated, non_mated)
    names = [path.name for path in (mated, non_mated) if path]
    settings = Settings(
        threshold=threshold,
        calibration=Calibration.load(calibration) if calibration else None,
        failures_are_errors=failures_are_errors,
        seed=seed,
        command=" ".join(["mien evaluate scores", *names]),
    )
    with progress_shown():
        evaluation = evaluate_scores(found, " and ".join(names), settings)
    _write(evaluation, report, csv, lambda _: None)
    _show(evaluation, json)
    return ExitCode.DONE


def evaluate(protocol: "EvaluationProtocol", asked: Evaluating, command: str) -> int:
    """Embed the photos of a protocol, measure, and show and write what was asked for."""
    from mien.evaluation import Settings

    refuse_one_place_for_two(asked.embeddings, asked.report, asked.csv, asked.output)
    recognizer = make_recognizer(
        asked.encoder,
        flip=asked.flip,
        runtime=asked.runtime,
        precision=asked.precision,
        face=asked.face,
        calibration=asked.calibration,
    )
    settings = Settings(
        threshold=asked.threshold,
        calibration=recognizer.calibration if asked.calibration else None,
        rule=recognizer.find_calibration(needed=False),
        failures_are_errors=asked.failures_are_errors,
        seed=asked.seed,
        command=command,
    )
    with progress_shown():
        photos = embed_protocol(recognizer, protocol, asked.face, asked.embeddings, aligned=asked.aligned)
        evaluation = protocol.evaluate(photos.embedded, settings)
        if asked.output:
            write_rows(asked.output, protocol.answers(photos.embedded, settings))
        _write(evaluation, asked.report, asked.csv, photos.picture)
    _show(evaluation, asked.json)
    for path in filter(None, (asked.report, asked.csv, asked.output)):
        say(f"Look at {path}")
    say_problems(photos.table.problems)
    return ExitCode.SOME_FAILED if photos.table.problems else ExitCode.DONE


EVALUATE = Group(
    "evaluate",
    "How often an encoder is wrong, with intervals: verification, search, classification, clustering.",
    (scores, *(with_options(opening, Evaluating, evaluate, "evaluate") for opening in OPENINGS)),
)


def _show(evaluation: "Evaluation", json: bool) -> None:
    if json:
        print_json(evaluation.to_dict())
    else:
        show_measures([evaluation])
    say_doubts([evaluation])


def _write(
    evaluation: "Evaluation",
    report: Path | None,
    curve: Path | None,
    picture: "Callable[[str], NDArray[np.uint8] | None]",
) -> None:
    from mien.evaluation.reports import render_evaluation

    if curve:
        write_rows(curve, _curve(evaluation))
    if report:
        write_whole(report, render_evaluation([evaluation], photo=picture))


def _curve(evaluation: "Evaluation") -> Iterable[dict[str, Any]]:
    """The error rates at each threshold; where there is no threshold, the measures."""
    for measures in (evaluation.verification, evaluation.identification):
        if measures is not None:
            curve = measures.curve.to_dict()
            columns = {"threshold" if name == "thresholds" else name: values for name, values in curve.items()}
            return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    measured = {"closed_set": evaluation.closed_set, "clustering": evaluation.clustering}
    found = {name: measures.to_dict() for name, measures in measured.items() if measures is not None}
    return [{"measure": name, **measure} for name, measure in _flat(found, "")]


def _flat(measures: dict[str, Any], before: str) -> Iterable[tuple[str, dict[str, Any]]]:
    for name, value in measures.items():
        if isinstance(value, dict):
            if value.keys() == {"value", "low", "high"}:
                yield f"{before}{name}", value
            else:
                yield from _flat(value, f"{before}{name} ")
