from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

_OF_PROBES = ("similarity", "candidate", "mate", "mate_similarity", "mate_rank", "person", "probes")


@dataclass(frozen=True, eq=False)
class Searches:
    """Probes searched in a gallery, a row each: P probes, G people in the gallery, the K most alike of them kept.

    Args:
        similarity: (P, K) float32, the best similarity to each of the K most alike people, falling along a row; a row
            of NaN where the probe gave no face (failure to acquire).
        candidate: (P, K) int64, which people of the gallery these are; −1 in a row of NaN.
        mate: (P,) int64, the probe's own person in the gallery, −1 for a stranger.
        mate_similarity: (P,) float32, the best similarity to the mate; NaN for a stranger or without a face.
        mate_rank: (P,) int64, how many people of the gallery are at least as alike as the mate, itself not counted (so
            0 = found first, and ties count against us); −1 for a stranger or without a face.
        person: (P,) int64, whose photo each probe is, over mates and strangers: what intervals are drawn over.
        probes: (P,) int64, the row of each probe in the list of photos.
        gallery_people: G.
        gallery_templates: How many templates they have together.
        average_precision: (P,) float32, each mated probe's average precision over the R most alike templates, R being
            how many its mate has (Musgrave et al. 2020, MAP@R); NaN for a stranger or without a face. None where it
            isn't known.

    Raises:
        ValueError: If lengths differ.
    """

    similarity: NDArray[np.float32]
    candidate: NDArray[np.int64]
    mate: NDArray[np.int64]
    mate_similarity: NDArray[np.float32]
    mate_rank: NDArray[np.int64]
    person: NDArray[np.int64]
    probes: NDArray[np.int64]
    gallery_people: int
    gallery_templates: int
    average_precision: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        rows = len(self.mate)
        for array in (self.mate_similarity, self.mate_rank, self.person, self.probes):
            if array.shape != (rows,):
                raise ValueError(f"an array of shape {array.shape} for {rows} probes")
        if self.similarity.shape != self.candidate.shape or self.similarity.shape[:1] != (rows,):
            raise ValueError(f"candidates of shape {self.candidate.shape} for {rows} probes")

    def __len__(self) -> int:
        return len(self.mate)

    def select(self, rows: NDArray[np.bool_]) -> "Searches":
        """The searches (P,) that `rows` says, of the same gallery."""
        average = self.average_precision
        return replace(
            self,
            **{name: getattr(self, name)[rows] for name in _OF_PROBES},
            average_precision=None if average is None else average[rows],
        )
