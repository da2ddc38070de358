import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mien.evaluation.measures.verification import VerificationMeasures
from mien.evaluation.reports.figures.canvas import canvas
from mien.evaluation.reports.page import MATED, NON_MATED, SOFT

_BINS = 72


def similarities(measures: VerificationMeasures, threshold: float | None) -> Figure:
    """How mated and non-mated similarities are spread, each over its own number, and where the threshold parts them."""
    figure, axes = canvas("similarity", "share of comparisons", height=3.1)
    edges = shown_edges(measures, _BINS)
    top = 0.0
    for (counts, bins), colour, words, place in (
        (measures.non_mated_histogram, NON_MATED, "two people", "left"),
        (measures.mated_histogram, MATED, "one person", "right"),
    ):
        if not counts.sum():
            continue
        share = _rebinned(counts, bins, edges)
        axes.stairs(share, edges, fill=True, color=colour, alpha=0.32)
        axes.stairs(share, edges, color=colour, linewidth=1.3)
        axes.text(
            0.0 if place == "left" else 1.0,
            1.0,
            words,
            color=colour,
            transform=axes.transAxes,
            ha=place,
            va="top",
            fontsize=11,
        )
        top = max(top, float(share.max()))
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, 1.12 * top or 1), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False)
    if threshold is not None:
        axes.axvline(threshold, color=SOFT, linewidth=1.3, dashes=(4, 2))
    return figure


def shown_edges(measures: VerificationMeasures, bins: int) -> NDArray[np.float64]:
    """(bins + 1,) even edges over the similarities that occur."""
    ends = [
        (edges[:-1][counts > 0].min(), edges[1:][counts > 0].max())
        for counts, edges in (measures.mated_histogram, measures.non_mated_histogram)
        if counts.any()
    ]
    if not ends:
        return np.linspace(-1, 1, bins + 1)
    return np.linspace(min(low for low, _ in ends), max(high for _, high in ends), bins + 1)


def _rebinned(counts: NDArray[np.int64], bins: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """The shares of a histogram in wider or narrower bins, as if similarities were even within each bin."""
    below = np.interp(edges, bins, np.concatenate([[0], np.cumsum(counts)]))
    return np.asarray(np.diff(below) / counts.sum())
