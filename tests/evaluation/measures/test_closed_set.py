import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from embedded_people import vectors
from mien.evaluation import ClosedSet, Estimate, closed_set_measures

PEOPLE, EACH = 12, 8
NAMES = [f"p{at // EACH:02}" for at in range(PEOPLE * EACH)]


def measured(noise: float, neighbours: int = 5) -> ClosedSet:
    found = vectors(NAMES, noise=noise)
    train = np.arange(len(NAMES)) % 2 == 0
    labels = np.array(NAMES)
    return closed_set_measures(
        found[train], labels[train].tolist(), found[~train], labels[~train].tolist(), neighbours=neighbours
    )


def value(measure: object) -> float:
    assert isinstance(measure, Estimate)
    return measure.value


def test_each_classifier_equals_a_plain_one() -> None:
    found, labels = vectors(NAMES, noise=1.6), np.array(NAMES)
    train = np.arange(len(NAMES)) % 2 == 0
    closed = measured(1.6, neighbours=3)
    means = {name: found[train][labels[train] == name].sum(axis=0) for name in set(NAMES)}
    nearest_mean, votes = 0, 0
    for vector, truth in zip(found[~train], labels[~train], strict=True):
        cosine = {name: float(vector @ mean / np.linalg.norm(mean)) for name, mean in means.items()}
        nearest_mean += max(cosine, key=lambda name: cosine[name]) == truth
        similarity = found[train] @ vector
        vote: dict[str, float] = {}
        for at in np.argsort(-similarity)[:3]:
            vote[labels[train][at]] = vote.get(labels[train][at], 0) + float(np.exp(similarity[at] / 0.07))
        votes += max(vote, key=lambda name: vote[name]) == truth
    logistic = LogisticRegression(max_iter=1000).fit(16 * found[train], labels[train])
    tested = int((~train).sum())
    assert 0.3 < nearest_mean / tested < 0.99
    assert value(closed.classifiers["nearest template"].accuracy) == pytest.approx(nearest_mean / tested)
    assert value(closed.classifiers["3 nearest neighbours"].accuracy) == pytest.approx(votes / tested)
    expected = logistic.score(16 * found[~train], labels[~train])
    assert value(closed.classifiers["logistic regression"].accuracy) == pytest.approx(expected)


def test_more_are_right_among_the_first_five() -> None:
    closed = measured(1.6)
    for classified in closed.classifiers.values():
        assert value(classified.accuracy) <= value(classified.top_5)
    best = closed.classifiers[closed.best]
    assert all(value(best.accuracy) >= value(other.accuracy) for other in closed.classifiers.values())
    wrong = closed.test * (1 - value(best.accuracy))
    assert sum(one.probes for one in closed.confusions) == pytest.approx(wrong)
    assert all(one.person != one.taken_for for one in closed.confusions)
    assert [one.probes for one in closed.confusions] == sorted((one.probes for one in closed.confusions), reverse=True)


def test_a_tie_counts_as_wrong() -> None:
    same = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    closed = closed_set_measures(same, ["a", "b", "c"], same[[0, 2]], ["a", "c"])
    assert value(closed.classifiers["nearest template"].accuracy) == 0.5


def test_photos_without_a_face_count_as_errors_when_given() -> None:
    found = vectors(["a", "b"] * 4, noise=0.1)
    labels = ["a", "b"] * 2
    closed = closed_set_measures(found[:4], labels, found[4:], labels, failed_people=["a", "b", "b", "a"])
    assert closed.test == 8
    assert value(closed.classifiers["nearest template"].accuracy) == 0.5


def test_mistakes() -> None:
    found = vectors(["a", "b"])
    for train, test in ((["a", "b"], ["c", "a"]), (["a", "a"], ["a", "a"]), (["a"], ["a", "b"])):
        with pytest.raises(ValueError):  # noqa: PT011
            closed_set_measures(found, train, found, test)


def test_intervals_are_over_people_and_hold_the_value() -> None:
    accuracy = measured(1.6).classifiers["nearest template"].accuracy
    assert isinstance(accuracy, Estimate)
    assert 0 < accuracy.low < accuracy.value < accuracy.high < 1
    perfect = measured(0.1).classifiers["nearest template"].accuracy
    assert isinstance(perfect, Estimate)
    assert perfect.low < 0.78, "only twelve people were seen: 0.025 ** (1 / 12) is 0.735"
