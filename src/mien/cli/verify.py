"""`mien verify`: are these two the same person?"""

from typing import Annotated

import typer

from mien.cli.options import (
    CalibrationOption,
    EncoderOption,
    FaceOption,
    FlipOption,
    JsonOption,
    PrecisionOption,
    RuntimeOption,
    ThresholdOption,
    make_recognizer,
    share,
)
from mien.cli.output import DECISION_CODES, print_json, print_line, say


def verify(
    probe: Annotated[str, typer.Argument(metavar="A", help="A photo of one person.")],
    reference: Annotated[str, typer.Argument(metavar="B", help="A photo of the same person, or of another.")],
    fmr: Annotated[
        float,
        typer.Option(
            envvar="MIEN_FMR",
            callback=share,
            help="Decide at this false match rate: the share of strangers who match.",
        ),
    ] = 1e-4,
    threshold: ThresholdOption = None,
    prior: Annotated[
        float, typer.Option(callback=share, help="How likely it is beforehand that they are the same person.")
    ] = 0.5,
    face: FaceOption = "central",
    encoder: EncoderOption = "sface",
    flip: FlipOption = None,
    runtime: RuntimeOption = "auto",
    precision: PrecisionOption = "f32",
    calibration: CalibrationOption = None,
    json: JsonOption = False,
) -> int:
    """Are these two photos of the same person? Exit code 0: match; 1: no match or ambiguous; 3: unusable."""
    recognizer = make_recognizer(
        encoder, flip=flip, runtime=runtime, precision=precision, face=face, calibration=calibration
    )
    verification = recognizer.verify(probe, reference, fmr=fmr, threshold=threshold, prior=prior)
    if json:
        print_json(verification.to_dict())
    else:
        print_line(verification.reason)
        for note in verification.notes:
            say(note)
    return DECISION_CODES[verification.decision]
