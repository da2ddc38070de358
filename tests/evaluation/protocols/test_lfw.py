"""The ten folds against a script that knows nothing of ours."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from embedded_people import embedded
from mien.errors import ConfigError
from mien.evaluation import PROTOCOLS, EmbeddedPhotos, Settings, WorstError

PEOPLE, PHOTOS, FOLDS, SIZE = 40, 4, 10, 30
QUICK = Settings(resamples=20)


def accuracy_of_folds(similarity: NDArray[Any], mated: NDArray[Any], fold: NDArray[Any]) -> list[float]:
    """LFW's protocol, by trying all thresholds between two similarities of the other nine folds.

    Of several best ones the median is taken; no similarity is an error.
    """
    accuracies = []
    for test in range(max(fold) + 1):
        others = (fold != test) & ~np.isnan(similarity)
        values = np.unique(similarity[others])
        cuts = np.concatenate([[values[0] - 1], (values[1:] + values[:-1]) / 2, [values[-1] + 1]])
        right = ((similarity[others] >= cuts[:, None]) == mated[others]).sum(axis=1)
        best = cuts[right == right.max()]
        threshold = best[len(best) // 2]
        correct = 0
        for one, truth, where in zip(similarity, mated, fold, strict=True):
            if where == test and not np.isnan(one):
                correct += bool((one >= threshold) == truth)
        accuracies.append(correct / int((fold == test).sum()))
    return accuracies


def name(person: int, photo: int) -> str:
    return f"Person{person}/Person{person}_{photo:04}.jpg"


def make_lfw(folder: Path, file: str = "pairs.txt", folds: int = FOLDS, seed: int = 0) -> Path:
    """A folder with a list of pairs, and one of its photos, so that it isn't taken for another folder."""
    rng = np.random.default_rng(seed)
    lines = [f"{folds}\t{SIZE}" if folds > 1 else str(SIZE)]
    for _ in range(folds):
        for _ in range(SIZE):
            one, other = rng.permutation(PHOTOS)[:2] + 1
            lines.append(f"Person{rng.integers(PEOPLE)}\t{one}\t{other}")
        for _ in range(SIZE):
            a, b = rng.permutation(PEOPLE)[:2]
            lines.append(f"Person{a}\t{rng.integers(PHOTOS) + 1}\tPerson{b}\t{rng.integers(PHOTOS) + 1}")
    (folder / file).write_text("\n".join(lines), encoding="utf-8")
    for person in range(PEOPLE):
        for photo in range(1, PHOTOS + 1):
            path = folder / name(person, photo)
            path.parent.mkdir(exist_ok=True)
            path.touch()
    return folder


def photos_of(without: int = 0) -> EmbeddedPhotos:
    person = {name(who, photo): f"Person{who}" for who in range(PEOPLE) for photo in range(1, PHOTOS + 1)}
    return embedded(person, without=list(person)[:without], noise=1.3)


@pytest.mark.parametrize("without", [0, 7])
def test_ten_folds_equal_an_independent_script(tmp_path: Path, without: int) -> None:
    protocol = PROTOCOLS["lfw"](make_lfw(tmp_path))
    photos = photos_of(without)
    evaluation = protocol.evaluate(photos, QUICK)
    vectors = dict(zip(photos.names, photos.embeddings.astype(np.float64), strict=True))
    rows = [line.split() for line in (tmp_path / "pairs.txt").read_text(encoding="utf-8").splitlines()[1:]]
    similarity, mated = [], []
    for row in rows:
        first, second = (row[0], row[1]), (row[-2] if len(row) == 4 else row[0], row[-1])
        one, other = (vectors.get(f"{person}/{person}_{int(photo):04}.jpg") for person, photo in (first, second))
        similarity.append(np.nan if one is None or other is None else float(one @ other))
        mated.append(len(row) == 3)
    expected = accuracy_of_folds(np.array(similarity), np.array(mated), np.arange(len(rows)) // (2 * SIZE))
    assert evaluation.folds is not None
    np.testing.assert_allclose(evaluation.folds.accuracy, expected, atol=1e-12)
    assert 0.6 < evaluation.folds.mean < 0.99
    assert evaluation.folds.missed == np.isnan(similarity).sum()
    assert (evaluation.data.people, evaluation.data.photos_without_face) == (PEOPLE, without)


def test_the_worst_errors_are_the_worst(tmp_path: Path) -> None:
    photos = photos_of(3)
    protocol = PROTOCOLS["lfw"](make_lfw(tmp_path))
    worst = protocol.evaluate(photos, QUICK).worst
    answers = [row for row in protocol.answers(photos, QUICK) if row["score"]]
    highest = max((row for row in answers if not row["mated"]), key=lambda row: float(row["score"]))
    lowest = min((row for row in answers if row["mated"]), key=lambda row: float(row["score"]))
    first: dict[str, WorstError] = {error.kind: error for error in reversed(worst)}
    for kind, row in (("false match", highest), ("false non-match", lowest)):
        error = first[kind]
        assert (error.first, error.second) == (row["first"], row["second"])
        assert error.similarity == pytest.approx(float(row["score"]), abs=1e-6)
        assert (error.first_person == error.second_person) == (kind == "false non-match")
    assert sum(error.kind == "no face" for error in worst) == 3


def test_view_1_takes_its_threshold_from_other_pairs(tmp_path: Path) -> None:
    make_lfw(tmp_path, "pairsDevTrain.txt", folds=1, seed=1)
    make_lfw(tmp_path, "pairsDevTest.txt", folds=1, seed=2)
    photos = photos_of()
    evaluation = PROTOCOLS["lfw"](tmp_path, view="1").evaluate(photos, QUICK)
    swapped = PROTOCOLS["lfw"](tmp_path, view="1").train.evaluate(photos, QUICK)  # type: ignore[attr-defined]
    assert evaluation.folds is None
    assert evaluation.verification is not None
    assert swapped.verification is not None
    assert evaluation.verification.at_threshold is not None
    assert evaluation.verification.at_threshold.threshold == pytest.approx(
        swapped.verification.best_threshold, abs=0.05
    )
    assert evaluation.data.facts["training pairs"] == 2 * SIZE


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"pairs\.txt can't be read"):
        PROTOCOLS["lfw"](tmp_path)
    make_lfw(tmp_path)
    (tmp_path / "other").mkdir()
    with pytest.raises(ConfigError, match="None of the"):
        PROTOCOLS["lfw"](tmp_path / "other", pairs=tmp_path / "pairs.txt")
    with pytest.raises(ConfigError, match="view 2"):
        PROTOCOLS["lfw"](tmp_path, view="1", pairs=tmp_path / "pairs.txt")
