from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mien.decisions.clustering import Clustering, cluster
from mien.decisions.wording import counted
from mien.errors import CalibrationError
from mien.evaluation.evaluation import ErrorKind, Evaluation, WorstError
from mien.evaluation.measures.clustering import clustering_measures
from mien.evaluation.protocols.people import labelled_photos, of_people, worst_pairs
from mien.evaluation.protocols.protocol import (
    Differences,
    EmbeddedPhotos,
    Settings,
    data_of,
    last_part,
    photos_without_face,
)
from mien.evaluation.scores.pair_scores import Extremes, score_all_pairs
from mien.photos import PhotoSource


def clustering(
    folder: Path, *, fmr: float = 1e-4, method: Literal["graph", "agglomerative"] = "graph"
) -> "LabelledGroups":
    """A folder of people: how right are the groups that `mien cluster` makes of all their photos?

    Args:
        folder: Where the folders of the people are.
        fmr: Put faces together at this false match rate of the calibration, where no --threshold is given.
        method: How groups are found.
    """
    return LabelledGroups(last_part(folder), *labelled_photos(folder), fmr, method)


@dataclass(frozen=True, eq=False)
class LabelledGroups:
    """All photos of known people, put in groups.

    Args:
        data: What the set is called.
        photos: What to open for each.
        person: Whose each is.
        fmr: The false match rate at whose threshold faces are put together.
        method: How groups are found.
    """

    data: str
    photos: Mapping[str, PhotoSource]
    person: Mapping[str, str]
    fmr: float
    method: Literal["graph", "agglomerative"]
    name = "clustering"
    aligned = False

    def evaluate(self, embedded: EmbeddedPhotos, settings: Settings) -> Evaluation:
        """Measure how right the groups are; the worst errors are the pairs that were wrongly put together or apart."""
        embedded = of_people(embedded, self.person, self.data)
        groups = self._groups(embedded, settings)
        whose = [self.person[name] for name in embedded.names]
        scores = score_all_pairs(embedded.embeddings, whose)
        labels, people = groups.labels, whose
        if settings.failures_are_errors:  # each is put to nobody
            lost = [self.person[name] for name in embedded.without_face]
            labels = np.append(labels, labels.max(initial=-1) + 1 + np.arange(len(lost)))
            people = whose + lost

        def worst(kind: ErrorKind, extremes: Extremes, together: bool) -> list[WorstError]:
            label = groups.labels[extremes.photos]
            wrong = (label[:, 0] == label[:, 1]) == together
            chosen = Extremes(extremes.similarity[wrong], extremes.photos[wrong])
            return list(worst_pairs(kind, chosen, embedded, self.person))

        return Evaluation(
            protocol=self.name,
            title=f"Groups of {self.data}",
            question=f"How right are the groups made of {counted(len(embedded.names), 'photo')} of "
            f"{counted(len(set(whose)), 'person', 'people')}?",
            data=data_of(
                self.data,
                list(self.photos),
                embedded,
                len(set(self.person.values())),
                {"threshold": groups.threshold or 0.0, "method": groups.method, "faces alone": groups.alone},
            ),
            encoder=embedded.encoder,
            calibration=groups.calibration.summary() if groups.calibration else None,
            clustering=clustering_measures(labels, people, resamples=settings.resamples, seed=settings.seed),
            worst=(
                *worst("false match", scores.highest_non_mated, together=True),
                *worst("false non-match", scores.lowest_mated, together=False),
                *photos_without_face(list(self.photos), embedded, self.person),
            ),
            made=settings.made(),
        )

    def compare(self, _: EmbeddedPhotos, __: EmbeddedPhotos, ___: Settings) -> Differences:
        """None: the figures stand beside each other."""
        return {}

    def answers(self, embedded: EmbeddedPhotos, settings: Settings) -> Iterator[dict[str, Any]]:
        """The group of each photo."""
        embedded = of_people(embedded, self.person, self.data)
        for photo, group in zip(embedded.names, self._groups(embedded, settings).labels.tolist(), strict=True):
            yield {"photo": photo, "person": self.person[photo], "group": group}

    def _groups(self, embedded: EmbeddedPhotos, settings: Settings) -> Clustering:
        if settings.rule is None and settings.threshold is None:
            raise CalibrationError(
                f"There is no calibration for the encoder {embedded.encoder.name}, which says who is put together.",
                hint="Give a --threshold or a --calibration.",
                code="calibration.none-for-encoder",
            )
        return cluster(
            embedded.embeddings,
            settings.rule,
            method=self.method,
            fmr=self.fmr,
            threshold=settings.threshold,
            blurred=embedded.blurred,
        )
