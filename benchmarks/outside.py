"""Networks that a comparison trained, judged on the sets that nobody learns from: LFW's ten folds and celeba_test."""

import json
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.results import KEPT, PHOTOS
from benchmarks.training_photos import crops_folder
from mien.evaluation import (
    Difference,
    Estimate,
    Measure,
    compare_verification,
    folded_accuracy,
    read_pairs,
    verification_measures,
)
from mien.faces import open_encoder
from mien.training.comparing.run_measures import read_measure
from mien.training.data.crop_set import CropSet, open_crops, teacher_embeddings
from mien.training.trainer import open_run
from mien.training.trainer.stranger_pairs import StrangerPairs
from mien.training.trainer.validation import embed_crops

Embed = Callable[[CropSet, bool], NDArray[np.float32]]
"""Crops, and whether to add their mirror images, to (N, D) of unit length."""
RESAMPLES = 300
JUDGED, EMBEDDINGS = "outside.json", "celeba_test.npy"


class Outside:
    """The test sets, and what networks make of them; answers are kept in the runs' folders."""

    def __init__(self) -> None:
        pairs = read_pairs(PHOTOS / "lfw" / "pairs.txt")
        everything = open_crops(crops_folder("lfw"))
        row = {photo: place for place, photo in enumerate(everything.photos)}
        names = sorted({*pairs.first, *pairs.second})
        place = {name: at for at, name in enumerate(names)}
        self.lfw = everything.select(np.array([row[name] for name in names]))
        self.pairs = np.array([[place[a], place[b]] for a, b in zip(pairs.first, pairs.second, strict=True)])
        self.mated, self.fold = pairs.mated, pairs.fold

    @cached_property
    def celeba_test(self) -> CropSet:
        return open_crops(crops_folder("celeba_test"))

    @cached_property
    def celeba_pairs(self) -> StrangerPairs:
        return StrangerPairs(self.celeba_test.labels)

    def judged(self, run: Path) -> dict[str, Any]:
        """LFW's accuracy in each fold, and on celeba_test the TMR at FMR 1e-2 and 1e-3 and the AUC, JSON-ready."""
        if not (run / JUDGED).exists():
            recipe, network = open_run(run)
            self.judge(run, lambda crops, flip: embed_crops(network, crops.shrunk(recipe.data.side), flip=flip))
        kept: dict[str, Any] = json.loads((run / JUDGED).read_text(encoding="utf-8"))
        return kept

    def encoder_judged(self, card: str, folder: Path) -> Path:
        """Judge an encoder as whoever has its card would run it, unless a folder holds the answers; that folder."""
        if not (folder / JUDGED).exists():
            self.judge(folder, partial(_embedded, card))
        return folder

    def judge(self, run: Path, embed: Embed) -> None:
        """Judge what makes embeddings, and keep the answers and its embeddings of celeba_test in a folder."""
        folds = {flip: self._lfw_folds(embed(self.lfw, flip)) for flip in (False, True)}
        embeddings = embed(self.celeba_test, True)
        found = verification_measures(self.celeba_pairs.compared(embeddings), resamples=RESAMPLES)
        content = {
            "lfw": folds[True],
            "lfw_without_flip": folds[False],
            "tmr": found.tar_at_far["1e-2"].to_dict(),
            "tmr_1e-3": found.tar_at_far["1e-3"].to_dict(),
            "auc": found.auc.to_dict(),
        }
        run.mkdir(parents=True, exist_ok=True)
        np.save(run / EMBEDDINGS, embeddings)
        (run / JUDGED).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    def _lfw_folds(self, units: NDArray[np.float32]) -> list[float]:
        similarity = np.einsum("pd,pd->p", units[self.pairs[:, 0]], units[self.pairs[:, 1]])
        accuracy: list[float] = folded_accuracy(similarity, self.mated, self.fold).accuracy.tolist()
        return accuracy

    def lfw_accuracy(self, run: Path, *, flip: bool = True) -> Measure:
        """The mean over LFW's folds, with Student's interval over them."""
        mean, half = _over_folds(np.array(self.judged(run)["lfw" if flip else "lfw_without_flip"]))
        return Estimate(mean, max(mean - half, 0.0), min(mean + half, 1.0))

    def lfw_difference(self, run: Path, other: Path) -> Difference:
        """How much more accurate a run is on LFW than another, fold by fold."""
        apart = np.array(self.judged(run)["lfw"]) - np.array(self.judged(other)["lfw"])
        mean, half = _over_folds(apart)
        error = float(stats.sem(apart))
        p_value = float(2 * stats.t.sf(abs(mean) / error, len(apart) - 1)) if error > 0 else 1.0
        return Difference(mean, mean - half, mean + half, p_value)

    def ahead_on_celeba(self, run: Path, other: Path) -> dict[str, Difference]:
        """How much greater a run's TMR on celeba_test is than another's, on the same pairs, at FMR 1e-2 and 1e-3."""
        one, another = (self.celeba_pairs.compared(np.load(folder / EMBEDDINGS)) for folder in (run, other))
        found = compare_verification(one, another, resamples=RESAMPLES)
        rates = {f"celeba_test TMR at FMR {rate}": found[f"tar_at_far {rate}"] for rate in ("1e-2", "1e-3")}
        return {name: one for name, one in rates.items() if isinstance(one, Difference)}

    def on_celeba(self, run: Path, name: str) -> Measure:
        """A measure on celeba_test: ``"tmr"``, ``"tmr_1e-3"`` or ``"auc"``."""
        return read_measure(self.judged(run)[name])


def _embedded(card: str, crops: CropSet, flip: bool) -> NDArray[np.float32]:
    encoder = open_encoder(card, flip=flip, runtime="onnxruntime")
    keep = KEPT / "embedded" / f"{encoder.identity[:12]}-{crops.fingerprint}.f32"
    return teacher_embeddings(crops, encoder, keep)


def _over_folds(values: NDArray[np.float64]) -> tuple[float, float]:
    half = stats.t.isf(0.025, len(values) - 1) * stats.sem(values)
    return float(values.mean()), float(half)
