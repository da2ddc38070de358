"""The demo's report: one HTML file with everything in it."""

from collections import Counter
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from mien._version import __version__
from mien.decisions import Calibration, Rate, verify
from mien.decisions.wording import interval_words, rate_words, span_words
from mien.demo.running import FMR, FPIR, DemoResult, Portrait
from mien.evaluation.reports import plot, render_page
from mien.gallery import IdentifiedFace

MOST_GROUPS = 24


def render(result: DemoResult, calibration: Calibration, *, synthetic: bool) -> str:
    """Render what came of the demo as a page.

    Args:
        result: What `run` gave.
        calibration: The one that decided.
        synthetic: The people don't exist.
    """
    groups = _groups(result)
    return render_page(
        "demo.html.j2",
        figures=result.to_dict(),
        synthetic=synthetic,
        headline=_headline(result),
        enrolled=[{"crop": one.crop, "name": one.person} for one in result.portraits if one.enrolled],
        pairs=_pairs(result, calibration),
        histogram=_histogram(result),
        fmr=rate_words(FMR),
        fpir=rate_words(FPIR),
        probes=_probes(result),
        clustering=result.clustering.reason,
        groups=groups[:MOST_GROUPS],
        more_groups=max(0, len(groups) - MOST_GROUPS),
        rates=[
            {
                "name": name,
                "value": rate_words(rate.value),
                "interval": span_words(rate),
                "of": of,
            }
            for name, (rate, of) in result.rates.items()
        ],
        version=__version__,
    )


def _headline(result: DemoResult) -> list[dict[str, str]]:
    right = {name: 1 - rate.value for name, (rate, _) in result.rates.items()}
    return [
        {"value": _percent(right["false negative identification rate"]), "label": "of known people recognised"},
        {"value": _percent(right["false positive identification rate"]), "label": "of strangers left unknown"},
        {"value": _percent(right["false non-match rate"]), "label": "of pairs of one person matched"},
        {"value": f"{result.bcubed.f:.3f}", "label": "BCubed F of the clusters"},
    ]


def _pairs(result: DemoResult, calibration: Calibration) -> list[dict[str, Any]]:
    different = ~result.mated & ~np.eye(len(result.mated), dtype=bool)
    chosen = []
    for among, sign in ((result.mated, 1), (result.mated, -1), (different, 1)):
        scores = np.where(among, sign * result.similarities, -np.inf)
        first, second = (int(i) for i in np.unravel_index(int(np.argmax(scores)), scores.shape))
        one, other = result.portraits[first], result.portraits[second]
        verification = verify(float(np.clip(result.similarities[first, second], -1, 1)), calibration, fmr=FMR)
        same = one.person == other.person
        styles = {"match" if same else "no_match": "yes", "ambiguous": "unsure"}
        chosen.append(
            {
                "first": one.crop,
                "second": other.crop,
                "names": (one.person, other.person),
                "answer": verification.decision.replace("_", " "),
                "style": styles.get(verification.decision, "no"),
                "similarity": verification.similarity,
                "probability": _probability(verification.probability),
                "truth": f"really one person, {one.person}"
                if same
                else f"really two people, {one.person} and {other.person}",
            }
        )
    return chosen


def _probes(result: DemoResult) -> list[dict[str, Any]]:
    shown: dict[str, dict[str, Any]] = {}
    for number, identification in result.identified.items():
        portrait = result.portraits[number]
        shown.setdefault(portrait.person, _probe(portrait, identification))
    return list(shown.values())


def _probe(portrait: Portrait, found: IdentifiedFace) -> dict[str, Any]:
    if found.decision == "match":
        right = found.person == portrait.person
        comment = (
            f"{found.similarity:.2f}"
            if right
            else f"wrong: {'it is ' + portrait.person if portrait.known else 'a stranger'}"
        )
    else:
        right = not portrait.known
        comment = "a stranger" if right else f"missed: {portrait.person}"
    return {
        "crop": portrait.crop,
        "truth": portrait.person,
        "answer": found.person or found.decision,
        "style": "yes" if right else "no",
        "comment": comment,
    }


def _groups(result: DemoResult) -> list[dict[str, Any]]:
    """Wrong ones first: several people together, or not all photos of one."""
    photos = result.people
    groups = []
    for members in result.clustering.groups():
        portraits = [result.portraits[int(i)] for i in members]
        people = Counter(one.person for one in portraits)
        names = [
            f"{name} × {count}" if count == photos[name] else f"{name} × {count} of {photos[name]}"
            for name, count in people.most_common(3)
        ]
        groups.append(
            {
                "crops": [one.crop for one in portraits[:9]],
                "caption": ", ".join(names + ["…"] * (len(people) > len(names))),
                "right": len(people) == 1 and people.total() == photos[portraits[0].person],
            }
        )
    return sorted(groups, key=lambda group: bool(group["right"]))


def _histogram(result: DemoResult) -> Markup:
    pairs = np.triu(np.ones_like(result.mated), 1)
    figure = Figure(figsize=(9, 3))
    axes = figure.subplots()
    bins = np.linspace(min(-0.2, float(result.similarities.min())), 1, 70)
    for among, colour, label in (
        (pairs & ~result.mated, "#c0563f", "two people"),
        (pairs & result.mated, "#2e8b57", "one person"),
    ):
        axes.hist(result.similarities[among], bins.tolist(), density=True, color=colour, alpha=0.65, label=label)
    axes.axvline(result.threshold.similarity, color="#2f5d8a", linewidth=1.5, linestyle="--")
    axes.set_xlabel("similarity (cosine)")
    axes.set_yticks([])
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.legend(frameon=False)
    return plot(figure)


def _probability(value: float | None) -> str:
    if value is None:
        return ""
    return ", P(same) " + ("> 0.999" if value > 0.999 else "< 0.001" if value < 0.001 else f"{value:.3f}")


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def rate_line(name: str, rate: Rate, of: str) -> str:
    """One measured error rate for the terminal."""
    return f"{name}: {rate_words(rate.value)} ({interval_words(rate)}) of {of}"
