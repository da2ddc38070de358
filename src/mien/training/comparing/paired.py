"""The same comparisons of the same strangers by every run: how often each is right, and whether two differ by more than
chance.
"""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.evaluation import Comparisons, Difference, Unsupported, compare_verification
from mien.training.comparing.run_measures import STRANGERS

MEASURED_PAIRS, COMPARED_PAIRS = (20_000, 150_000), (5_000, 15_000)
"""Mated and non-mated pairs that a run is measured on, and that two are compared on; drawn where there are more."""
RESAMPLES = 200


class StrangerPairs:
    """Pairs of the strangers' crops, drawn once for all runs.

    They are listed one by one and not counted in bins: losses differ in how alike all embeddings are, and of a network
    whose cosines all lie near 1 bins would see little.

    Args:
        labels: (N,) whose each crop is.
        most: Mated and non-mated pairs.
        seed: Of the draws.
    """

    def __init__(self, labels: NDArray[np.int64], most: tuple[int, int] = COMPARED_PAIRS, seed: int = 0) -> None:
        photos = np.stack(np.triu_indices(len(labels), 1), axis=1)
        mated = labels[photos[:, 0]] == labels[photos[:, 1]]
        random = np.random.default_rng(seed)
        chosen = [
            np.sort(random.choice(rows, min(len(rows), limit), replace=False))
            for rows, limit in zip((np.flatnonzero(mated), np.flatnonzero(~mated)), most, strict=True)
        ]
        rows = np.concatenate(chosen)
        self.photos, self.mated = photos[rows], mated[rows]
        self.people = labels[self.photos]

    def compared(self, embeddings: NDArray[np.float32]) -> Comparisons:
        """The pairs by one network, from its (N, D) embeddings of unit length."""
        similarity = np.einsum("pd,pd->p", embeddings[self.photos[:, 0]], embeddings[self.photos[:, 1]])
        return Comparisons(similarity.astype(np.float64), self.mated, people=self.people)

    def ahead(self, first: Path, second: Path, name: str) -> Difference | Unsupported:
        """How much greater the true match rate at a false match rate of 1e-2 is by the first run than by the second.

        It takes seconds, so it is kept in the first run's folder.

        Args:
            first: A run's folder.
            second: Another's.
            name: What the other is called in the name of the file.
        """
        file = first / f"ahead-of-{name}.json"
        if file.exists():
            content = json.loads(file.read_text(encoding="utf-8"))
            return Unsupported(content["unsupported"]) if "unsupported" in content else Difference(**content)
        one, other = (self.compared(np.load(folder / STRANGERS)) for folder in (first, second))
        found = compare_verification(one, other, resamples=RESAMPLES)["tar_at_far 1e-2"]
        file.write_text(json.dumps(found.to_dict()) + "\n", encoding="utf-8")
        return found
