"""LFW through the whole pipeline: ten folds, open-set identification, and what a growing gallery does to strangers."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.results import PHOTOS, percent, table
from mien import Recognizer
from mien.cli.measuring import embed_protocol
from mien.cli.output import progress_shown
from mien.evaluation import PROTOCOLS, EmbeddedPhotos, Evaluation, Settings
from mien.evaluation.protocols.open_set import OpenSet

ENCODERS = tuple((name, flip) for name in ("sface", "dlib", "fusion") for flip in (False, True))
FPIR = 0.01
SIZES = (10, 30, 100, 300, 1000, 1680)


def measure() -> str:
    """Measure every shipped encoder; embeddings are kept in bench-results/, so that an interrupted run carries on."""
    pairs, searches = PROTOCOLS["lfw"](PHOTOS / "lfw"), PROTOCOLS["open-set"](PHOTOS / "lfw", fpir=FPIR)
    assert isinstance(searches, OpenSet)
    verification, identification, growing = [], [], []
    for name, flip in ENCODERS:
        recognizer = Recognizer(name, flip=flip)
        settings = Settings(rule=recognizer.calibration)
        label = f"{name}{' with flip' if flip else ''}"
        keep = Path("bench-results") / f"lfw-{name}{'-flip' if flip else ''}.npz"
        keep.parent.mkdir(exist_ok=True)
        with progress_shown():
            verified, identified = (
                embed_protocol(recognizer, protocol, "central", keep, aligned=False).embedded
                for protocol in (pairs, searches)
            )
            verification.append((label, *_verified(pairs.evaluate(verified, settings))))
            identification.append((label, *_identified(searches.evaluate(identified, settings))))
            if not flip:
                growing += [(label, *row) for row in _grown(searches, identified, settings)]
    return (
        "# LFW through the whole pipeline\n\nOriginal 250 × 250 photos; the most central face of each. Intervals are "
        "95 %, over people.\n\n"
        "## Verification (View 2: 6,000 pairs, ten folds, the threshold of each chosen on the other nine)\n\n"
        + table(("encoder", "accuracy ± standard error", "FNMR at FMR 1 %", "photos without a face"), verification)
        + "\n## Open-set identification\n\nThe first photo of everyone with two or more is enrolled (1,680 people); "
        "their other photos are mated probes, and the photos of the 4,069 people with one are strangers.\n\n"
        + table(
            (
                "encoder",
                "found at rank 1",
                f"FNIR at a measured FPIR of {FPIR:.0%}",
                f"the threshold that mien takes for FPIR {FPIR:.0%}: measured FPIR",
                "its FNIR",
            ),
            identification,
        )
        + "\n## Strangers and the size of the gallery\n\nN of the 1,680 people, drawn. The fixed threshold is mien's "
        f"for an FPIR of {FPIR:.0%} in a gallery of {SIZES[0]}; the following one is mien's for each N.\n\n"
        + table(("encoder", "N", "FPIR, fixed threshold", "FNIR", "FPIR, following threshold", "FNIR"), growing)
    )


def _verified(evaluation: Evaluation) -> tuple[str, str, int]:
    assert evaluation.folds is not None
    assert evaluation.verification is not None
    accuracy = f"{100 * evaluation.folds.mean:.2f} ± {100 * evaluation.folds.standard_error:.2f} %"
    return accuracy, percent(evaluation.verification.fnmr_at_fmr["1e-2"]), evaluation.data.photos_without_face


def _identified(evaluation: Evaluation) -> tuple[str, ...]:
    found = evaluation.identification
    assert found is not None
    assert found.at_threshold is not None
    at = found.at_threshold
    return tuple(map(percent, (found.rank_1, found.fnir_at_fpir[str(FPIR)], at.fpir, at.fnir)))


def _grown(searches: OpenSet, embedded: EmbeddedPhotos, settings: Settings) -> Iterator[tuple[str, ...]]:
    """FPIR and FNIR in galleries of each size, at the threshold for the smallest and at the one for this size."""
    assert settings.rule is not None
    fixed = settings.rule.threshold_for_fpir(FPIR, SIZES[0]).similarity
    order = np.random.default_rng(0).permutation(len(searches.gallery)).tolist()
    for size in SIZES:
        gallery = [searches.gallery[at] for at in order[:size]]
        known = {searches.person[photo] for photo in gallery}
        smaller = replace(
            searches, gallery=gallery, mated=[photo for photo in searches.mated if searches.person[photo] in known]
        )
        rates = []
        for asked in (replace(settings, threshold=fixed), settings):
            found = smaller.evaluate(embedded, asked).identification
            assert found is not None
            assert found.at_threshold is not None
            rates += [percent(found.at_threshold.fpir), percent(found.at_threshold.fnir)]
        yield f"{size:,}", *rates
