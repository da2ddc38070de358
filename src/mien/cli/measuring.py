"""What `mien evaluate` and `mien compare-models` have in common: options, embedding a protocol's photos, tables."""

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mien.cli.options import embed_sources
from mien.cli.output import one_line, print_line, say, say_problems
from mien.cli.outputs import output_file
from mien.whole_files import opened_whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mien.evaluation import EmbeddedPhotos, Evaluation, EvaluationProtocol
    from mien.evaluation.reports.measure_words import Cell
    from mien.faces import FaceTable
    from mien.recognizer import Recognizer


def finite(value: float | None) -> float | None:
    """Refuse what is no similarity on any scale."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no similarity.")
    return value


OneFaceOption = Annotated[
    Literal["central", "largest", "only"], typer.Option("--face", help="Which face of a photo counts.")
]
AlignedOption = Annotated[
    bool, typer.Option("--aligned", help="The photos are crops aligned to 112 × 112 already: look for no faces.")
]
AtThresholdOption = Annotated[
    float | None, typer.Option("--threshold", callback=finite, help="Measure at this similarity too.")
]
FailuresOption = Annotated[
    bool,
    typer.Option("--failures-are-errors", help="Count photos without a face as errors; by default they are left out."),
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Of all that is drawn.")]
ReportOption = Annotated[
    Path | None,
    typer.Option("--report", callback=output_file("page"), help="Write a page with plots and the worst errors (HTML)."),
]


@dataclass(frozen=True, eq=False)
class ProtocolPhotos:
    """The photos of a protocol, embedded.

    Args:
        protocol: Whose they are.
        table: Their faces, by path or name.
        embedded: The same for the protocol.
        row: The row of the table of each photo with a face.
    """

    protocol: "EvaluationProtocol"
    table: "FaceTable"
    embedded: "EmbeddedPhotos"
    row: dict[str, int]

    def picture(self, name: str) -> "NDArray[np.uint8] | None":
        """The face of a photo, or the whole photo where none was found; None if it can't be opened."""
        from mien.errors import MienError
        from mien.faces import align
        from mien.photos import Photo

        try:
            pixels = Photo.open(self.protocol.photos[name]).pixels
        except (KeyError, MienError):
            return None
        if name not in self.row or self.protocol.aligned:
            return pixels
        crop: NDArray[np.uint8] = align(pixels, self.table.landmarks[[self.row[name]]])[0]
        return crop


def embed_protocol(
    recognizer: "Recognizer",
    protocol: "EvaluationProtocol",
    face: Literal["central", "largest", "only"],
    keep: Path | None,
    *,
    aligned: bool,
) -> ProtocolPhotos:
    """Embed what a protocol asks for.

    Raises:
        NoFaceError: If no photo has a face.
    """
    from mien.errors import NoFaceError
    from mien.evaluation import EmbeddedPhotos

    called = {name: name if isinstance(source, bytes) else str(source) for name, source in protocol.photos.items()}
    sources = {called[name]: source for name, source in protocol.photos.items()}
    aligned = aligned or protocol.aligned
    # A table that is carried on may hold other photos too, which are none of this protocol's business.
    table = embed_sources(recognizer, sources, face=face, keep=keep, aligned=aligned).only(sources)
    if not len(table):
        say_problems(table.problems)
        raise NoFaceError("No photo has a face.", hint="For aligned crops, give --aligned.")
    place = {name: row for row, name in enumerate(table.sources)}
    row = {name: place[called[name]] for name in protocol.photos if called[name] in place}
    rows = list(row.values())
    embedded = EmbeddedPhotos(
        names=list(row),
        embeddings=table.embeddings[rows],
        quality=table.scores[rows],
        without_face=[name for name in protocol.photos if name not in row],
        encoder=recognizer.named_encoder,
        blurred=table.blurred[rows],
    )
    return ProtocolPhotos(protocol, table, embedded, row)


def say_doubts(evaluations: Sequence["Evaluation"]) -> None:
    """Say on stderr what is probably wrong with the data, once."""
    for doubt in dict.fromkeys(evaluation.doubt for evaluation in evaluations if evaluation.doubt):
        say(doubt)


def show_measures(evaluations: Sequence["Evaluation"]) -> None:
    """Print what was measured: a row a measure, a column an encoder."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from mien.evaluation.reports.measure_tables import (
        classification_rows,
        clustering_rows,
        identification_rows,
        tables,
        verification_rows,
    )

    first = evaluations[0]
    print_line(f"{first.title}: {first.question}")
    data = first.data
    facts = [f"{label} {_number(value)}" for label, value in data.facts.items() if value not in (0, "none")]
    print_line(f"{data.name}: {', '.join([*data.counts, *facts])}")
    shown = Table(box=None, pad_edge=False, show_header=len(evaluations) > 1, padding=(0, 2, 0, 0))
    shown.add_column("")
    for evaluation in evaluations:
        shown.add_column(Text(one_line(evaluation.encoder.name if evaluation.encoder else "")))
    kinds = (verification_rows, identification_rows, classification_rows, clustering_rows)
    for group in tables([[row for kind in kinds for row in kind(one)] for one in evaluations]):
        shown.add_row("")
        shown.add_row(Text(one_line(group.heading), "bold"))
        for label, cells in group.rows:
            shown.add_row(Text(f"  {one_line(label)}"), *(Text(words(cell)) for cell in cells))
    Console().print(shown)
    if len(evaluations) == 1 and first.worst:
        print("\nThe worst of each kind (all of them with --report or --json):")
        for error in {error.kind: error for error in reversed(first.worst)}.values():
            photos = error.first if error.second is None else f"{error.first}, {error.second}"
            print_line(f"  {error.kind}: {photos}" + ("" if error.similarity is None else f" ({error.similarity:.3f})"))


def _number(fact: int | float | str) -> str:
    return fact if isinstance(fact, str) else f"{fact:,}" if isinstance(fact, int) else f"{fact:.4g}"


def words(cell: "Cell | None") -> str:
    """What a cell of a table says, on one line."""
    if cell is None:
        return ""
    if cell.refusal:
        return one_line(cell.refusal)
    return one_line(" ".join(filter(None, (cell.value, cell.interval and f"({cell.interval})", cell.note))))


def write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows with the same keys as a CSV file."""
    with opened_whole(path) as file:
        writer = None
        for row in rows:
            if writer is None:
                writer = csv.DictWriter(file, list(row))
                writer.writeheader()
            writer.writerow(row)
