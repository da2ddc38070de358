"""What a trained network is worth: verification of people it never saw, and naming those it learnt from."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from mien.evaluation import Estimate, Measure, Unsupported, folded_accuracy, verification_measures
from mien.evaluation.intervals.clustered import clustered_shares
from mien.training.comparing.run_measures import STRANGERS, RunMeasures
from mien.training.data.crop_set import CropSet, open_crops
from mien.training.trainer import open_run
from mien.training.trainer.run_folder import RESULT
from mien.training.trainer.stranger_pairs import StrangerPairs
from mien.training.trainer.validation import embed_crops

FOLDS = 10
RESAMPLES = 300
"""Bootstrap replicates of people for the intervals."""


def judge(folder: Path, learnt: Path, named: Path, strangers: Path, *, peak_bytes: int) -> RunMeasures:
    """Judge a run that is over, and keep the embeddings of strangers in its folder.

    Args:
        folder: The run's.
        learnt: Crops that it learnt from.
        named: Crops of the same people that it didn't learn from.
        strangers: Crops of other people.
        peak_bytes: The most memory that training held.
    """
    recipe, network = open_run(folder, last=True)
    side = recipe.data.side

    def embedded(part: Path) -> tuple[CropSet, NDArray[np.float32]]:
        crops = open_crops(part).shrunk(side)
        return crops, embed_crops(network, crops)

    known, templates_of = embedded(learnt)
    asked, probes = embedded(named)
    others, apart = embedded(strangers)
    np.save(folder / STRANGERS, apart)
    result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    pairs = StrangerPairs(others.labels).compared(apart)
    verified = verification_measures(pairs, resamples=RESAMPLES, seed=recipe.seed)
    place = {name: number for number, name in enumerate(known.people)}
    truth = np.array([place[asked.people[label]] for label in asked.labels], np.int64)
    return RunMeasures(
        measures={
            "tmr_at_fmr_1e-2": verified.tar_at_far["1e-2"],
            "tmr_at_fmr_1e-3": verified.tar_at_far["1e-3"],
            "auc": verified.auc,
            "eer": verified.eer,
            "accuracy": verification_accuracy(apart, others.labels, seed=recipe.seed),
            "closed_set": closed_set_accuracy(templates_of, known.labels, probes, truth),
        },
        seconds=result["seconds"],
        peak_bytes=peak_bytes,
        steps=result["steps"],
    )


def verification_accuracy(
    embeddings: NDArray[np.float32], labels: NDArray[np.int64], *, folds: int = FOLDS, seed: int = 0
) -> Measure:
    """Accuracy over folds of people with as many mated as non-mated pairs, as on LFW's view 2.

    Each fold has its own people, all their mated pairs and as many non-mated ones, drawn; where there are fewer of the
    latter, the mated ones are drawn. A fold's threshold is the best on all others.

    Args:
        embeddings: (N, D) of unit length.
        labels: (N,) whose each is.
        folds: How many; fewer where there are not two people for each.
        seed: Of the draws.

    Returns:
        The mean over the folds, with Student's interval over them; or why there is none.
    """
    people = np.unique(labels)
    folds = min(folds, len(people) // 2)
    fold_of = dict(zip(np.random.default_rng(seed).permutation(people).tolist(), np.arange(len(people)), strict=True))
    fold = np.array([fold_of[label] % max(folds, 1) for label in labels.tolist()])
    pairs, mated, place = [], [], []
    for number in range(folds):
        rows = np.flatnonzero(fold == number)
        found = rows[np.stack(np.triu_indices(len(rows), 1), axis=1)]
        same = labels[found[:, 0]] == labels[found[:, 1]]
        count = int(min(same.sum(), (~same).sum()))
        if count:
            random = np.random.default_rng([seed, number])
            drawn = [np.sort(random.choice(np.flatnonzero(kind), count, replace=False)) for kind in (same, ~same)]
            pairs.append(found[np.concatenate(drawn)])
            mated.append(np.arange(2 * count) < count)
            place.append(np.full(2 * count, number))
    if len(pairs) < 2:
        return Unsupported("it takes four people, two of them with two photos, to choose a threshold on other people")
    compared = np.concatenate(pairs)
    similarity = np.einsum("pd,pd->p", embeddings[compared[:, 0]], embeddings[compared[:, 1]])
    accuracy = folded_accuracy(similarity, np.concatenate(mated), np.concatenate(place))
    half = float(stats.t.isf(0.025, len(pairs) - 1)) * accuracy.standard_error
    return Estimate(accuracy.mean, max(0.0, accuracy.mean - half), min(1.0, accuracy.mean + half))


def closed_set_accuracy(
    known: NDArray[np.float32], whose: NDArray[np.int64], probes: NDArray[np.float32], truth: NDArray[np.int64]
) -> Measure:
    """How often the nearest of all people's mean embeddings is the right one's.

    The same for every loss, whether it knows classes or not.

    Args:
        known: (N, D) of unit length.
        whose: (N,) 0 … C − 1, everybody at least once.
        probes: (M, D) of unit length, M ≥ 1.
        truth: (M,) whose each is.

    Returns:
        The share, with its interval over people.
    """
    means = np.zeros((int(whose.max()) + 1, known.shape[1]))
    np.add.at(means, whose, known)
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    right = (probes @ means.T).argmax(axis=1) == truth
    (share,), (low,), (high,) = clustered_shares(right[:, None].astype(np.float64), truth)
    return Estimate(float(share), float(low), float(high))
