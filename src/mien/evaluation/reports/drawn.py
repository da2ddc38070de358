"""Every figure of an evaluation with its heading, its legend and how to read it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.figure import Figure

from mien.evaluation.measures.error_rates import FEWEST_ERRORS
from mien.evaluation.measures.identification import IdentificationMeasures
from mien.evaluation.measures.verification import VerificationMeasures
from mien.evaluation.reports.figures.canvas import Line
from mien.evaluation.reports.figures.det import det
from mien.evaluation.reports.figures.error_rates import error_rates
from mien.evaluation.reports.figures.open_set import open_set
from mien.evaluation.reports.figures.precision_recall import precision_recall
from mien.evaluation.reports.figures.ranks import ranks
from mien.evaluation.reports.figures.roc import roc
from mien.evaluation.reports.figures.similarities import similarities
from mien.evaluation.reports.measure_words import similarity_words
from mien.evaluation.reports.page import plot

Verified = Sequence[tuple[Line, VerificationMeasures]]
Identified = Sequence[tuple[Line, IdentificationMeasures]]

_BAND = "The band joins the 95 % intervals of both rates."
_GREY = f"Grey: rates that stand on fewer than {FEWEST_ERRORS} errors."


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure on the page.

    Args:
        heading: What it is called.
        caption: How to read it; or why there is none.
        svg: The figure; None where there is none.
        lines: The encoders drawn over each other in it.
    """

    heading: str
    caption: str
    svg: Markup | None
    lines: Sequence[Line] = ()


def verification_figures(measured: Verified) -> Iterator[Drawn]:
    """Of each encoder its similarities and its error rates; of all together ROC, DET, precision and recall."""
    for line, measures in measured:
        of_whom = f", {line.name}" if len(measured) > 1 else ""
        yield from _against_the_threshold(measures, of_whom)
    whole = [(line, measures) for line, measures in measured if measures.mated and measures.non_mated]
    if whole:
        of = [line for line, _ in whole]
        shares = dict.fromkeys(f"{100 * one.mated / (one.mated + one.non_mated):.3g} %" for _, one in whole)
        mated = f"Precision depends on how many of the comparisons are mated: here {' and '.join(shares)}."
        equal = f"Lower is better; dotted, where both rates are equal. {_BAND} {_GREY}"
        yield _overlay("ROC", roc(whole), f"Higher is better. {_BAND} {_GREY}", of)
        yield _overlay("DET", det(whole), equal, of)
        yield _overlay("Precision and recall", precision_recall(whole), mated, of)
    for line, one in measured:
        if not (one.mated and one.non_mated):
            found = f"there are {one.mated:,} mated and {one.non_mated:,} non-mated ones"
            yield _refused("ROC, DET, precision and recall", line, f"It takes both kinds of comparisons; {found}.")


def identification_figures(measured: Identified) -> Iterator[Drawn]:
    """CMC, and FNIR against FPIR."""
    ranked = [(line, one.cmc) for line, one in measured if len(one.cmc.ranks)]
    if ranked:
        caption = "How often the right person is among the most alike, up to each rank. Band: 95 % interval."
        yield _overlay("Cumulative match characteristic", ranks(ranked), caption, [line for line, _ in ranked])
    both = [(line, one) for line, one in measured if one.mated_probes and one.stranger_probes]
    if both:
        heading = "Known people missed, strangers taken for somebody"
        yield _overlay(heading, open_set(both), f"Lower is better. {_BAND} {_GREY}", [line for line, _ in both])
    for line, one in measured:
        if not len(one.cmc.ranks):
            yield _refused("cumulative match characteristic", line, "No probe shows a person of the gallery.")
        if not (one.mated_probes and one.stranger_probes):
            found = f"there are {one.mated_probes:,} and {one.stranger_probes:,}"
            why = f"It takes probes of people of the gallery and of strangers; {found}."
            yield _refused("FNIR against FPIR", line, why)


def _against_the_threshold(measures: VerificationMeasures, of_whom: str) -> Iterator[Drawn]:
    threshold, which = _marked(measures)
    mark = f" Dashed line: {which}, {similarity_words(threshold)}." if threshold is not None else ""
    if not measures.mated and not measures.non_mated:
        yield Drawn(f"No similarities{of_whom}", "There was nothing to compare.", None)
        return
    yield _single(
        f"Similarities{of_whom}",
        similarities(measures, threshold),
        "Each kind over its own number of comparisons." + mark,
    )
    yield _single(
        f"Error rates at each threshold{of_whom}",
        error_rates(measures, threshold),
        "Solid: false match rate. Dashed: false non-match rate. Bands: 95 % intervals.",
    )


def _marked(measures: VerificationMeasures) -> tuple[float | None, str]:
    """The threshold that is marked, and which one it is."""
    if measures.at_threshold is not None:
        return measures.at_threshold.threshold, "the threshold in use"
    return measures.best_threshold, "the threshold of the greatest accuracy"


def _overlay(heading: str, figure: Figure, caption: str, of: Sequence[Line]) -> Drawn:
    names = ", ".join(line.name for line in of)
    return Drawn(heading, caption, plot(figure, f"{heading} of {names}. {caption}"), of)


def _single(heading: str, figure: Figure, caption: str) -> Drawn:
    return Drawn(heading, caption, plot(figure, f"{heading}. {caption}"))


def _refused(what: str, line: Line, why: str) -> Drawn:
    return Drawn(f"No {what} of {line.name}", why, None)
