"""Labeled Faces in the Wild: Huang et al., UMass Amherst technical report 07-49, 2007."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mien.errors import ConfigError
from mien.evaluation.evaluation import Evaluation
from mien.evaluation.measures.folds import best_threshold
from mien.evaluation.protocols.listed_pairs import ListedPairs
from mien.evaluation.protocols.photo_pairs import read_pairs
from mien.evaluation.protocols.protocol import Differences, EmbeddedPhotos, EvaluationProtocol, Settings, last_part
from mien.evaluation.protocols.tables import photo_files
from mien.photos import PhotoSource


def lfw(folder: Path, *, view: Literal["1", "2"] = "2", pairs: Path | None = None) -> EvaluationProtocol:
    """Labeled Faces in the Wild: ten folds (view 2), or the threshold of its training pairs on its test pairs (view 1).

    Args:
        folder: The photos, NAME/NAME_0001.jpg.
        view: 2: pairs.txt, ten folds. 1: pairsDevTrain.txt and pairsDevTest.txt.
        pairs: Another list than FOLDER/pairs.txt for view 2, such as that of XQLFW.
    """
    if view == "2":
        return _listed(folder, pairs or folder / "pairs.txt", "LFW view 2")
    if pairs is not None:
        raise ConfigError("--pairs goes with view 2.", hint="View 1 has pairsDevTrain.txt and pairsDevTest.txt.")
    return LfwView1(
        _listed(folder, folder / "pairsDevTrain.txt", "LFW view 1"),
        _listed(folder, folder / "pairsDevTest.txt", "LFW view 1"),
    )


def _listed(folder: Path, file: Path, title: str) -> ListedPairs:
    pairs = read_pairs(file)
    return ListedPairs("lfw", title, last_part(folder), pairs, photo_files(file, pairs.names, folder))


@dataclass(frozen=True, eq=False)
class LfwView1:
    """The threshold that is best on one list of pairs, used on another.

    Args:
        train: Gives the threshold.
        test: Is measured.
    """

    train: ListedPairs
    test: ListedPairs
    aligned = False

    @property
    def name(self) -> str:
        """The name of the protocol."""
        return self.test.name

    @property
    def photos(self) -> Mapping[str, PhotoSource]:
        """The photos of both lists."""
        return {**self.train.photos, **self.test.photos}

    def evaluate(self, embedded: EmbeddedPhotos, settings: Settings) -> Evaluation:
        """Measure the test pairs; `at_threshold` is at the threshold from the training pairs."""
        scores = self.train.comparisons(embedded)
        found = ~np.isnan(scores.similarity)
        threshold = best_threshold(scores.similarity[found], scores.mated[found])
        evaluation = self.test.evaluate(embedded, replace(settings, threshold=threshold))
        facts = {**evaluation.data.facts, "training pairs": len(scores), "threshold from training pairs": threshold}
        return replace(
            evaluation,
            question=f"How often are {len(self.test.pairs):,} pairs told right with the threshold from "
            f"{len(scores):,} others?",
            data=replace(evaluation.data, facts=facts),
        )

    def compare(self, first: EmbeddedPhotos, second: EmbeddedPhotos, settings: Settings) -> Differences:
        """The differences of two encoders on the test pairs."""
        return self.test.compare(first, second, settings)

    def answers(self, embedded: EmbeddedPhotos, settings: Settings) -> Iterator[dict[str, Any]]:
        """The test pairs."""
        return self.test.answers(embedded, settings)
