"""LFW through the whole pipeline: ten folds, and open-set identification with one photo per person."""

from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import PHOTOS, table
from mien import Recognizer
from mien.cli.options import embed_photos
from mien.cli.output import progress_shown
from mien.evaluation import clopper_pearson, folded_accuracy, read_pairs

ENCODERS = tuple((name, flip) for name in ("sface", "dlib", "fusion") for flip in (False, True))
FPIR = 0.01


def measure() -> str:
    """Measure every shipped encoder; embeddings are kept in bench-results/, so that an interrupted run carries on."""
    verification, identification = [], []
    for name, flip in ENCODERS:
        recognizer = Recognizer(name, flip=flip)
        label = f"{name}{' with flip' if flip else ''}"
        keep = Path("bench-results") / f"lfw-{name}{'-flip' if flip else ''}.npz"
        keep.parent.mkdir(exist_ok=True)
        with progress_shown():
            table_ = embed_photos(recognizer, [str(PHOTOS / "lfw")], face="central", keep=keep)
        sources = [str(Path(source).relative_to(PHOTOS / "lfw")) for source in table_.sources]
        pairs = read_pairs(PHOTOS / "lfw" / "pairs.txt")
        row = {source: i for i, source in enumerate(sources)}
        similarity = np.array(
            [
                float(table_.embeddings[row[a]] @ table_.embeddings[row[b]]) if a in row and b in row else np.nan
                for a, b in zip(pairs.first, pairs.second, strict=True)
            ]
        )
        folds = folded_accuracy(similarity, pairs.mated, pairs.fold)
        accuracy = f"{100 * folds.mean:.2f} ± {100 * folds.standard_error:.2f} %"
        verification.append((label, accuracy, folds.missed, len(table_.problems)))
        identification.append((label, *_open_set(table_.embeddings, [s.split("/")[0] for s in sources], recognizer)))
    return (
        "# LFW through the whole pipeline\n\nOriginal 250 × 250 photos; the most central face of each.\n\n"
        "## Verification (View 2: 6,000 pairs, ten folds, the threshold of each chosen on the other nine)\n\n"
        + table(("encoder", "accuracy ± standard error", "pairs without a face", "photos without a face"), verification)
        + "\n## Open-set identification\n\nThe first photo of everyone with two or more is enrolled (1,680 people); "
        "their other photos are mated probes, and the photos of the 4,069 people with one are strangers.\n\n"
        + table(
            (
                "encoder",
                f"FNIR at a measured FPIR of {FPIR:.0%}",
                f"the threshold that mien takes for FPIR {FPIR:.0%}: measured FPIR",
                "its FNIR",
            ),
            identification,
        )
    )


def _open_set(embeddings: NDArray[np.float32], people: list[str], recognizer: Recognizer) -> tuple[str, str, str]:
    count = Counter(people)
    seen: set[str] = set()
    enrolled = np.array([count[name] > 1 and not (name in seen or seen.add(name)) for name in people])  # type: ignore[func-returns-value]
    stranger = np.array([count[name] == 1 for name in people])
    names = np.array(people)
    known = names[enrolled]
    mated = ~enrolled & ~stranger
    best_stranger = (embeddings[stranger] @ embeddings[enrolled].T).max(axis=1)
    similarities = embeddings[mated] @ embeddings[enrolled].T
    right = known[similarities.argmax(axis=1)] == names[mated]
    best = similarities.max(axis=1)
    at = float(np.quantile(best_stranger, 1 - FPIR, method="higher"))
    following = recognizer.calibration.threshold_for_fpir(FPIR, len(known)).similarity

    def missed(threshold: float) -> str:
        return _rate(int((~right | (best < threshold)).sum()), len(best))

    return missed(at), _rate(int((best_stranger >= following).sum()), len(best_stranger)), missed(following)


def _rate(errors: int, trials: int) -> str:
    rate = clopper_pearson(errors, trials)
    return f"{100 * rate.value:.2f} % ({100 * rate.low:.2f}–{100 * rate.high:.2f})"
