"""Whether encoders really differ: their differences with intervals, p-values, and which one is better if any."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mien.evaluation.measures.differences import Difference
from mien.evaluation.measures.estimate import Estimate, Unsupported
from mien.evaluation.reports.measure_words import Cell, Unit, cell

Differences = Mapping[tuple[int, int], Mapping[str, Difference | Unsupported]]
"""For pairs of encoders, by their places, what `compare_verification` or `compare_identification` gave."""

SIGNIFICANT = 0.05
_MEASURES: Mapping[str, tuple[str, Unit, int]] = {
    "tar_at_far": ("true match rate at FMR", "difference of shares", 1),
    "eer": ("equal error rate", "difference of shares", -1),
    "accuracy": ("greatest accuracy", "difference of shares", 1),
    "auc": ("area under the ROC curve", "difference of numbers", 1),
    "average_precision": ("average precision", "difference of shares", 1),
    "precision_at_recall_095": ("precision at recall 95 %", "difference of shares", 1),
    "recall_at_precision_095": ("recall at precision 95 %", "difference of shares", 1),
    "d_prime": ("d′", "difference of numbers", 1),
    "min_cllr": ("least Cllr, in bits", "difference of numbers", -1),
    "rank_1": ("found at rank 1", "difference of shares", 1),
    "fnir_at_fpir": ("FNIR at FPIR", "difference of shares", -1),
}
"""What each is called, its unit, and whether more of it is better (1) or worse (−1); in the order of the table."""


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """One measure: first less second, and who is better: "" if that isn't clear."""

    label: str
    cell: Cell
    p_value: str
    better: str


@dataclass(frozen=True, slots=True)
class DifferenceTable:
    """The differences of two encoders."""

    first: str
    second: str
    rows: list[DifferenceRow]


def difference_tables(differences: Differences, names: Sequence[str]) -> list[DifferenceTable]:
    """A table for each pair of encoders.

    Args:
        differences: By the encoders' places in `names`.
        names: What the encoders are called.
    """
    order = list(_MEASURES)
    return [
        DifferenceTable(
            names[first],
            names[second],
            [
                _row(key, found, names[first], names[second])
                for key, found in sorted(measured.items(), key=lambda one: order.index(one[0].split()[0]))
            ],
        )
        for (first, second), measured in differences.items()
    ]


def _row(key: str, found: Difference | Unsupported, first: str, second: str) -> DifferenceRow:
    name, *rate = key.split()
    label, unit, sign = _MEASURES[name]
    label = " ".join([label, *rate])
    if isinstance(found, Unsupported):
        return DifferenceRow(label, Cell("", refusal=found.reason), "", "")
    shown = cell(Estimate(found.value, found.low, found.high), unit, found.note)
    p_value = f"{found.p_value:.3f}" if found.p_value >= 0.0095 else f"{found.p_value:.1g}"
    clear = found.p_value < SIGNIFICANT and found.value != 0
    better = (first if sign * found.value > 0 else second) if clear else ""
    return DifferenceRow(label, shown, p_value, better)
