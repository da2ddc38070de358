from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mien.evaluation.measures.verification import VerificationMeasures
from mien.evaluation.reports.figures.canvas import Line, canvas, draw, filled_from, percent_scale


def precision_recall(curves: Sequence[tuple[Line, VerificationMeasures]]) -> Figure:
    """The share of matches that are right, against the share of mated ones that match: the corner that counts."""
    figure, axes = canvas("recall", "precision")
    both = [_precision_and_recall(measures) for _, measures in curves]
    equal = min(float(np.minimum(*one).max(initial=0)) for one in both)
    corner = filled_from(1 - 8 * (1 - equal))
    axes.set(xlim=corner, ylim=corner)
    percent_scale(axes, "x")
    percent_scale(axes, "y")
    for (line, _), (precision, recall) in zip(curves, both, strict=True):
        draw(axes, line, recall, precision)
    return figure


def _precision_and_recall(measures: VerificationMeasures) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    recall = 1 - measures.curve.fnmr
    right = measures.mated * recall
    matches = right + measures.non_mated * measures.curve.fmr
    some = matches > 0
    return right[some] / matches[some], recall[some]
