from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from data import photos
from mien.errors import ConfigError
from mien.evaluation import best_threshold, folded_accuracy, read_pairs

TWO_FOLDS = "2\t2\nA 1 2\nB 3 14\nA 1 B 2\nC 1 D 1\nE 1 2\nE 1 3\nE 1 F 2\nF 1 G 1\n"


def written(folder: Path, text: str) -> Path:
    file = folder / "pairs.txt"
    file.write_bytes(text.encode())
    return file


@pytest.mark.parametrize(
    "text",
    [TWO_FOLDS, TWO_FOLDS.replace("\n", "\r\n"), "\ufeff" + TWO_FOLDS.replace(" ", "\t") + "\n \n", TWO_FOLDS[:-1]],
)
def test_reading_pairs(tmp_path: Path, text: str) -> None:
    pairs = read_pairs(written(tmp_path, text))
    assert pairs.first[:3] == ("A/A_0001.jpg", "B/B_0003.jpg", "A/A_0001.jpg")
    assert pairs.second[:3] == ("A/A_0002.jpg", "B/B_0014.jpg", "B/B_0002.jpg")
    assert pairs.mated.tolist() == [True, True, False, False] * 2
    assert pairs.fold.tolist() == [0] * 4 + [1] * 4


def test_a_list_without_folds_is_one_fold(tmp_path: Path) -> None:
    pairs = read_pairs(written(tmp_path, "1\nA 1 2\nA 1 B 1\n"))
    assert (pairs.mated.tolist(), pairs.fold.tolist()) == ([True, False], [0, 0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("ten 300\n", "Line 1"),
        ("0 0\n", "Line 1"),
        ("1 2 3\n", "Line 1"),
        ("1 2\nA 1 2\n", "announces 4 pairs and has 1"),
        ("1\nA 1 B 2\nA 1 B 1\n", "Line 2"),
        ("1\n\nA 1 2\nA 1 2\n", "Line 4"),
        ("1\nA 1 x\nA 1 B 1\n", "Line 2"),
        ("1\nA 1 -2\nA 1 B 1\n", "Line 2"),
    ],
)
def test_a_broken_list_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_pairs(written(tmp_path, text))


def test_a_list_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        read_pairs(tmp_path / "missing.txt")
    (tmp_path / "photo").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(ConfigError, match="can't be read"):
        read_pairs(tmp_path / "photo")


@given(st.lists(st.tuples(st.floats(-1, 1), st.booleans()), min_size=1, max_size=30))
def test_no_threshold_is_better_than_the_best(pairs: list[tuple[float, bool]]) -> None:
    similarity, mated = np.array([s for s, _ in pairs]), np.array([m for _, m in pairs])
    best = ((similarity >= best_threshold(similarity, mated)) == mated).mean()
    for threshold in [*similarity, similarity.min() - 1, similarity.max() + 1]:
        assert best >= accuracy_score(mated, similarity >= threshold) - 1e-12


def test_the_threshold_lies_midway() -> None:
    assert best_threshold(np.array([0.1, 0.2, 0.6, 0.8]), np.array([False, False, True, True])) == pytest.approx(0.4)
    assert best_threshold(np.array([]), np.array([], bool)) == 0


def test_each_fold_is_judged_with_the_threshold_of_the_others() -> None:
    similarity = np.array([0.9, 0.1, 0.9, 0.1, 0.55, 0.45])
    mated = np.array([True, False] * 3)
    found = folded_accuracy(similarity, mated, np.repeat([0, 1, 2], 2))
    assert found.accuracy.tolist() == [1, 1, 1]
    assert found.threshold == pytest.approx([0.5, 0.5, 0.5])
    shifted = folded_accuracy(np.array([0.9, 0.6, 0.4, 0.1]), mated[:4], np.array([0, 0, 1, 1]))
    assert shifted.threshold == pytest.approx([0.25, 0.75])
    assert shifted.accuracy.tolist() == [0.5, 0.5]
    assert (shifted.mean, shifted.standard_error) == (0.5, 0)
    uneven = folded_accuracy(np.array([0.9, 0.1, 0.9, 0.1, 0.1, 0.9]), mated, np.repeat([0, 1, 2], 2))
    assert uneven.mean == pytest.approx(2 / 3)
    assert uneven.standard_error == pytest.approx(1 / 3)


@pytest.mark.parametrize("mated", [True, False])
def test_a_face_that_was_not_found_is_an_error_whatever_the_truth(mated: bool) -> None:
    similarity = np.array([0.9, 0.1, 0.9, np.nan])
    found = folded_accuracy(similarity, np.array([True, False, True, mated]), np.array([0, 0, 1, 1]))
    assert found.accuracy.tolist() == [1, 0.5]
    assert found.missed == 1


def test_one_fold_or_other_lengths_are_mistakes() -> None:
    with pytest.raises(ValueError, match="folds"):
        folded_accuracy(np.array([0.5, 0.4]), np.array([True, False]), np.array([0, 0]))
    with pytest.raises(ValueError, match="pairs"):
        folded_accuracy(np.array([0.5]), np.array([True, False]), np.array([0, 1]))


@pytest.mark.photos
def test_the_real_list() -> None:
    folder = photos("lfw")
    pairs = read_pairs(folder / "pairs.txt")
    assert (len(pairs.first), pairs.mated.sum(), set(np.bincount(pairs.fold))) == (6000, 3000, {600})
    assert all((folder / photo).is_file() for photo in {*pairs.first, *pairs.second})
