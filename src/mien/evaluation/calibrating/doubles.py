from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_ALIKE = 0.25
"""The quantile of people's own similarities that two names must reach: three of four doubles do, and few others."""
FEWEST_PEOPLE = 10
"""With two photos or more, to tell from them how alike one person's photos are."""
_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Double:
    """Two names under which there may be one person.

    Args:
        first: The one name.
        second: The other.
        similarity: The mean over their photos' comparisons.
        typical: That of one person's photos, at the lower quartile over people, which it reaches.
    """

    first: str
    second: str
    similarity: float
    typical: float

    @property
    def reason(self) -> str:
        """The same as a sentence."""
        return (
            f"{self.first} and {self.second} may be one person: their photos are as alike ({self.similarity:.3f}) as "
            f"those of one person are ({self.typical:.3f})."
        )

    def to_dict(self) -> dict[str, str | float]:
        """The pair as JSON-ready data."""
        return {"first": self.first, "second": self.second, "similarity": self.similarity, "typical": self.typical}


def find_doubles(
    embeddings: NDArray[np.float32], people: Sequence[str], *, typical: float | None = None, most: int = 20
) -> list[Double]:
    """Find pairs of people whose photos are as alike as one person's: enrolled twice, mislabelled, or twins.

    One person under two names makes false matches that are none. They are few among all pairs but own the rarest false
    match rates, whose thresholds they raise: an error on the safe side, at the price of missed matches.

    Args:
        embeddings: (N, D), of unit length.
        people: (N,) whose each photo is.
        typical: How alike one person's photos are at the lower quartile; used where fewer than `FEWEST_PEOPLE` people
            have two photos or more to take it from. Without it nothing is found then.
        most: How many pairs to return at most.

    Returns:
        The pairs, most alike first.
    """
    names, person = np.unique(np.asarray(people, str), return_inverse=True)
    count = np.bincount(person, minlength=len(names)).astype(np.float64)
    sums = np.zeros((len(names), np.shape(embeddings)[1]))
    np.add.at(sums, person, embeddings)
    several = count > 1
    if several.sum() >= FEWEST_PEOPLE:
        own = ((sums**2).sum(axis=1) - count)[several] / (count * (count - 1))[several]
        typical = float(np.quantile(own, LEAST_ALIKE))
    if typical is None:
        return []
    means = (sums / count[:, None]).astype(np.float32)
    found: list[tuple[float, int, int]] = []
    for start in range(0, len(names), _ROWS):
        alike = means[start : start + _ROWS] @ means[start:].T
        rows, columns = np.nonzero(alike >= typical)
        apart = rows < columns
        found += zip(
            alike[rows, columns][apart].tolist(),
            (start + rows[apart]).tolist(),
            (start + columns[apart]).tolist(),
            strict=True,
        )
    found.sort(key=lambda pair: (-pair[0], pair[1:]))
    return [Double(str(names[a]), str(names[b]), min(alike, 1.0), typical) for alike, a, b in found[:most]]
