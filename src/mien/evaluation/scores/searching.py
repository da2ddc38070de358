from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mien.evaluation.scores.normalisation import (
    CohortStatistics,
    Normalisation,
    normalised,
    statistics_for,
)
from mien.evaluation.scores.searches import Searches
from mien.evaluation.scores.unit_length import unit_length
from mien.progress import report
from mien.similarity.ranking import lowered

_PROBES, _TEMPLATES = 1024, 8192
"""A block of 32 MB."""


def search(
    probes: NDArray[np.float32],
    probe_people: Sequence[str],
    gallery: NDArray[np.float32],
    gallery_people: Sequence[str],
    *,
    candidates: int = 50,
    normalisation: Normalisation = "none",
    cohort: NDArray[np.float32] | None = None,
) -> Searches:
    """Search every probe in a gallery by cosine similarity, in blocks: memory doesn't grow with probes × templates.

    A person with several templates is as alike to a probe as the most alike of them. People of the gallery are numbered
    in the order of their sorted names, people of the probes likewise.

    Args:
        probes: (P, D) float32, brought to unit length; a row of NaN where no face was found.
        probe_people: (P,) whose each probe is.
        gallery: (N, D) float32 templates, brought to unit length.
        gallery_people: (N,) whose each template is.
        candidates: How many people to keep of each search, at least 1.
        normalisation: How similarities are made comparable: "none", "z", "t" or "s-adaptive"; see
            `mien.evaluation.scores.normalisation`.
        cohort: (C, D) float32 embeddings of people who are neither probes nor in the gallery, for a normalisation.

    Raises:
        ValueError: If lengths differ, the gallery is empty, an embedding is zero or infinite or a template NaN, or a
            normalisation has no cohort.
    """
    if len(probes) != len(probe_people) or len(gallery) != len(gallery_people):
        raise ValueError(
            f"{len(probe_people)} people for {len(probes)} probes, {len(gallery_people)} for {len(gallery)} templates"
        )
    if candidates < 1 or not len(gallery):
        raise ValueError(f"{candidates} candidates of a gallery of {len(gallery)} templates can't be given")
    names, owner = np.unique(np.asarray(gallery_people, str), return_inverse=True)
    order = np.argsort(owner, kind="stable")
    templates = unit_length(gallery[order])
    starts = np.searchsorted(owner[order], np.arange(len(names) + 1))

    searched = np.asarray(probe_people, str)
    place = np.minimum(np.searchsorted(names, searched), len(names) - 1)
    mate = np.where(names[place] == searched, place, -1)
    rows = np.flatnonzero(~np.isnan(probes).any(axis=1))
    rows = rows[np.argsort(mate[rows], kind="stable")]  # so that the mates of a block of probes lie together
    vectors = unit_length(probes[rows])
    of_probes, of_templates = statistics_for(normalisation, vectors, templates, cohort)

    kept = min(candidates, len(names))
    similarity = np.full((len(probes), kept), np.nan, np.float32)
    candidate = np.full((len(probes), kept), -1)
    mate_similarity, average_precision = np.full((2, len(probes)), np.nan, np.float32)
    mate_rank = np.full(len(probes), -1)
    report("searching", 0, len(rows))
    for top in range(0, len(rows), _PROBES):
        part = slice(top, top + _PROBES)
        own = _own_similarities(
            vectors[part], mate[rows[part]], templates, starts, _part(of_probes, part), of_templates
        )
        block = _Block(mate[rows[part]], *own, kept)
        for columns, people in _whole_people(starts):
            values = normalised(
                vectors[part] @ templates[columns].T, _part(of_probes, part), _part(of_templates, columns)
            )
            block.add(values, starts[people.start : people.stop + 1] - columns.start, people)
        at = rows[part]
        similarity[at], candidate[at] = block.candidates()
        mate_similarity[at], mate_rank[at], average_precision[at] = block.mates()
        report("searching", min(top + _PROBES, len(rows)), len(rows))
    return Searches(
        similarity=similarity,
        candidate=candidate,
        mate=mate,
        mate_similarity=mate_similarity,
        mate_rank=mate_rank,
        person=np.unique(searched, return_inverse=True)[1],
        probes=np.arange(len(probes)),
        gallery_people=len(names),
        gallery_templates=len(gallery),
        average_precision=average_precision,
    )


class _Block:
    """What some probes, sorted by mate, have found in the templates so far."""

    def __init__(
        self, mate: NDArray[np.int64], own: list[NDArray[np.float32]], tied: list[NDArray[np.float32]], kept: int
    ) -> None:
        self.mate, self.kept = mate, kept
        count = len(mate)
        self.many = np.array([len(values) for values in own])
        self.own, self.tied = np.full((2, int(self.many.max(initial=1)), count), np.inf, np.float32)
        for probe, (values, least) in enumerate(zip(own, tied, strict=True)):
            self.own[: len(values), probe] = -np.sort(-values)
            self.tied[: len(values), probe] = -np.sort(-least)
        self.templates_before = np.zeros(self.own.shape, np.int64)
        self.people_before = np.zeros(count, np.int64)
        self.best = np.full((count, kept), -np.inf, np.float32)
        self.who = np.full((count, kept), -1)

    def add(self, values: NDArray[np.float32], starts: NDArray[np.int64], people: slice) -> None:
        """Look at the similarities (n, N) to the templates of `people`, whose own begin at `starts`."""
        here = np.arange(*np.searchsorted(self.mate, [people.start, people.stop]))
        for probe in here:
            person = self.mate[probe] - people.start
            values[probe, starts[person] : starts[person + 1]] = -np.inf  # the mate's own are known
        for rank, least in enumerate(self.tied):
            probes = np.flatnonzero(self.many > rank)
            some = values if len(probes) == len(values) else values[probes]
            self.templates_before[rank, probes] += np.count_nonzero(some >= least[probes, None], axis=1)
        best = np.maximum.reduceat(values, starts[:-1], axis=1) if len(starts) <= values.shape[1] else values
        self.people_before += np.count_nonzero(best >= self.tied[0][:, None], axis=1)
        best[here, self.mate[here] - people.start] = self.own[0, here]
        self._keep(best, people.start)

    def candidates(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """(n, K) similarities, falling, and whose they are."""
        return self.best, self.who

    def mates(self) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float64]]:
        """(n,) similarity to the mate, its rank, and the average precision at R; NaN, −1 and NaN for strangers."""
        known = self.many > 0
        which = np.arange(1, len(self.own) + 1)[:, None]
        place = which + self.templates_before
        inside = (which <= self.many) & (place <= self.many)
        with np.errstate(invalid="ignore"):
            precision = np.where(inside, which / place, 0).sum(axis=0) / self.many
        return np.where(known, self.own[0], np.nan), np.where(known, self.people_before, -1), precision

    def _keep(self, best: NDArray[np.float32], first: int) -> None:
        """Merge the (n, G) similarities to people numbered from `first` into the K best so far."""
        hopeful = best > self.best[:, -1:]
        if np.count_nonzero(hopeful) > 2 * self.kept * len(best) and best.shape[1] > self.kept:
            hopeful &= best >= np.partition(best, -self.kept, axis=1)[:, -self.kept, None]
        probe, person = np.nonzero(hopeful)
        rows = np.concatenate([np.repeat(np.arange(len(best)), self.kept), probe])
        values = np.concatenate([self.best.ravel(), best[probe, person]])
        who = np.concatenate([self.who.ravel(), person + first])
        order = np.lexsort((who, -values, rows))
        chosen = order[np.searchsorted(rows[order], np.arange(len(best)))[:, None] + np.arange(self.kept)]
        self.best, self.who = values[chosen], who[chosen]


def _own_similarities(
    probes: NDArray[np.float32],
    mate: NDArray[np.int64],
    templates: NDArray[np.float32],
    starts: NDArray[np.int64],
    of_probes: CohortStatistics | None,
    of_templates: CohortStatistics | None,
) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]:
    """Of each probe, the similarities to its mate's templates; none for a stranger.

    And from where another's similarity counts as equal to each: a block's product may round the same sum otherwise.
    """
    own: list[NDArray[np.float32]] = []
    tied: list[NDArray[np.float32]] = []
    for probe, person in enumerate(mate):
        columns = slice(starts[person], starts[person + 1]) if person >= 0 else slice(0, 0)
        row = slice(probe, probe + 1)
        values = probes[row] @ templates[columns].T
        for kept, similarities in ((own, values), (tied, lowered(values, probes.shape[1]))):
            kept.append(normalised(similarities, _part(of_probes, row), _part(of_templates, columns))[0])
    return own, tied


def _whole_people(starts: NDArray[np.int64]) -> Iterator[tuple[slice, slice]]:
    """Blocks of templates that don't part anybody's: the templates and the people."""
    first = 0
    while first < len(starts) - 1:
        after = max(first + 1, int(np.searchsorted(starts, starts[first] + _TEMPLATES, side="right")) - 1)
        yield slice(int(starts[first]), int(starts[after])), slice(first, after)
        first = after


def _part(statistics: CohortStatistics | None, rows: slice) -> CohortStatistics | None:
    return statistics and CohortStatistics(statistics.mean[rows], statistics.deviation[rows])
