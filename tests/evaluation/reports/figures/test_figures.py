"""Whether what is drawn is what was measured: against plain counts."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from numpy.typing import NDArray

from mien.evaluation.measures.identification import IdentificationMeasures, identification_measures
from mien.evaluation.measures.verification import VerificationMeasures, verification_measures
from mien.evaluation.reports.figures.canvas import lines
from mien.evaluation.reports.figures.det import det
from mien.evaluation.reports.figures.error_rates import error_rates
from mien.evaluation.reports.figures.open_set import open_set
from mien.evaluation.reports.figures.precision_recall import precision_recall
from mien.evaluation.reports.figures.ranks import ranks
from mien.evaluation.reports.figures.roc import roc
from mien.evaluation.reports.figures.similarities import similarities
from mien.evaluation.scores.comparisons import Comparisons
from mien.evaluation.scores.searches import Searches

(LINE,) = lines(["made-up"])
RNG = np.random.default_rng(0)
MATED = np.round(RNG.normal(0.6, 0.15, 300), 2)
OTHERS = np.round(RNG.normal(0.1, 0.15, 2000), 2)


@pytest.fixture(scope="module")
def measures() -> VerificationMeasures:
    scores = Comparisons(np.concatenate([MATED, OTHERS]), np.arange(2300) < 300)
    return verification_measures(scores, threshold=0.4, resamples=20)


def drawn(figure: Figure, at: int = 0) -> tuple[Axes, NDArray[np.float64]]:
    """A figure's axes, and the points of one of its curves."""
    axes = figure.axes[0]
    return axes, np.asarray(axes.lines[at].get_xydata(), np.float64)


def on_the_curve(axes: Axes, points: NDArray[np.float64], wanted: NDArray[np.float64]) -> None:
    """Every wanted point that is in sight lies within 1 % of the figure of a point that is drawn."""
    low, high = np.array([axes.get_xlim(), axes.get_ylim()]).T
    wanted = wanted[((wanted >= low) & (wanted <= high)).all(axis=1)]
    assert len(wanted) > 10
    to_axes = (axes.transData + axes.transAxes.inverted()).transform
    apart = np.abs(to_axes(wanted)[:, None] - to_axes(points)).sum(axis=2).min(axis=1)
    assert apart.max() < 0.01


def rates() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Thresholds, FMR and FNMR, counted one by one."""
    thresholds = np.unique([*MATED, *OTHERS])[::-1]
    fmr = np.array([sum(1 for one in OTHERS if one >= t) / len(OTHERS) for t in thresholds])
    fnmr = np.array([sum(1 for one in MATED if one < t) / len(MATED) for t in thresholds])
    return thresholds, fmr, fnmr


def test_roc(measures: VerificationMeasures) -> None:
    _, fmr, fnmr = rates()
    axes, points = drawn(roc([(LINE, measures)]))
    on_the_curve(axes, points, np.column_stack([fmr, 1 - fnmr]))
    assert axes.get_xscale() == "log"


def test_det(measures: VerificationMeasures) -> None:
    _, fmr, fnmr = rates()
    axes, points = drawn(det([(LINE, measures)]), at=1)
    on_the_curve(axes, points, np.column_stack([fmr, fnmr]))


def test_precision_and_recall(measures: VerificationMeasures) -> None:
    thresholds, _, _ = rates()
    wanted = [
        (float((t <= MATED).mean()), (t <= MATED).sum() / ((t <= MATED).sum() + (t <= OTHERS).sum()))
        for t in thresholds
    ]
    axes, points = drawn(precision_recall([(LINE, measures)]))
    on_the_curve(axes, points, np.array(wanted))


def test_error_rates_against_the_threshold(measures: VerificationMeasures) -> None:
    thresholds, fmr, fnmr = rates()
    figure = error_rates(measures, 0.4)
    for at, rate in ((0, fmr), (1, fnmr)):
        axes, points = drawn(figure, at)
        on_the_curve(axes, points, np.column_stack([thresholds, rate]))
    assert axes.lines[2].get_xdata()[0] == 0.4  # type: ignore[index]


def test_bands_are_those_of_the_measures(measures: VerificationMeasures) -> None:
    curve = measures.curve
    for figure, low, high in (
        (roc([(LINE, measures)]), (curve.fmr_low, 1 - curve.fnmr_low), (curve.fmr_high, 1 - curve.fnmr_high)),
        (det([(LINE, measures)]), (curve.fmr_low, curve.fnmr_low), (curve.fmr_high, curve.fnmr_high)),
        (error_rates(measures, None), (curve.thresholds, curve.fmr_low), (curve.thresholds, curve.fmr_high)),
    ):
        axes = figure.axes[0]
        band = next(patch for patch in axes.patches if isinstance(patch, Polygon))
        for edge in (low, high):
            on_the_curve(axes, np.asarray(band.get_xy()), np.column_stack(edge))


def test_similarities(measures: VerificationMeasures) -> None:
    axes = similarities(measures, 0.4).axes[0]
    counts, edges, _ = axes.patches[0].get_data()  # type: ignore[attr-defined]
    assert counts.sum() == pytest.approx(1)
    assert edges[0] <= OTHERS.min() < OTHERS.max() <= edges[-1]
    middle = (edges[:-1] + edges[1:]) / 2
    assert (counts * middle).sum() == pytest.approx(OTHERS.mean(), abs=0.01)
    counts, _, _ = axes.patches[2].get_data()  # type: ignore[attr-defined]
    assert (counts * middle).sum() == pytest.approx(MATED.mean(), abs=0.01)
    assert [text.get_text() for text in axes.texts] == ["two people", "one person"]
    assert axes.lines[0].get_xdata()[0] == 0.4  # type: ignore[index]


PROBES = 500


@pytest.fixture(scope="module")
def searches() -> tuple[IdentificationMeasures, Searches]:
    best = np.sort(RNG.uniform(0, 1, (PROBES, 2)).astype(np.float32))[:, ::-1]
    known = np.arange(PROBES) % 2 == 0
    rank = np.where(known, RNG.integers(0, 4, PROBES), -1)
    whole = Searches(
        similarity=best,
        candidate=np.zeros((PROBES, 2), np.int64),
        mate=np.where(known, 0, -1),
        mate_similarity=np.where(known, best[:, 0], np.nan).astype(np.float32),
        mate_rank=rank,
        person=np.arange(PROBES),
        probes=np.arange(PROBES),
        gallery_people=20,
        gallery_templates=20,
    )
    return identification_measures(whole, resamples=20), whole


def test_ranks(searches: tuple[IdentificationMeasures, Searches]) -> None:
    measures, whole = searches
    found = whole.mate_rank[whole.mate >= 0]
    _, points = drawn(ranks([(LINE, measures.cmc)]))
    for rank, share in points:
        assert share == pytest.approx(float((found < rank).mean()))
    assert points[0, 0] == 1
    assert points[-1, 0] == 20


def test_open_set(searches: tuple[IdentificationMeasures, Searches]) -> None:
    measures, whole = searches
    known = whole.mate >= 0
    wanted = []
    for t in np.unique(whole.similarity[:, 0]):
        fpir = float((whole.similarity[~known, 0] >= t).mean())
        hit = (whole.mate_rank[known] == 0) & (whole.mate_similarity[known] >= t)
        wanted.append((fpir, 1 - float(hit.mean())))
    axes, points = drawn(open_set([(LINE, measures)]))
    on_the_curve(axes, points, np.array(wanted))
    assert axes.get_xscale() == axes.get_yscale() == "log"
