"""What keeps a false match rate true on people whom nobody labelled: four methods, judged with labels."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.results import KEPT, PHOTOS, embedded_set, table
from benchmarks.splits import holds_the_truth
from mien import Recognizer
from mien.cli.options import embed_photos
from mien.cli.output import progress_shown
from mien.decisions import Calibration, Rate, RateCurve, shipped_calibration
from mien.errors import CalibrationError
from mien.evaluation import (
    EDGES,
    calibrate,
    calibrate_unlabelled,
    drift_of_people,
    drift_of_probes,
    false_match_rates,
    score_all_pairs,
)
from mien.evaluation.scores.normalisation import cohort_statistics
from mien.faces import TEMPLATES, FaceTable, NetworkEncoder, align, measure_quality, open_encoder
from mien.faces.quality import BLURRED, ENLARGED
from mien.photos import Photo
from mien.synthesis import generate

RATES = (1e-2, 1e-3, 1e-4)
SPLITS = 4
MOST_JUDGED = 2000

Embeddings = NDArray[np.float32]
Names = NDArray[np.str_]


@dataclass(frozen=True)
class Population:
    """Photos of some people: (N, D) embeddings and (N,) whose each is."""

    embeddings: Embeddings
    people: Names

    def __getitem__(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Population":
        return Population(self.embeddings[rows], self.people[rows])

    def halves(self, seed: int) -> tuple["Population", "Population"]:
        """Two halves of the people."""
        names = np.random.default_rng(seed).permutation(np.unique(self.people))
        first = np.isin(self.people, names[: len(names) // 2])
        return self[first], self[~first]

    def sample(self, photos: int, seed: int) -> "Population":
        """So many photos, or all."""
        return self[np.sort(np.random.default_rng(seed).permutation(len(self.people))[:photos])]

    def a_few_each(self, photos: int, seed: int) -> "Population":
        """So many photos of each person who has them."""
        order = np.random.default_rng(seed).permutation(len(self.people))
        order = order[np.argsort(self.people[order], kind="stable")]
        _, start, count = np.unique(self.people[order], return_index=True, return_counts=True)
        place = np.arange(len(order)) - np.repeat(start, count)
        return self[order[(place < photos) & (np.repeat(count, count) >= photos)]]


def measure() -> str:
    """Measure all four; embeddings are kept in bench-results/, so that an interrupted run carries on."""
    with progress_shown():
        tables = {
            name: embedded_set(name, "sface", flip=True)
            for name in ("lfw", "celeba_test", "celeba", "cfp", "rof", "att", "utkface")
        }
        populations = dict(_populations(tables))
        known = shipped_calibration(tables["lfw"].encoder_identity)
        return "\n".join(
            [
                "# Calibration beyond labelled people\n\nSFace with flip. Each cell is got / asked: the false match "
                "rate that the threshold has on people whom the method did not see, over the one that was asked for: 1 "
                f"is right. Medians of {SPLITS} splits of the people, least and greatest in brackets.\n",
                _unlabelled(populations, known),
                _cohorts(populations),
                _drift(populations, known),
                _quality(tables["lfw"], known),
                _refused(tables),
            ]
        )


def _populations(tables: dict[str, FaceTable]) -> Iterator[tuple[str, Population]]:
    for name, of_set in tables.items():
        paths = [Path(source).relative_to(PHOTOS / name) for source in of_set.sources]
        if name == "utkface":  # strangers all
            yield name, Population(of_set.embeddings, np.array([str(path) for path in paths]))
            continue
        depth = 1 if name == "rof" else 0
        suffixes = ("_wearing_mask", "_wearing_sunglasses")
        people = [path.parts[depth].removesuffix(suffixes[0]).removesuffix(suffixes[1]) for path in paths]
        all_of_it = Population(of_set.embeddings, np.array(people))
        parts = {"cfp": ("frontal", "profile"), "rof": ("neutral", "sunglasses", "masked")}.get(name, ())
        for part in parts:
            yield f"{name} {part}", all_of_it[np.array([part in path.parts for path in paths])]
        if name != "rof":
            yield name, all_of_it


def _truth(judged: Population, seed: int) -> RateCurve:
    judged = judged.sample(MOST_JUDGED, seed)
    return false_match_rates(score_all_pairs(judged.embeddings, judged.people.tolist())).curve


def _summary(got: list[float]) -> str:
    if not got:
        return "refused"
    spread = f" ({min(got):.2f}–{max(got):.2f})" if len(got) > 1 else ""
    return f"{np.median(got):.2f}{spread}" + (f", {SPLITS - len(got)} refused" if len(got) < SPLITS else "")


# (b) unlabelled


def _collections(of: Population, seed: int) -> Iterator[tuple[str, Population]]:
    """What somebody may have: photos of one person each, two each, or many."""
    people = np.random.default_rng(seed).permutation(np.unique(of.people))
    for photos, name in ((1, "one"), (2, "two")):
        some = of[np.isin(of.people, people[: 500 // photos])].a_few_each(photos, seed)
        if len(some.people) >= 100:
            yield f"500 or fewer, {name} a person", some
    names, counts = np.unique(of.people, return_counts=True)
    many = of[np.isin(of.people, names[counts >= 5])]
    for photos in (100, 500, 2000):
        if len(many.people) >= photos:
            yield f"{photos:,}, many a person", many.sample(photos, seed)


Stated = tuple[float, Rate | None]
"""A threshold, and the false match rate there with its interval; None for a method that states no interval."""
Thresholds = Callable[[float], Stated]
"""What a method states for a false match rate; CalibrationError where that is nothing."""


def _unlabelled(populations: dict[str, Population], known: Calibration) -> str:
    methods: dict[str, Callable[[Population], Thresholds]] = {
        "LFW's threshold": lambda _: _of(known),
        "normal": _normal,
        "labelled": _labelled,
        "unlabelled": lambda photos: _of(calibrate_unlabelled(photos.embeddings, known, name="own", data="own")),
    }
    columns = [(method, rate) for method in methods for rate in (RATES if method == "unlabelled" else RATES[:2])]
    got: dict[tuple[str, str], dict[tuple[str, float], list[float]]] = {}
    holds: dict[float, list[bool]] = {rate: [] for rate in RATES}
    for name, population in populations.items():
        for seed in range(SPLITS):
            seen, judged = population.halves(seed)
            truth = _truth(judged, seed)
            for collection, photos in _collections(seen, seed):
                cells = got.setdefault((name, collection), {column: [] for column in columns})
                for method, make in methods.items():
                    with suppress(CalibrationError):
                        thresholds = make(photos)
                        for rate in [rate for of, rate in columns if of == method]:
                            threshold, stated = thresholds(rate)
                            judge = truth.at(threshold, EDGES)
                            cells[method, rate].append(judge.value / rate)
                            if method == "unlabelled" and stated:
                                holds[rate].append(holds_the_truth(stated, judge))
    rows = [
        (name, collection, *(_summary(cells[column]) for column in columns))
        for (name, collection), cells in got.items()
    ]
    header = ("set", "photos", *(f"{method}, {rate:.0e}" for method, rate in columns))
    right = "; ".join(
        f"at {rate:.0e} {len(values)} of {SPLITS * len(got)} are answered, {sum(0.67 <= x <= 1.5 for x in values)} of "
        f"them within 0.67–1.5, and the stated interval holds the rate of {sum(holds[rate])}"
        for rate in RATES
        for values in [[x for cells in got.values() for x in cells["unlabelled", rate]]]
    )
    labelled = [x for cells in got.values() for x in cells["labelled", RATES[0]]]
    return (
        "## Unlabelled photos\n\n`calibrate_unlabelled` on photos without labels, beside a normal through the median "
        "and the 90 % quantile of all their pairs, and what the same photos give with labels, whatever their support. "
        f"Unlabelled: {right} (at the sum of its variance and the judging people's). Labelled, at {RATES[0]:.0e}, "
        f"{sum(0.67 <= x <= 1.5 for x in labelled)} of {len(labelled)}.\n\n" + table(header, rows)
    )


def _of(calibration: Calibration) -> Thresholds:
    def stated(rate: float) -> Stated:
        threshold = calibration.threshold(rate).similarity
        return threshold, calibration.fmr(threshold)

    return stated


def _normal(photos: Population) -> Thresholds:
    similarity = (photos.embeddings @ photos.embeddings.T)[np.triu_indices(len(photos.people), 1)]
    median, upper = np.quantile(similarity, [0.5, 0.9])
    return lambda rate: (min(1.0, float(median + (upper - median) * stats.norm.isf(rate) / stats.norm.isf(0.1))), None)


def _labelled(photos: Population) -> Thresholds:
    curve = false_match_rates(score_all_pairs(photos.embeddings, photos.people.tolist())).curve
    return lambda rate: (float(EDGES[np.searchsorted(-curve.value, -rate)]), None)


# (d) cohorts


def _cohorts(populations: dict[str, Population]) -> str:
    generate(KEPT / "synthetic", people=1000, photos=3, seed=1)
    synthetic = embed_photos(
        Recognizer("sface", flip=True),
        [str(path) for path in sorted((KEPT / "synthetic").glob("person-*/0001.jpg"))],
        face="central",
        keep=KEPT / "synthetic-sface-flip.npz",
    ).embeddings
    norms: dict[str, tuple[Embeddings | None, int | None] | None] = {
        "none": None,
        "S, people who don't exist": (synthetic, None),
        "adaptive S, people who don't exist": (synthetic, 300),
        "S, 500 photos of the set": (None, None),
        "adaptive S, 500 photos of the set": (None, 100),
    }
    seen, judged = {}, {}
    for name, population in populations.items():
        one, other = population.halves(0)
        seen[name], judged[name] = one.sample(500, 0), other.sample(1500, 0)
    rows = []
    for title, norm in norms.items():
        scores = {}
        for name in populations:
            cohort = seen[name].embeddings if norm is None or norm[0] is None else norm[0]
            scores[name] = _non_mated(judged[name], None if norm is None else (cohort, norm[1]))
        at = {rate: float(np.quantile(scores["lfw"], 1 - rate)) for rate in RATES}
        rows.append((title, *(_each_rate(of, at) for name, of in scores.items() if name != "lfw")))
    header = ("norm, its cohort", *(name for name in populations if name != "lfw"))
    return (
        "## Cohort normalisation\n\nThe threshold is LFW's on normalised similarities, judged on other people. A "
        "cohort of people who don't exist makes most sets worse. 500 unlabelled photos of the set make most better, "
        f"yet leave more than a calibration on them does.\n\nEach cell: at {_RATES_SHOWN}.\n\n" + table(header, rows)
    )


_RATES_SHOWN = " · ".join(f"{rate:.0e}" for rate in RATES)


def _each_rate(similarity: NDArray[np.floating], at: dict[float, float]) -> str:
    return " · ".join(f"{(similarity >= threshold).mean() / rate:.2g}" for rate, threshold in at.items())


def _non_mated(judged: Population, norm: tuple[Embeddings, int | None] | None) -> NDArray[np.float64]:
    first, second = np.triu_indices(len(judged.people), 1)
    apart = judged.people[first] != judged.people[second]
    first, second = first[apart], second[apart]
    similarity = np.asarray((judged.embeddings @ judged.embeddings.T)[first, second], np.float64)
    if norm is None:
        return similarity
    cohort, most_alike = norm
    of = cohort_statistics(judged.embeddings, cohort, most_alike=most_alike)
    parts = [(similarity - of.mean[side]) / of.deviation[side] for side in (first, second)]
    return np.asarray((parts[0] + parts[1]) / 2, np.float64)


# (e) drift


def _drift(populations: dict[str, Population], known: Calibration) -> str:
    alarms, rows = [], []
    for name, population in populations.items():
        same, of_lfw, streams = [], [], []
        for seed in range(SPLITS):
            one, other = population.halves(seed)
            one, other = one.sample(1000, seed), other.sample(1000, seed)
            own = calibrate(one.embeddings, one.people.tolist(), name=name, encoder=known.encoder, data=name)
            same.append(drift_of_people(own, score_all_pairs(other.embeddings, other.people.tolist())).drifted)
            drift = drift_of_people(known, score_all_pairs(other.embeddings, other.people.tolist()))
            of_lfw.append(drift)
            probes, templates = one.a_few_each(1, seed), other.a_few_each(1, seed)
            streams.append(drift_of_probes(known, probes.embeddings, templates.embeddings, templates.people.tolist()))
        alarms += same
        ratios = [
            " · ".join(
                f"{rate.ratio.value:.2g} ({rate.ratio.low:.2g}–{rate.ratio.high:.2g})"
                for rate in drift.rates
                if rate.stated.value > 5e-4
            )
            for drift in of_lfw[:1]
        ]
        rows.append((name, sum(same), sum(d.drifted for d in of_lfw), sum(d.drifted for d in streams), *ratios))
    header = (
        "set",
        "false alarms: calibrated on half of its people, judged on the other",
        "alarms: LFW's calibration, a gallery of the set",
        "alarms: LFW's calibration, strangers of the set searched in it",
        "times the stated rate at 1e-1 · 1e-2 · 1e-3, first split",
    )
    return (
        f"## Drift\n\nOf {SPLITS} splits each; 1,000 photos at most. False alarms: {sum(alarms)} of {len(alarms)}.\n\n"
        + table(header, rows)
    )


# (c) quality

FACES = 1000
FACE = TEMPLATES["arcface-112"][1]
EYES = float(np.linalg.norm(FACE[0] - FACE[1]))
Picture = NDArray[np.uint8]
DEGRADED: dict[str, tuple[float, Callable[[Picture], Picture]]] = {
    "as it is": (EYES, lambda picture: picture),
    "32 px between the eyes": (32, lambda picture: picture),
    "24 px": (24, lambda picture: picture),
    "16 px": (16, lambda picture: picture),
    "12 px": (12, lambda picture: picture),
    "8 px": (8, lambda picture: picture),
    "32 px, with noise": (32, lambda picture: _noisy(picture, 12)),
    "24 px, with noise": (24, lambda picture: _noisy(picture, 12)),
    "16 px, with noise": (16, lambda picture: _noisy(picture, 12)),
    "12 px, with noise": (12, lambda picture: _noisy(picture, 12)),
    "8 px, with noise": (8, lambda picture: _noisy(picture, 12)),
    "32 px, with strong noise": (32, lambda picture: _noisy(picture, 25)),
    "16 px, with strong noise": (16, lambda picture: _noisy(picture, 25)),
    "24 px, printed in dots": (24, lambda picture: _printed(picture, 3)),
    "16 px, with noise, JPEG of quality 50": (16, lambda picture: _compressed(_noisy(picture, 12), 50)),
    "16 px, JPEG of quality 20": (16, lambda picture: _compressed(picture, 20)),
    "blurred, σ 0.04 of the eyes' distance": (EYES, lambda picture: _blurred(picture, 0.04 * EYES)),
    "blurred, 0.07": (EYES, lambda picture: _blurred(picture, 0.07 * EYES)),
    "blurred, 0.10": (EYES, lambda picture: _blurred(picture, 0.10 * EYES)),
    "darkened, with noise": (EYES, lambda picture: _noisy(_darkened(picture), 4)),
}
"""For each name the pixels between the eyes, and what happens to so small a picture of a face."""


def _quality(lfw: FaceTable, known: Calibration) -> str:
    encoder = open_encoder("sface", flip=True)
    assert isinstance(encoder, NetworkEncoder)
    people = np.array([Path(source).parent.name for source in lfw.sources])
    order = np.random.default_rng(0).permutation(len(lfw))
    rows = np.sort(order[np.unique(people[order], return_index=True)[1]][:FACES])
    crops = _crops(lfw, rows)
    clear, at = lfw.embeddings[rows], {rate: known.threshold(rate).similarity for rate in RATES}
    results = []
    for name, (eyes, worsen) in DEGRADED.items():
        poor = np.stack([_enlarged(worsen(_shrunk(crop, eyes))) for crop in crops])
        quality = measure_quality(poor, np.broadcast_to(FACE * eyes / EYES, (FACES, 5, 2)))
        embeddings = encoder.embed_crops(poor)
        compared = embeddings[~quality.blurred]
        results.append(
            (
                name,
                f"{np.median(quality.sharpness):.3f}",
                f"{np.median(quality.noise):.1f}",
                f"{100 * quality.blurred.mean():.1f} %",
                _each_rate(_of_two(embeddings), at),
                _each_rate(_of_two(compared), at) if len(compared) >= FACES // 10 else "–",
                _each_rate((embeddings @ clear.T)[~np.eye(FACES, dtype=bool)], at),
                _own_people(Population(embeddings, people[rows])),
                f"{np.median((embeddings * clear).sum(axis=1)):.2f}",
            )
        )
    header = (
        f"LFW, one photo of {FACES:,} people",
        "sharpness",
        "noise",
        "not compared with one another",
        f"both photos so, at {_RATES_SHOWN}",
        "both so, of those compared",
        "one of them",
        f"both, half of the people calibrate, at {_RATES_SHOWN}",
        "similarity to the photo as it is",
    )
    return (
        "## Quality\n\nLFW's threshold on degraded crops of LFW: false matches for each that is stated. 16 pixels "
        "between the eyes or a dark photo leave the rate as it is; two photos that are both strongly blurred, "
        "noisy or tiny match more often by chance. Their sharpness, noise and size tell most such faces, and no two of "
        "them are compared. What JPEG has made of noise, or of a small face, is not noticed. Noise has a σ of 12 of "
        "255 in each channel, strong noise 25.\n\n" + table(header, results)
    )


def _refused(tables: dict[str, FaceTable]) -> str:
    rows = []
    for name, faces in tables.items():
        chosen = np.sort(np.random.default_rng(0).permutation(len(faces))[:MOST_JUDGED])
        quality = measure_quality(_crops(faces, chosen), faces.landmarks[chosen])
        blurred, small = quality.sharpness < BLURRED, quality.magnification > ENLARGED
        noisy = quality.blurred & ~(blurred | small)
        rows.append((name, f"{len(chosen):,}", *(f"{100 * of.mean():.2f} %" for of in (blurred, small, noisy))))
    header = ("set, as it is", "faces", "blurred", "small", "noisy and neither")
    return "How many faces of ordinary photos are so:\n\n" + table(header, rows)


def _crops(faces: FaceTable, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    return np.concatenate([align(Photo.open(faces.sources[row]).pixels, faces.landmarks[row][None]) for row in rows])


def _of_two(embeddings: Embeddings) -> NDArray[np.float32]:
    return np.asarray((embeddings @ embeddings.T)[np.triu_indices(len(embeddings), 1)])


def _own_people(population: Population) -> str:
    """Got / asked where such photos of half of the people calibrate, and the other half judges."""
    cells = []
    for rate in RATES:
        got = []
        for split in range(SPLITS):
            seen, judged = population.halves(split)
            similarity = (judged.embeddings @ judged.embeddings.T)[np.triu_indices(len(judged.people), 1)]
            got.append(float((similarity >= _labelled(seen)(rate)[0]).mean()) / rate)
        cells.append(_summary(got))
    return " · ".join(cells)


def _shrunk(crop: Picture, eyes: float) -> Picture:
    side = round(crop.shape[0] * eyes / EYES)
    return np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _enlarged(picture: Picture) -> Picture:
    return np.asarray(cv2.resize(picture, TEMPLATES["arcface-112"][0], interpolation=cv2.INTER_LINEAR), np.uint8)


def _noisy(picture: Picture, sigma: float) -> Picture:
    noise = np.random.default_rng(int(picture.sum())).normal(0, sigma, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def _compressed(picture: Picture, quality: int) -> Picture:
    file = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.cvtColor(np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB), np.uint8)


def _printed(picture: Picture, period: float) -> Picture:
    """Black dots on white, so many pixels apart along the diagonals: a scan of a newspaper."""
    fine = 4
    grey = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), None, fx=fine, fy=fine).astype(np.float32)
    down, right = np.indices(grey.shape) * 2 * np.pi / (period * fine)
    screen = 2 + np.cos((right + down) / np.sqrt(2)) + np.cos((right - down) / np.sqrt(2))
    dots = np.where(grey > 255 / 4 * screen, np.float32(255), np.float32(0))
    small = cv2.resize(dots, picture.shape[1::-1], interpolation=cv2.INTER_AREA).astype(np.uint8)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_GRAY2RGB), np.uint8)


def _blurred(picture: Picture, sigma: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def _darkened(picture: Picture) -> Picture:
    return (255 * 0.35 * (picture / 255) ** 2.2).astype(np.uint8)
