"""The report of an evaluation: one page with every figure, its interval, the worst errors, and how to make it again."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mien._version import __version__
from mien.decisions.wording import counted
from mien.evaluation.evaluation import Evaluation
from mien.evaluation.measures.closed_set import Confusion
from mien.evaluation.measures.error_rates import FEWEST_ERRORS
from mien.evaluation.reports.difference_tables import SIGNIFICANT, Differences, difference_tables
from mien.evaluation.reports.drawn import Drawn, identification_figures, verification_figures
from mien.evaluation.reports.figures.canvas import Line, lines
from mien.evaluation.reports.headline import headlines
from mien.evaluation.reports.measure_tables import (
    Row,
    Table,
    classification_rows,
    clustering_rows,
    fold_rows,
    identification_rows,
    tables,
    verification_rows,
)
from mien.evaluation.reports.page import render_page
from mien.evaluation.reports.worst_errors import PhotoOf, worst_errors

_MOST_CONFUSIONS = 20


@dataclass(frozen=True, slots=True)
class Section:
    """What the page has of one kind of measures."""

    figures: list[Drawn]
    tables: list[Table]


@dataclass(frozen=True, slots=True)
class Confusions:
    """Whom one encoder's best classifier took for whom, the first few, and how many there are."""

    name: str
    shown: Sequence[Confusion]
    count: int


@dataclass(frozen=True, slots=True)
class Made:
    """How one encoder's figures came about."""

    name: str
    facts: list[tuple[str, str]]


def render_evaluation(
    evaluations: Sequence[Evaluation], *, photo: PhotoOf, differences: Differences | None = None
) -> str:
    """Render what was measured as one HTML file with everything in it.

    Args:
        evaluations: One; or those of several encoders on the same data, to be drawn over each other.
        photo: From a photo's name its pixels, (H, W, 3) uint8 RGB, best of all only the face; None if it can't be had.
            It is called once for each photo that is shown.
        differences: For pairs of them, by their places in `evaluations`, what `compare_verification` or
            `compare_identification` gave.

    Raises:
        ValueError: There is no evaluation.
    """
    if not evaluations:
        raise ValueError("no evaluation to report")
    drawn = lines(_names(evaluations))
    named = list(zip(drawn, evaluations, strict=True))
    verified = [(line, one.verification) for line, one in named if one.verification]
    identified = [(line, one.identification) for line, one in named if one.identification]

    def tabled(rows: Callable[[Evaluation], Iterator[Row]]) -> list[Table]:
        return tables([list(rows(one)) for one in evaluations])

    return render_page(
        "evaluation.html.j2",
        titles=_unique(one.title for one in evaluations),
        questions=_unique(one.question for one in evaluations),
        origins=_origins(named),
        doubts=_unique(one.doubt for one in evaluations if one.doubt),
        lines=drawn,
        several=len(evaluations) > 1,
        same_data=len({(one.data.name, one.data.list_sha256, one.data.photos) for one in evaluations}) == 1,
        headlines=headlines(evaluations),
        differences=difference_tables(differences or {}, [line.name for line in drawn]),
        significant=SIGNIFICANT,
        verification=Section(list(verification_figures(verified)), tabled(verification_rows)) if verified else None,
        folds=tabled(fold_rows),
        identification=Section(list(identification_figures(identified)), tabled(identification_rows))
        if identified
        else None,
        gallery_sizes=" and ".join(_unique(counted(one.gallery_people, "person", "people") for _, one in identified)),
        classification=tabled(classification_rows),
        confusions=[
            Confusions(line.name, one.closed_set.confusions[:_MOST_CONFUSIONS], len(one.closed_set.confusions))
            for line, one in named
            if one.closed_set
        ],
        clustering=tabled(clustering_rows),
        worst=worst_errors(evaluations, photo),
        known_wrong_labels=any(one.data.name.lower().startswith("lfw") for one in evaluations),
        independent=any(one.data.people is None for one in evaluations),
        calibrated=any(one.calibration for one in evaluations),
        fewest_errors=FEWEST_ERRORS,
        made=[Made(line.name, list(_made(one))) for line, one in named],
        shows_faces=any(one.worst for one in evaluations),
        version=__version__,
    )


def _names(evaluations: Sequence[Evaluation]) -> list[str]:
    """A name for each encoder, all different."""
    names = [one.encoder.name if one.encoder else one.data.name or "scores" for one in evaluations]
    again = {name for name, count in Counter(names).items() if count > 1}
    return [f"{name} ({at})" if name in again else name for at, name in enumerate(names, start=1)]


def _origins(named: Sequence[tuple[Line, Evaluation]]) -> list[str]:
    """What was measured on, and with which encoders: a sentence for each set of photos."""
    encoders: dict[str, list[str]] = {}
    for line, one in named:
        encoders.setdefault(_measured_on(one), []).extend([line.name] if one.encoder else [])
    return [
        f"{data}. Encoder{'s' if len(names) > 1 else ''}: {', '.join(names)}." if names else f"{data}."
        for data, names in encoders.items()
    ]


def _measured_on(evaluation: Evaluation) -> str:
    data = evaluation.data
    return f"Measured on {data.name}{': ' if data.counts else ''}{', '.join(data.counts)}"


def _made(evaluation: Evaluation) -> Iterator[tuple[str, str]]:
    """What it takes to make the figures again, a label and a value each."""
    made = dict(evaluation.made or {})
    yield from _flat({label: made.pop(label) for label in ("command", "seed", "date") if label in made})
    yield "data", evaluation.data.name
    yield from _flat(evaluation.data.facts)
    if evaluation.data.list_sha256:
        yield "hash of the photo list", evaluation.data.list_sha256
    if evaluation.encoder:
        yield "encoder", evaluation.encoder.name
        yield "encoder hash", evaluation.encoder.identity
    yield from _flat({"calibration": evaluation.calibration or "none"})
    yield from _flat({"mien" if label == "version" else label: value for label, value in made.items()})


def _flat(facts: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for label, value in facts.items():
        name = f"{before} {label}".strip().replace("_", " ")
        if isinstance(value, Mapping):
            yield from _flat(value, name)
        else:
            yield name, _fact(value) if label != "seed" else str(value)


def _fact(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _unique(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
