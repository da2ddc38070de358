import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from mien.evaluation import best_threshold, folded_accuracy


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
