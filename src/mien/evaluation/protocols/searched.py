"""What all protocols 1:N have in common: probes, a gallery, a threshold, and what went wrong."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import CalibrationError, InputError
from mien.evaluation.evaluation import WorstError
from mien.evaluation.measures.differences import compare_identification
from mien.evaluation.measures.identification import IdentificationMeasures, identification_measures
from mien.evaluation.protocols.protocol import WORST, Differences, Settings
from mien.evaluation.scores.normalisation import Normalisation
from mien.evaluation.scores.searches import Searches
from mien.evaluation.scores.searching import search

UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False)
class Named:
    """N templates with their names and whose they are; a row of NaN for a probe without a face.

    Args:
        names: (N,) what each is called: its photo, or its template.
        people: (N,) whose each is.
        embeddings: (N, D) float32.
    """

    names: Sequence[str]
    people: Sequence[str]
    embeddings: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Searched:
    """Probes searched in a gallery.

    Args:
        probes: P probes.
        gallery: The templates of the people known.
        not_enrolled: People who are known too, but of whom no photo gave a template: their probes are answered, but
            are neither mated nor a stranger's, so that no measure counts them.
        normalisation: How similarities are made comparable.
        cohort: (C, D) of other people, for that.
    """

    probes: Named
    gallery: Named
    not_enrolled: Set[str] = frozenset()
    normalisation: Normalisation = "none"
    cohort: NDArray[np.float32] | None = None

    @cached_property
    def searches(self) -> Searches:
        """The best people of the gallery for each probe."""
        if not len(self.gallery.names) or not len(self.probes.names):
            raise InputError(
                f"{len(self.probes.names)} probes can't be searched in a gallery of {len(self.gallery.names)}.",
                hint="Give photos in which faces are found.",
                code="input.people",
            )
        return search(
            self.probes.embeddings,
            self.probes.people,
            self.gallery.embeddings,
            self.gallery.people,
            normalisation=self.normalisation,
            cohort=self.cohort,
        )

    @cached_property
    def known(self) -> tuple[str, ...]:
        """The people of the gallery, as `searches` numbers them."""
        return tuple(np.unique(np.asarray(self.gallery.people, str)).tolist())

    def measures(self, threshold: float | None, settings: Settings) -> IdentificationMeasures:
        """Error rates of the searches, at a threshold too if one is given."""
        return identification_measures(
            self.searches.select(self._measured()),
            threshold=threshold,
            failures_are_errors=settings.failures_are_errors,
            resamples=settings.resamples,
            seed=settings.seed,
        )

    def compare(self, other: "Searched", settings: Settings) -> Differences:
        """The differences of the searches by this encoder and by another, of the same probes."""
        both = self._measured() & other._measured()
        return compare_identification(
            self.searches.select(both),
            other.searches.select(both),
            failures_are_errors=settings.failures_are_errors,
            resamples=settings.resamples,
            seed=settings.seed,
        )

    def _measured(self) -> NDArray[np.bool_]:
        return np.array([person not in self.not_enrolled for person in self.probes.people], np.bool_)

    def worst(self, threshold: float | None) -> Iterator[WorstError]:
        """The probes that are most like somebody else, and those whose mate isn't found, the worst first.

        Args:
            threshold: Below it a mate isn't found, though it may be the best; None if none is in use.
        """
        found = self.searches
        rows = np.arange(len(found))
        own_first = (found.candidate[:, 0] == found.mate).astype(np.int64)
        place = np.minimum(own_first, found.candidate.shape[1] - 1)
        other, similarity = found.candidate[rows, place], found.similarity[rows, place]
        wrong = rows[(other >= 0) & (other != found.mate)]
        for row in wrong[np.argsort(-similarity[wrong], kind="stable")][:WORST].tolist():
            yield self._error("wrong person", row, int(other[row]), float(similarity[row]))
        below = -np.inf if threshold is None else threshold
        missed = rows[(found.mate_rank > 0) | ((found.mate_rank == 0) & (found.mate_similarity < below))]
        for row in missed[np.argsort(found.mate_similarity[missed], kind="stable")][:WORST].tolist():
            yield self._error("missed", row, int(found.mate[row]), float(found.mate_similarity[row]))

    def _error(self, kind: Any, probe: int, person: int, similarity: float) -> WorstError:
        """With the template of the person that is most like the probe."""
        templates = np.flatnonzero(np.asarray(self.gallery.people, str) == self.known[person])
        alike = self.gallery.embeddings[templates] @ self.probes.embeddings[probe]
        template = self.gallery.names[int(templates[alike.argmax()])]
        return WorstError(
            kind, similarity, self.probes.names[probe], template, self.probes.people[probe], self.known[person]
        )

    def answers(self, threshold: float | None) -> Iterator[dict[str, Any]]:
        """The most alike person for each probe; with a threshold, `unknown` below it and without a face."""
        found = self.searches
        for row, probe in enumerate(self.probes.names):
            similarity, best = float(found.similarity[row, 0]), int(found.candidate[row, 0])
            named = best >= 0 and (threshold is None or similarity >= threshold)
            yield {
                "probe": probe,
                "person": self.known[best] if named else UNKNOWN,
                "similarity": "" if best < 0 else f"{similarity:.6f}",
            }


def threshold_for(settings: Settings, fpir: float, gallery_size: int) -> tuple[float | None, str]:
    """The threshold to decide at, and where it is from: the given one, or the calibration's that follows N.

    Args:
        settings: With the given threshold, or the calibration.
        fpir: The wanted false positive identification rate.
        gallery_size: N, the templates in the gallery.

    Returns:
        None and the reason if there is none.
    """
    if settings.threshold is not None:
        return settings.threshold, "given"
    if settings.rule is None:
        return None, "there is no calibration for the encoder"
    try:
        threshold = settings.rule.threshold_for_fpir(fpir, gallery_size)
    except CalibrationError as error:
        return None, error.message
    return threshold.similarity, f"{settings.rule.name}, for an FPIR of {fpir:g} in a gallery of {gallery_size:,}"
