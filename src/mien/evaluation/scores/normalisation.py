"""Similarities made comparable between templates, by how alike each is to a cohort of other people.

The cohort's people must be neither among the probes nor in the gallery.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mien.similarity import iter_blocks

Normalisation = Literal["none", "z", "t", "s-adaptive"]
ADAPTIVE_COHORT = 300
"""How many of the cohort, the most alike, an adaptive norm takes (Matějka et al. 2017 found 200 to 500 best)."""


@dataclass(frozen=True, eq=False)
class CohortStatistics:
    """How alike each of N templates is to a cohort: mean (N,) and standard deviation (N,), float64."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]


def cohort_statistics(
    templates: NDArray[np.float32], cohort: NDArray[np.float32], *, most_alike: int | None = None
) -> CohortStatistics:
    """Compare templates with a cohort.

    Args:
        templates: (N, D).
        cohort: (C, D), C at least 2.
        most_alike: Take only so many of the cohort, each template's own most alike ones.

    Raises:
        ValueError: If the cohort is too small, or all of it is equally alike to a template.
    """
    take = len(cohort) if most_alike is None else min(most_alike, len(cohort))
    if take < 2:
        raise ValueError(f"a cohort of {take} has no spread")
    mean, deviation = np.empty((2, len(templates)))
    for rows, _, block in iter_blocks(templates, cohort, rows=256, columns=len(cohort)):
        taken = np.partition(block, -take, axis=1)[:, -take:] if take < len(cohort) else block
        mean[rows] = taken.mean(axis=1, dtype=np.float64)
        deviation[rows] = taken.std(axis=1, ddof=1, dtype=np.float64)
    if not (deviation > 0).all():
        raise ValueError("the whole cohort is equally alike to a template")
    return CohortStatistics(mean, deviation)


def statistics_for(
    normalisation: Normalisation,
    probes: NDArray[np.float32],
    references: NDArray[np.float32],
    cohort: NDArray[np.float32] | None,
) -> tuple[CohortStatistics | None, CohortStatistics | None]:
    """The statistics that a normalisation needs, of the probes and of the references.

    Raises:
        ValueError: If there is no such normalisation, or no cohort for it.
    """
    if normalisation not in get_args(Normalisation):
        raise ValueError(f"there is no normalisation {normalisation!r}; there are {', '.join(get_args(Normalisation))}")
    if normalisation == "none":
        return None, None
    if cohort is None:
        raise ValueError(f"the normalisation {normalisation!r} needs a cohort")
    most_alike = ADAPTIVE_COHORT if normalisation == "s-adaptive" else None
    return (
        None if normalisation == "z" else cohort_statistics(probes, cohort, most_alike=most_alike),
        None if normalisation == "t" else cohort_statistics(references, cohort, most_alike=most_alike),
    )


def normalised(
    similarity: NDArray[np.float32],
    probes: CohortStatistics | None,
    references: CohortStatistics | None,
) -> NDArray[np.float32]:
    """Similarities in standard deviations from what a cohort gives.

    - Z-norm (Reynolds 1997) takes the references' statistics: z = (s − μ_r)/σ_r.
    - T-norm (Auckenthaler et al. 2000) takes the probes': t = (s − μ_p)/σ_p.
    - S-norm (Kenny 2010) is their mean, (z + t)/2; adaptive where each side's statistics are over that part of the
      cohort that is most alike to it (Matějka et al. 2017, *Analysis of Score Normalization*, AS-norm 1).

    Args:
        similarity: (P, N) of probes with references.
        probes: Of the P probes, or None.
        references: Of the N references, or None; neither leaves the similarities as they are.
    """
    parts = []
    if references is not None:
        parts.append((similarity - references.mean) / references.deviation)
    if probes is not None:
        parts.append((similarity - probes.mean[:, None]) / probes.deviation[:, None])
    return np.asarray(sum(parts) / len(parts), np.float32) if parts else similarity
