"""The few figures that a report begins with, each with what it means."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mien.evaluation.evaluation import Evaluation
from mien.evaluation.measures.estimate import Measure, Unsupported
from mien.evaluation.reports.measure_tables import folded
from mien.evaluation.reports.measure_words import Cell, cell, similarity_words

MOST = 5
WIDEST = 0.2
"""An interval that is wider says too little to begin with."""


@dataclass(frozen=True, slots=True)
class Headline:
    """A figure to begin with.

    Args:
        label: What it is.
        meaning: The same in plain words.
        cells: What it came to, for each encoder; None where it wasn't measured.
    """

    label: str
    meaning: str
    cells: list[Cell | None]

    @property
    def refusal(self) -> Cell | None:
        """The refusal, where it is the same for all."""
        first = self.cells[0]
        return first if first and first.refusal and all(cell == first for cell in self.cells) else None


def headlines(evaluations: Sequence[Evaluation]) -> list[Headline]:
    """At most five figures, the same ones for every encoder."""
    found: dict[str, Headline] = {}
    for at, evaluation in enumerate(evaluations):
        for label, meaning, measured in _of_one(evaluation, evaluations):
            headline = found.setdefault(label, Headline(label, meaning, [None] * len(evaluations)))
            headline.cells[at] = measured
    return list(found.values())[:MOST]


def _of_one(evaluation: Evaluation, all_of_them: Sequence[Evaluation]) -> Iterator[tuple[str, str, Cell]]:
    if evaluation.folds is not None:
        folds = len(evaluation.folds.accuracy)
        yield "accuracy", f"of decisions right, over {folds} folds", folded(evaluation.folds)
    searches = evaluation.identification
    if searches is not None:
        yield "found at rank 1", "of known people, the right one comes first", cell(searches.rank_1, "share")
        rates = [one.identification.fnir_at_fpir for one in all_of_them if one.identification]
        for rate in _turning_point(rates):
            meaning = f"of known people missed, where {_in_words(rate)} strangers are taken for somebody"
            yield f"FNIR at FPIR {rate}", meaning, cell(searches.fnir_at_fpir[rate], "share")
        used = searches.at_threshold
        if used is not None:
            note = f"threshold {similarity_words(used.threshold)}"
            yield "FPIR in use", "of strangers are taken for somebody", cell(used.fpir, "share", note)
            yield "FNIR in use", "of known people are missed", cell(used.fnir, "share", note)
    measures = evaluation.verification
    if measures is not None:
        rates = [one.verification.fnmr_at_fmr for one in all_of_them if one.verification]
        for rate in _turning_point(rates):
            meaning = f"of mated comparisons missed, where {_in_words(rate)} non-mated ones match"
            yield f"FNMR at FMR {rate}", meaning, cell(measures.fnmr_at_fmr[rate], "share")
        given = measures.at_threshold
        if given is not None:
            note = f"threshold {similarity_words(given.threshold)}"
            yield "FMR in use", "of non-mated comparisons match", cell(given.fmr, "share", note)
            yield "FNMR in use", "of mated comparisons are missed", cell(given.fnmr, "share", note)
        yield "equal error rate", "of either kind wrong where both error rates are equal", cell(measures.eer, "share")
        yield (
            "area under ROC",
            "chance that a mated comparison scores above a non-mated one",
            cell(measures.auc, "number"),
        )
    if evaluation.closed_set is not None:
        best = evaluation.closed_set.best
        accuracy = evaluation.closed_set.classifiers[best].accuracy
        yield "named right", f"of photos, by {best}", cell(accuracy, "share")
    if evaluation.clustering is not None:
        for label, meaning, measure in (
            (
                "BCubed F",
                "of a face's group is right and complete, in the harmonic mean",
                evaluation.clustering.bcubed_f,
            ),
            ("BCubed precision", "of a face's group is really its person", evaluation.clustering.bcubed_precision),
            ("BCubed recall", "of a face's person is in its group", evaluation.clustering.bcubed_recall),
        ):
            yield label, meaning, cell(measure, "share")


def _turning_point(measures: Sequence[Mapping[str, Measure]]) -> list[str]:
    """The smallest rate at which all encoders' figures still say something, and the first one that is refused."""
    rates = sorted(measures[0], key=float, reverse=True)
    supported = [rate for rate in rates if not any(isinstance(one[rate], Unsupported) for one in measures)]
    telling = [rate for rate in supported if all(_width(one[rate]) <= WIDEST for one in measures)]
    refused = [rate for rate in rates if rate not in supported]
    return [*(telling[-1:] or supported[:1]), *refused[:1]]


def _width(measure: Measure) -> float:
    return math.inf if isinstance(measure, Unsupported) else measure.high - measure.low


def _in_words(rate: str) -> str:
    return f"1 in {round(1 / float(rate)):,}"
