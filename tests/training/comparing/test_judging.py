import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from mien.evaluation import Estimate, Unsupported
from mien.training.comparing.judging import closed_set_accuracy, verification_accuracy


def people(count: int, photos: int, noise: float, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    labels = np.arange(count).repeat(photos)
    vectors = random.normal(size=(count, 16))[labels] + noise * random.normal(size=(len(labels), 16))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


def test_the_closed_set_goes_to_the_nearest_mean() -> None:
    known, whose = people(12, 6, 1.2, seed=1)
    probes, truth = people(12, 6, 1.2, seed=1)
    probes += np.random.default_rng(3).normal(0, 0.2, probes.shape).astype(np.float32)
    probes /= np.linalg.norm(probes, axis=1, keepdims=True)
    found = closed_set_accuracy(known, whose, probes, truth)
    # Of means of one length, that with the greatest cosine is also the nearest.
    means = np.stack([known[whose == person].mean(axis=0) for person in range(12)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    expected = KNeighborsClassifier(1).fit(means, np.arange(12)).score(probes, truth)
    assert isinstance(found, Estimate)
    assert 0.5 < expected < 1
    assert found.value == pytest.approx(expected)
    assert found.low < found.value < found.high


def test_verification_is_right_where_people_are_far_apart_and_chance_where_they_are_not() -> None:
    apart, alike = (verification_accuracy(*people(40, 5, noise)) for noise in (0.01, 1e6))
    assert isinstance(apart, Estimate)
    assert isinstance(alike, Estimate)
    assert apart.value == apart.high == 1
    assert alike.value == pytest.approx(0.5, abs=0.06)
    assert alike.low < 0.5 < alike.high


def test_verification_does_not_depend_on_the_order_of_photos_of_a_person() -> None:
    vectors, labels = people(40, 5, 1.0)
    order = np.arange(200).reshape(40, 5)[:, ::-1].ravel()  # mated pairs are all used: only the drawn others change
    one, other = verification_accuracy(vectors, labels), verification_accuracy(vectors[order], labels)
    assert isinstance(one, Estimate)
    assert isinstance(other, Estimate)
    assert one.value == pytest.approx(other.value, abs=0.05)


@pytest.mark.parametrize(("count", "photos"), [(0, 1), (3, 4), (30, 1)])
def test_too_few_people_or_photos_have_no_accuracy(count: int, photos: int) -> None:
    assert isinstance(verification_accuracy(*people(count, photos, 1.0)), Unsupported)


def test_four_people_are_two_folds() -> None:
    found = verification_accuracy(*people(4, 3, 0.01))
    assert isinstance(found, Estimate)
    assert found.value == 1
