"""Every figure of an evaluation in tables: a row a measure, a column an encoder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mien.evaluation.evaluation import Evaluation
from mien.evaluation.measures.estimate import Estimate, Measure
from mien.evaluation.measures.folds import FoldedAccuracy
from mien.evaluation.measures.verification import VerificationMeasures
from mien.evaluation.reports.measure_words import Cell, Unit, cell, similarity_words


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of one encoder.

    Args:
        group: The heading it stands under.
        label: What it is called.
        cell: What it came to.
    """

    group: str
    label: str
    cell: Cell


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under one heading, with a cell for each encoder; None where an encoder has no such measure."""

    heading: str
    rows: list[tuple[str, list[Cell | None]]]


def tables(rows: Sequence[Sequence[Row]]) -> list[Table]:
    """Put the rows of several encoders beside each other, in the order in which they first come."""
    groups: dict[str, dict[str, list[Cell | None]]] = {}
    for at, of_one in enumerate(rows):
        for row in of_one:
            cells = groups.setdefault(row.group, {}).setdefault(row.label, [None] * len(rows))
            cells[at] = row.cell
    return [Table(group, list(labelled.items())) for group, labelled in groups.items()]


def verification_rows(evaluation: Evaluation) -> Iterator[Row]:
    """The measures of comparisons 1:1, and what they stand on."""
    measures = evaluation.verification
    if measures is None:
        return
    failed = {"mated": measures.mated_failed, "non-mated": measures.non_mated_failed}
    for kind, number in (("mated", measures.mated), ("non-mated", measures.non_mated)):
        note = f"{failed[kind]:,} without a similarity" if failed[kind] else ""
        yield Row("Comparisons", kind, Cell(f"{number:,}", note=note))
    if evaluation.folds is not None:
        yield Row("Over the folds", "accuracy", folded(evaluation.folds))
    group = "False non-match rate at a fixed false match rate"
    for rate, measure in measures.fnmr_at_fmr.items():
        yield Row(group, f"at FMR {rate}", cell(measure, "share", _threshold(measures.threshold_at_fmr[rate])))
    given = measures.at_threshold
    if given is not None:
        group = "At the threshold in use"
        yield Row(group, "threshold", Cell(similarity_words(given.threshold)))
        for label, measure in (
            ("false match rate", given.fmr),
            ("false non-match rate", given.fnmr),
            ("accuracy", given.accuracy),
            ("precision", given.precision),
            ("recall", given.recall),
            ("F1", given.f1),
        ):
            yield Row(group, label, cell(measure, "share"))
    for label, measure, unit, note in _over_all_thresholds(measures):
        yield Row("Over all thresholds", label, cell(measure, unit, note))


def identification_rows(evaluation: Evaluation) -> Iterator[Row]:
    """The measures of searches 1:N, and what they stand on."""
    measures = evaluation.identification
    if measures is None:
        return
    yield from _counts(
        "Searches",
        {
            "people in the gallery": measures.gallery_people,
            "templates in the gallery": measures.gallery_templates,
            "probes of people in the gallery": measures.mated_probes,
            "probes of strangers": measures.stranger_probes,
            "probes without a face": measures.failed,
        },
    )
    group = "False negative identification rate at a fixed false positive one"
    for rate, measure in measures.fnir_at_fpir.items():
        yield Row(group, f"at FPIR {rate}", cell(measure, "share", _threshold(measures.threshold_at_fpir[rate])))
    given = measures.at_threshold
    if given is not None:
        yield Row("At the threshold in use", "threshold", Cell(similarity_words(given.threshold)))
        yield Row("At the threshold in use", "FPIR", cell(given.fpir, "share"))
        yield Row("At the threshold in use", "FNIR", cell(given.fnir, "share"))
    for label, measure in (
        ("found at rank 1", measures.rank_1),
        ("found up to rank 5", measures.rank_5),
        ("found up to rank 10", measures.rank_10),
        ("missed among 50 candidates", measures.investigation),
        ("precision at 1", measures.precision_at_1),
        ("mAP@R", measures.map_at_r),
    ):
        yield Row("Without a threshold", label, cell(measure, "share"))


def fold_rows(evaluation: Evaluation) -> Iterator[Row]:
    """Each fold's accuracy with the threshold that was used on it, and their mean."""
    folds = evaluation.folds
    if folds is None:
        return
    for at, (accuracy, threshold) in enumerate(zip(folds.accuracy, folds.threshold, strict=True), start=1):
        yield Row("Fold by fold", str(at), Cell(f"{100 * accuracy:.2f} %", note=_at(float(threshold))))
    yield Row("Fold by fold", "mean", folded(folds))


def classification_rows(evaluation: Evaluation) -> Iterator[Row]:
    """The measures of classifiers of a closed set."""
    measures = evaluation.closed_set
    if measures is None:
        return
    yield from _counts(
        "Photos", {"people": measures.people, "to learn from": measures.train, "to be named": measures.test}
    )
    for name, measured in measures.classifiers.items():
        yield Row("Named right", name, cell(measured.accuracy, "share"))
    for name, measured in measures.classifiers.items():
        yield Row("The right person among the first five", name, cell(measured.top_5, "share"))


def clustering_rows(evaluation: Evaluation) -> Iterator[Row]:
    """The measures of a clustering."""
    measures = evaluation.clustering
    if measures is None:
        return
    yield from _counts("Faces", {"faces": measures.faces, "people": measures.people, "groups": measures.groups})
    for label, measure in (
        ("BCubed F", measures.bcubed_f),
        ("BCubed precision", measures.bcubed_precision),
        ("BCubed recall", measures.bcubed_recall),
        ("F of pairs", measures.pairwise_f),
        ("precision of pairs", measures.pairwise_precision),
        ("recall of pairs", measures.pairwise_recall),
        ("purity", measures.purity),
    ):
        yield Row("How right the groups are", label, cell(measure, "share"))
    yield Row("How right the groups are", "normalised mutual information", cell(measures.nmi, "number"))


def folded(folds: FoldedAccuracy) -> Cell:
    """The mean accuracy of the folds and its standard error, as LFW's authors ask for it."""
    note = f"{folds.missed:,} without a similarity, counted as wrong" if folds.missed else ""
    return Cell(f"{100 * folds.mean:.2f} %", f"± {100 * folds.standard_error:.2f} standard error", note=note)


def _over_all_thresholds(measures: VerificationMeasures) -> Iterator[tuple[str, Measure, Unit, str]]:
    yield "equal error rate", measures.eer, "share", _at(measures.eer_threshold)
    yield "greatest accuracy", measures.accuracy, "share", _at(measures.best_threshold)
    yield "area under the ROC curve", measures.auc, "number", ""
    yield "average precision", measures.average_precision, "share", ""
    yield "precision at recall 95 %", measures.precision_at_recall_095, "share", ""
    yield "recall at precision 95 %", measures.recall_at_precision_095, "share", ""
    yield "d′", measures.d_prime, "number", ""
    yield "Cllr, in bits", measures.cllr, "number", ""
    yield "least Cllr, in bits", measures.min_cllr, "number", ""
    yield "expected calibration error", measures.calibration_error, "share", ""


def _at(threshold: float | None) -> str:
    return "" if threshold is None else f"at {similarity_words(threshold)}"


def _threshold(measure: Measure) -> str:
    return f"threshold {similarity_words(measure.value)}" if isinstance(measure, Estimate) else ""


def _counts(group: str, numbers: dict[str, int]) -> Iterator[Row]:
    for label, number in numbers.items():
        yield Row(group, label, Cell(f"{number:,}"))
