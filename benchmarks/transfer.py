"""Does a threshold stay true among other people? LFW's, and one's own, on people whom neither has seen."""

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.galleries import galleries_of, galleries_table
from benchmarks.results import PAGES, embedded_set, table
from benchmarks.splits import RATES, Judge, Judged, Population, Split, populations, splits_of
from mien.cli.output import progress_shown
from mien.decisions import Calibration, shipped_calibration

PEOPLE = (20, 50, 100, 200, 500, 1000)
PHOTOS = (1, 3, 10, 30)
SPLITS = 200
SPLITS_BY_PHOTOS = 40
WANTED = {1e-2: (0.67, 1.5), 1e-3: (0.67, 1.5), 1e-4: (0.5, 2.0)}
SHOWN = (("lfw", 1), ("utkface strangers", 1), ("cfp", 3), ("cfp", 10), ("rof neutral", 10))
SIZES = (10, 30, 100, 300, 1000, 3000)


def measure() -> str:
    """Measure all sets; embeddings and splits are kept in bench-results/, so that an interrupted run carries on."""
    with progress_shown():
        known = shipped_calibration(embedded_set("lfw", "sface", flip=True).encoder_identity)
        transfers, by_people, by_photos = [], [], []
        searched: list[tuple[object, ...]] = []
        for name, population in populations():
            judge = Judge(population)
            own = {
                people: splits_of(name, population, judge, people, max(PHOTOS), SPLITS)
                for people in _numbers(population.people)
            }
            half = splits_of(name, population, judge, population.people // 2, max(PHOTOS), SPLITS)
            transfers.append((name, population.people, len(population.person), *_transfer(name, judge, known, half)))
            by_people += [(name, people, splits) for people, splits in own.items()]
            by_photos += [
                (name, people, photos, splits_of(name, population, judge, people, photos, SPLITS_BY_PHOTOS))
                for people in _numbers(population.people)
                for photos in PHOTOS
                if np.mean(np.bincount(population.person) >= photos) > 0.5
            ]
            searched += galleries_of(name, population, known)
            if name == "lfw":
                growing = _first_photos(population)
        _draw_people(by_people)
        sizes = _growing(growing, known)
    return "\n".join(
        (
            _PAGE_HEAD,
            _transfer_table(transfers),
            _people_table(by_people),
            _photos_table(by_photos),
            galleries_table(searched),
            sizes,
        )
    )


_PAGE_HEAD = (
    "# Does a threshold stay true among other people?\n\nSFace with flip. *Got / asked* is the false match rate that a "
    "threshold has on people who had no part in it, over the one that was asked for: 1 is right, 2 is twice as many "
    "false matches as stated. At most 30 photos of each person; every pair of people weighs the same. What needs no "
    "labels, and what quality, cohorts and drift add: [transfer-methods.md](transfer-methods.md).\n"
)


def _numbers(people: int) -> list[int]:
    """How many people calibrate: at least 30 % are left to judge."""
    return [number for number in PEOPLE if number <= 0.7 * people]


# LFW's threshold against one's own


def _transfer(name: str, judge: Judge, known: Calibration, half: list[Split]) -> Iterator[str]:
    thresholds = [known.threshold(rate).similarity for rate in RATES]
    for rate, (got, low, high) in zip(RATES, judge.rates(np.arange(judge.people), thresholds), strict=True):
        yield "itself" if name == "lfw" else f"{got / rate:.2g} ({low / rate:.2g}–{high / rate:.2g})"
    yield from (_got(half, rate) for rate in RATES)


def _transfer_table(rows: list[tuple[object, ...]]) -> str:
    header = (
        "set",
        "people",
        "photos",
        *(f"LFW's threshold, {rate:.0e}" for rate in RATES),
        *(f"own people (half), {rate:.0e}" for rate in RATES),
    )
    return (
        "## LFW's threshold and one's own\n\nLFW's: on everybody of the set, with the 95 % interval over people. Own "
        f"people: half of the set calibrates, the other half judges, {SPLITS} splits; the median, and the 5 % and "
        "95 % quantiles over splits, which include the judging half's own error. *m*: modelled beyond what was counted "
        "in most splits. Refused: not supported in most.\n\n" + table(header, rows)
    )


def _judged(splits: list[Split], rate: float) -> list[Judged]:
    return [judged for split in splits for judged in split.judged if judged.asked == rate]


def _got(splits: list[Split], rate: float) -> str:
    judged = _judged(splits, rate)
    if len(judged) < len(splits) / 2:
        return "refused"
    low, middle, high = np.quantile([each.ratio for each in judged], [0.05, 0.5, 0.95])
    modelled = np.mean([each.modelled for each in judged]) > 0.5
    return f"{middle:.2f} ({low:.2f}–{high:.2f}){' *m*' if modelled else ''}"


# how many people


def _people_table(rows: list[tuple[str, int, list[Split]]]) -> str:
    header = (
        "set",
        "own people",
        "smallest counted",
        "smallest modelled",
        *(f"{rate:.0e}: {what}" for rate in RATES for what in ("answered", "got / asked", "as wanted", "covered")),
    )
    return (
        "## How many people\n\nSmallest false match rate that so many people support, by counting and by the model of "
        "the tail (medians). For each asked rate: in how many splits it is answered; got / asked there; in how many of "
        "those it is within 0.67–1.5 (0.5–2 at 1e-4); in how many the stated 95 % interval holds the population's "
        "rate. The judging people are a sample too: *covered* compares got with stated at the sum of both variances, "
        "so that the judge's error is not charged to the interval (`benchmarks/splits.py`).\n\n"
        "![Got over asked against the number of own people](transfer-people.svg)\n\n"
        + table(header, [(name, people, *_people_row(splits)) for name, people, splits in rows])
    )


def _people_row(splits: list[Split]) -> Iterator[str]:
    yield from _smallest(splits)
    for rate in RATES:
        judged = _judged(splits, rate)
        yield f"{100 * len(judged) / len(splits):.0f} %"
        if len(judged) < 10:
            yield from ("", "", "")
            continue
        low, high = WANTED[rate]
        quantiles = np.quantile([each.ratio for each in judged], [0.5, 0.05, 0.95])
        yield "{:.2f} ({:.2f}–{:.2f})".format(*quantiles)
        yield f"{100 * np.mean([low <= each.ratio <= high for each in judged]):.0f} %"
        yield f"{100 * np.mean([each.covered for each in judged]):.0f} %"


def _smallest(splits: list[Split]) -> Iterator[str]:
    for rates in ([split.counted for split in splits], [split.modelled for split in splits]):
        median = float(np.median([rate or 1.0 for rate in rates]))
        yield f"{median:.1e}" if median < 1 else "none"


def _draw_people(rows: list[tuple[str, int, list[Split]]]) -> None:
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    axes = figure.subplots(1, len(RATES), sharey=True)
    names = list(dict.fromkeys(name for name, _, _ in rows))
    drawn = {}
    for axis, rate in zip(axes, RATES, strict=True):
        axis.axhspan(*WANTED[rate], color="0.92")
        axis.axhline(1, color="0.6", linewidth=0.8)
        for place, name in enumerate(names):
            points = [
                (people, [each.ratio for each in _judged(splits, rate)])
                for of, people, splits in rows
                if of == name and len(_judged(splits, rate)) >= len(splits) / 2
            ]
            if points:
                low, middle, high = np.array([np.quantile(ratios, [0.05, 0.5, 0.95]) for _, ratios in points]).T
                at = np.array([people for people, _ in points]) * 1.03 ** (place - len(names) / 2)
                drawn[name] = axis.errorbar(
                    at, middle, (middle - low, high - middle), fmt=".-", color=f"C{place}", linewidth=1
                )
        axis.set(xscale="log", yscale="log", xlabel="own people", title=f"asked FMR {rate:.0e}", ylim=(0.2, 5))
        axis.set_xlim(0.8 * min(PEOPLE), 1.25 * max(PEOPLE))
        axis.set_xticks(PEOPLE, map(str, PEOPLE))
        axis.minorticks_off()
        axis.set_yticks([0.2, 0.5, 1, 2, 5], ["0.2", "0.5", "1", "2", "5"])
    axes[0].set_ylabel("got / asked (median, 5–95 % of splits)")
    figure.legend(drawn.values(), drawn.keys(), loc="outside lower center", ncols=5, frameon=False)
    _save(figure, "transfer-people")


# how many photos


def _photos_table(rows: list[tuple[str, int, int, list[Split]]]) -> str:
    _draw_photos(rows)
    cells = [(name, people, photos, *_smallest(splits)) for name, people, photos, splits in rows]
    header = ("set", "own people", "photos of each", "smallest counted", "smallest modelled")
    return (
        f"## How many photos\n\nMedians of {SPLITS_BY_PHOTOS} draws. Of a few people, many photos say more than one; "
        "a rate below that of two pairs of people among all pairs is never counted.\n\n"
        "![Smallest false match rate against the number of own people](transfer-support.svg)\n\n" + table(header, cells)
    )


def _draw_photos(rows: list[tuple[str, int, int, list[Split]]]) -> None:
    figure = Figure(figsize=(6.5, 4.2), layout="constrained")
    axis = figure.subplots()
    for place, (name, photos) in enumerate(SHOWN):
        of_it = [(each[1], each[3]) for each in rows if (each[0], each[2]) == (name, photos)]
        for kind, style in (("counted", "o-"), ("modelled", "o:")):
            points = [
                (people, np.median([getattr(split, kind) or 1.0 for split in splits])) for people, splits in of_it
            ]
            points = [point for point in points if point[1] < 1]
            label = f"{name}, {photos} photo{'s' * (photos > 1)} each" if kind == "counted" else None
            axis.plot(*zip(*points, strict=True), style, color=f"C{place}", label=label, markersize=3)
    axis.set(xscale="log", yscale="log", xlabel="own people", ylabel="smallest false match rate")
    axis.set_xticks(PEOPLE, map(str, PEOPLE))
    axis.set_title("counted (line) and modelled (dotted)", fontsize=10)
    axis.legend(frameon=False, fontsize=8)
    _save(figure, "transfer-support")


# strangers and the size of the gallery


def _first_photos(population: Population) -> NDArray[np.float32]:
    return population.embeddings[np.unique(population.person, return_index=True)[1]]


def _growing(units: NDArray[np.float32], known: Calibration) -> str:
    """FPIR of galleries of N people with a template each, by every choice of N among all the others."""
    everybody = len(units)
    sizes = (*SIZES, everybody - 1)
    fixed = known.threshold_for_fpir(0.01, 100).similarity
    rows, fixed_rates, following_rates = [], [], []
    for size in sizes:
        stated = known.fpir(fixed, size).value
        measured = _fpir(units, fixed, size)
        fixed_rates.append((measured, stated))
        following = "refused"
        smallest = known.smallest_supported_fmr
        if smallest is not None and -np.expm1(np.log1p(-0.01) / size) >= smallest:
            threshold = known.threshold_for_fpir(0.01, size).similarity
            following_rates.append((size, _fpir(units, threshold, size)))
            following = f"{100 * following_rates[-1][1]:.2f} %"
        rows.append((f"{size:,}", f"{100 * measured:.2f} %", f"{100 * stated:.2f} %", following))
    figure = Figure(figsize=(6, 4), layout="constrained")
    axis = figure.subplots()
    axis.plot(sizes, [m for m, _ in fixed_rates], "o-", label="fixed threshold, measured")
    axis.plot(sizes, [s for _, s in fixed_rates], "--", color="0.5", label="fixed threshold, 1 − (1 − FMR)^N")
    axis.plot(*zip(*following_rates, strict=True), "s-", label="threshold that follows N")
    axis.axhline(0.01, color="0.8", linewidth=0.8)
    axis.set(xscale="log", yscale="log", xlabel="people in the gallery, N", ylabel="strangers who match somebody, FPIR")
    axis.legend(frameon=False)
    _save(figure, "transfer-gallery")
    return (
        "## Strangers and the size of the gallery\n\nLFW, a photo of each person: everyone searched in galleries of N "
        "of the others (exact mean over all such galleries). The fixed threshold is mien's for an FPIR of 1 % in a "
        "gallery of 100, stated by 1 − (1 − FMR)^N, which takes the comparisons of a probe as independent.\n\n"
        "![FPIR against the size of the gallery](transfer-gallery.svg)\n\n"
        + table(("N", "fixed threshold: measured", "stated", "threshold that follows N, asked 1 %: measured"), rows)
    )


def _fpir(units: NDArray[np.float32], threshold: float, size: int) -> float:
    """The share of people who match one of `size` others, over all choices of these: hypergeometric."""
    others = len(units) - 1
    alike = np.concatenate(
        [(units[start : start + 500] @ units.T >= threshold).sum(axis=1) - 1 for start in range(0, len(units), 500)]
    )
    none = np.ones(len(units))
    for match in range(int(alike.max(initial=0))):  # P(none of `alike` is chosen) = Π (others − size − k)/(others − k)
        left = np.maximum(others - size - match, 0) / (others - match)
        none = np.where(match < alike, none * left, none)
    return float((1 - none).mean())


def _save(figure: Figure, name: str) -> None:
    PAGES.mkdir(parents=True, exist_ok=True)
    figure.savefig(PAGES / f"{name}.svg", metadata={"Date": None})
