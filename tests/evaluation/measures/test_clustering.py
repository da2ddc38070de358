import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix, pair_confusion_matrix

from mien.evaluation import ClusteringMeasures, Estimate, bcubed, clustering_measures

NAMES = (
    "bcubed_precision",
    "bcubed_recall",
    "bcubed_f",
    "pairwise_precision",
    "pairwise_recall",
    "pairwise_f",
    "purity",
    "nmi",
)


def values(measures: ClusteringMeasures) -> dict[str, float]:
    found = {name: getattr(measures, name) for name in NAMES}
    assert all(isinstance(one, Estimate) for one in found.values())
    return {name: one.value for name, one in found.items()}


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_values_equal_scikit_learn(faces: list[tuple[int, int]]) -> None:
    labels, truth = [label for label, _ in faces], [person for _, person in faces]
    found = values(clustering_measures(labels, truth, resamples=2))
    pairs = pair_confusion_matrix(truth, labels)
    together, alike, right = pairs[:, 1].sum(), pairs[1].sum(), pairs[1, 1]
    assert found["pairwise_precision"] == pytest.approx(right / together if together else 1)
    assert found["pairwise_recall"] == pytest.approx(right / alike if alike else 1)
    assert found["nmi"] == pytest.approx(normalized_mutual_info_score(truth, labels), abs=1e-9)
    assert found["purity"] == pytest.approx(contingency_matrix(truth, labels).max(axis=0).sum() / len(faces))
    expected = bcubed(labels, truth)
    assert found["bcubed_precision"] == pytest.approx(expected.precision)
    assert found["bcubed_recall"] == pytest.approx(expected.recall)
    assert found["bcubed_f"] == pytest.approx(expected.f)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=20))
def test_measures_lie_between_0_and_1_and_names_do_not_matter(faces: list[tuple[int, int]]) -> None:
    labels, truth = [label for label, _ in faces], [person for _, person in faces]
    measures = clustering_measures(labels, truth, resamples=20)
    for name in NAMES:
        one = getattr(measures, name)
        assert 0 <= one.low <= one.value <= one.high <= 1 + 1e-12
    renamed = clustering_measures([9 - label for label in labels], [f"p{person}" for person in truth], resamples=2)
    assert values(renamed) == pytest.approx(values(measures))


def test_intervals_grow_with_how_few_people_there_are() -> None:
    rng = np.random.default_rng(0)

    def width(people: int) -> float:
        truth = np.repeat(np.arange(people), 6)
        labels = np.where(rng.random(len(truth)) < 0.2, 1000 + np.arange(len(truth)), truth)
        recall = clustering_measures(labels, truth, resamples=300).bcubed_recall
        assert isinstance(recall, Estimate)
        return recall.high - recall.low

    assert 1.5 < width(25) / width(225) < 5


def test_intervals_are_about_the_value() -> None:
    rng = np.random.default_rng(1)
    truth = np.repeat(np.arange(60), 5)
    labels = np.where(rng.random(len(truth)) < 0.3, rng.integers(0, 60, len(truth)), truth)
    measures = clustering_measures(labels, truth, resamples=300)
    for name in NAMES:
        one = getattr(measures, name)
        assert one.low < one.value < one.high
        assert 0.4 < (one.high - one.value) / (one.value - one.low) < 2.5, name


def test_somebody_drawn_twice_does_not_meet_themself() -> None:
    truth = np.repeat(np.arange(30), 4)
    perfect = clustering_measures(truth, truth, resamples=50)
    assert {getattr(perfect, name) for name in NAMES} == {Estimate(1, 0.025 ** (1 / 30), 1)}, "of 30 people"


def test_json() -> None:
    found = clustering_measures([0, 0, 1], ["a", "a", "b"]).to_dict()
    assert (found["faces"], found["people"], found["groups"]) == (3, 2, 2)
    assert found["nmi"] == {"value": 1, "low": pytest.approx(0.025**0.5), "high": 1}


def test_mistakes() -> None:
    for labels, truth in (([], []), ([1], [1, 2])):
        with pytest.raises(ValueError, match="groups for"):
            clustering_measures(labels, truth)
    with pytest.raises(ValueError, match="no spread"):
        clustering_measures([1], [1], resamples=1)
