"""BCubed against its definition, face by face."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.evaluation import bcubed

FACES = st.integers(1, 30).flatmap(
    lambda n: st.tuples(*(st.lists(st.integers(0, 5), min_size=n, max_size=n) for _ in range(2)))
)


@given(FACES)
def test_equals_the_definition(faces: tuple[list[int], list[int]]) -> None:
    labels, truth = faces
    precision, recall = [], []
    for group, person in zip(labels, truth, strict=True):
        both = sum(g == group and p == person for g, p in zip(labels, truth, strict=True))
        precision.append(both / labels.count(group))
        recall.append(both / truth.count(person))
    got = bcubed(labels, truth)
    assert got.precision == pytest.approx(np.mean(precision))
    assert got.recall == pytest.approx(np.mean(recall))
    assert got.f == pytest.approx(2 / (1 / got.precision + 1 / got.recall))


def test_the_extremes() -> None:
    truth = ["a", "a", "b", "c"]
    assert bcubed([5, 5, 1, 0], truth) == bcubed(truth, truth)
    assert bcubed(truth, truth).f == 1
    assert bcubed([0, 0, 0, 0], truth).recall == 1
    assert bcubed([0, 0, 0, 0], truth).precision == pytest.approx((2 * 0.5 + 0.25 + 0.25) / 4)
    assert bcubed([0, 1, 2, 3], truth).precision == 1


def test_what_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="2 groups for 1 faces"):
        bcubed([1, 2], [1])
    with pytest.raises(ValueError, match="0 groups"):
        bcubed([], [])
