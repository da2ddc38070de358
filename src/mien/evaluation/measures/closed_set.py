from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.evaluation.intervals.clustered import clustered_shares
from mien.evaluation.measures.estimate import Estimate, Measure
from mien.progress import track

Scores = NDArray[np.floating[Any]]
"""(M, S): how much each of M probes speaks for each of S people, in the classifier's own unit."""

_PROBES_AT_ONCE = 1024
_TEMPERATURE = 0.07
_SCALE = 16
"""Unit vectors are too short for the usual penalty and for the optimiser's step."""


@dataclass(frozen=True, slots=True)
class Classified:
    """How often a classifier names the right person.

    Args:
        accuracy: The share of probes whose own person comes first; a tie for the first place counts as wrong.
        top_5: The share of probes whose own person is among the first five.
    """

    accuracy: Measure
    top_5: Measure

    def to_dict(self) -> dict[str, Any]:
        """Both measures as JSON-ready data."""
        return {"accuracy": self.accuracy.to_dict(), "top_5": self.top_5.to_dict()}


@dataclass(frozen=True, slots=True)
class Confusion:
    """Somebody who was taken for somebody else.

    Args:
        person: Who it was.
        taken_for: Who was named.
        probes: How many times.
    """

    person: str
    taken_for: str
    probes: int


@dataclass(frozen=True, eq=False)
class ClosedSet:
    """Classification where every probe shows one of the people that the classifier was made of.

    Args:
        people: How many people there are.
        train: How many photos the classifiers were made of.
        test: How many photos they were asked about, those without a face included where they count as errors.
        classifiers: By name.
        best: The name of the most accurate one.
        confusions: Of the best classifier, the most frequent first.
    """

    people: int
    train: int
    test: int
    classifiers: Mapping[str, Classified]
    best: str
    confusions: Sequence[Confusion]

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON-ready data."""
        return {
            "people": self.people,
            "train": self.train,
            "test": self.test,
            "classifiers": {name: measured.to_dict() for name, measured in self.classifiers.items()},
            "best": self.best,
            "confusions": [
                {"person": one.person, "taken_for": one.taken_for, "probes": one.probes} for one in self.confusions
            ],
        }


def closed_set_measures(
    train: NDArray[np.float32],
    train_people: Sequence[str],
    test: NDArray[np.float32],
    test_people: Sequence[str],
    *,
    failed_people: Sequence[str] = (),
    neighbours: int = 5,
) -> ClosedSet:
    """Make three classifiers of some photos of people, and ask them about other photos of the same people.

    *Nearest template*: the person whose mean embedding has the greatest cosine. *k nearest neighbours*: votes of the k
    most similar photos, each weighing exp(cosine/0.07) (Wu et al. 2018). *Logistic regression*: multinomial, on the
    embeddings times 16, with a penalty of ½‖w‖².
    Intervals are over people: Clopper-Pearson at the effective number of probes (Korn & Graubard 1998).

    Args:
        train: (N, D) of unit length.
        train_people: (N,) whose each is.
        test: (M, D) of unit length, M ≥ 1.
        test_people: (M,) whose each is, all of them among `train_people`.
        failed_people: Whose further test photos gave no embedding; each counts as an error.
        neighbours: k; all photos where there are fewer.

    Raises:
        ValueError: Lengths differ, there is nothing to test, fewer than two people, or a tested person is not known.
    """
    if len(train) != len(train_people) or len(test) != len(test_people) or not len(test):
        raise ValueError(f"{len(train)}, {len(test)} photos for {len(train_people)}, {len(test_people)} labels")
    names, known = np.unique(np.asarray(train_people, str), return_inverse=True)
    asked = np.asarray([*test_people, *failed_people], str)
    if len(names) < 2 or not np.isin(asked, names).all():
        raise ValueError("a closed set has two people or more, and no probe of anybody else")
    truth = np.searchsorted(names, asked)

    classifiers: dict[str, Classified] = {}
    best, taken_for = "", np.zeros(0, np.int64)
    most = -1.0
    for name, classifier in _classifiers(train, known, len(names), neighbours).items():
        rank, first = _ranked(classifier, test, truth[: len(test)], name)
        failed = np.full(len(failed_people), len(names))
        right = np.concatenate([rank, failed])[:, None] < np.array([1, 5])
        shares = zip(*clustered_shares(right.astype(np.float64), truth), strict=True)
        classifiers[name] = Classified(*(Estimate(*map(float, share)) for share in shares))
        if right[:, 0].mean() > most:
            best, taken_for, most = name, first, float(right[:, 0].mean())
    return ClosedSet(
        people=len(names),
        train=len(train),
        test=len(truth),
        classifiers=classifiers,
        best=best,
        confusions=_confusions(names[truth[: len(test)]], names[taken_for]),
    )


def _classifiers(
    train: NDArray[np.float32], known: NDArray[np.int64], people: int, neighbours: int
) -> dict[str, Callable[[NDArray[np.float32]], Scores]]:
    from sklearn.linear_model import LogisticRegression  # late: they take half a second to import
    from sklearn.neighbors import KNeighborsClassifier

    templates = np.zeros((people, train.shape[1]), np.float32)
    np.add.at(templates, known, train)
    templates /= np.maximum(np.linalg.norm(templates, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    nearest = KNeighborsClassifier(
        min(neighbours, len(train)), weights=lambda distance: np.exp(-distance / _TEMPERATURE), metric="cosine"
    ).fit(train, known)
    logistic = LogisticRegression(max_iter=1000).fit(_SCALE * train, known)
    return {
        "nearest template": lambda probes: np.asarray(probes @ templates.T),
        f"{min(neighbours, len(train))} nearest neighbours": nearest.predict_proba,
        "logistic regression": lambda probes: np.asarray(logistic.predict_proba(_SCALE * probes)),
    }


def _ranked(
    classifier: Callable[[NDArray[np.float32]], Scores], test: NDArray[np.float32], truth: NDArray[np.int64], name: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each probe, how many others are at least as likely as its own person, and the most likely of all or them."""
    rank, first = np.empty((2, len(test)), np.int64)
    for start in track(range(0, len(test), _PROBES_AT_ONCE), f"classifying by {name}"):
        part = slice(start, start + _PROBES_AT_ONCE)
        scores = np.array(classifier(test[part]))
        rows, own = np.arange(len(scores)), truth[part]
        rank[part] = (scores >= scores[rows, own][:, None]).sum(axis=1) - 1
        others = scores.copy()
        others[rows, own] = -np.inf
        first[part] = np.where(rank[part] > 0, others.argmax(axis=1), own)
    return rank, first


def _confusions(person: NDArray[np.str_], taken_for: NDArray[np.str_]) -> tuple[Confusion, ...]:
    wrong = person != taken_for
    counted = Counter(zip(person[wrong].tolist(), taken_for[wrong].tolist(), strict=True))
    ordered = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    return tuple(Confusion(*pair, probes) for pair, probes in ordered)
