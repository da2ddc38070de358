"""K-means on unit vectors, with two faces of one photo in two groups."""

import warnings

import numpy as np
import scipy
from numpy.typing import NDArray


def group_by_kmeans(units: NDArray[np.float64], people: int, photos: NDArray[np.int64]) -> NDArray[np.int64]:
    """Split the faces into at most `people` groups around their means; the best of ten starts, always the same ten.

    The faces of one photo get different groups: those whose distances to the groups' means sum to the least.

    Args:
        units: (N, D) embeddings at unit length.
        people: How many groups, 1 or more.
        photos: (N,) the photo of each face.

    Returns:
        (N,) the group of each face.

    Raises:
        ValueError: `people` is below 1, or a photo has more faces than that.
    """
    from sklearn.cluster import KMeans  # late: it takes half a second, which no other decision needs
    from sklearn.exceptions import ConvergenceWarning

    if people < 1:
        raise ValueError(f"K-means makes at least one group, not {people}")
    if not len(units):
        return np.zeros(0, np.int64)
    _, photo, faces = np.unique(photos, return_inverse=True, return_counts=True)
    if faces.max() > people:
        raise ValueError(f"a photo has {faces.max()} faces, and each is another person: {people} people are too few")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different faces than groups: some stay empty
        fitted = KMeans(min(people, len(units)), n_init=10, random_state=0).fit(units)
    labels: NDArray[np.int64] = fitted.labels_.astype(np.int64)
    distances = fitted.transform(units) ** 2
    for crowded in np.flatnonzero(faces > 1):
        together = np.flatnonzero(photo == crowded)
        labels[together] = scipy.optimize.linear_sum_assignment(distances[together])[1]
    return labels
