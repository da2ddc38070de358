from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mien.decisions.calibration import Calibration, checked
from mien.decisions.clustering.kmeans import group_by_kmeans
from mien.decisions.clustering.linking import Linkage, link, link_blurred
from mien.decisions.rate import Rate
from mien.decisions.wording import counted, interval_words, rate_words

Method = Literal["graph", "agglomerative", "kmeans"]


@dataclass(frozen=True, eq=False)
class Clustering:
    """Which faces belong together.

    Args:
        labels: (N,) int64, read-only: the group of each face, 0 … K − 1. Group 0 is the largest; of equally large
            ones the one whose first face comes first. A face that is like no other is a group of its own.
        method: How they were found.
        reason: The same as a sentence, with the rate, its interval and whose data it comes from.
        threshold: How alike faces are that are put together; None for K-means.
        fmr: The false match rate of two photos at the threshold; None without a calibration, and for K-means.
        calibration: Where the rate comes from.
    """

    labels: NDArray[np.int64]
    method: Method
    reason: str
    threshold: float | None = None
    fmr: Rate | None = None
    calibration: Calibration | None = None

    def __len__(self) -> int:
        """How many groups there are, faces alone included."""
        return int(self.labels.max(initial=-1)) + 1

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(K,) int64: how many faces each group has, falling."""
        return np.bincount(self.labels, minlength=len(self))

    @property
    def alone(self) -> int:
        """How many faces are alone in their group."""
        return int(np.count_nonzero(self.sizes == 1))

    def groups(self) -> list[NDArray[np.int64]]:
        """The faces of each group, largest group first, each in the order of the faces."""
        order = np.argsort(self.labels, kind="stable")
        return np.split(order, np.cumsum(self.sizes)[:-1]) if len(self) else []

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON-ready data."""
        return {
            "method": self.method,
            "reason": self.reason,
            "faces": len(self.labels),
            "groups": len(self),
            "alone": self.alone,
            "labels": self.labels.tolist(),
            "threshold": self.threshold,
            "fmr": self.fmr.value if self.fmr else None,
            "fmr_interval": [self.fmr.low, self.fmr.high] if self.fmr else None,
            "calibration": self.calibration.summary() if self.calibration else None,
            "encoder": self.calibration.encoder.to_dict() if self.calibration else None,
        }


def cluster(
    embeddings: ArrayLike,
    calibration: Calibration | None = None,
    *,
    method: Method = "graph",
    fmr: float = 1e-4,
    threshold: float | None = None,
    photo_of_face: ArrayLike | None = None,
    blurred: ArrayLike | None = None,
    people: int | None = None,
) -> Clustering:
    """Put the faces of one person together.

    ``"graph"`` and ``"agglomerative"`` need not know how many people there are: they join the two most alike groups
    until none are alike enough, and leave strangers alone. ``"kmeans"`` splits everything into at most `people` groups
    and knows no strangers: it is for closed sets only.

    Args:
        embeddings: (N, D), compared by cosine.
        calibration: For the encoder of the embeddings; may be None if `threshold` is given, or for K-means.
        method: ``"graph"`` suits people with many photos beside people with one; ``"agglomerative"`` is the textbook's
            average linkage, which splits people whose photos differ much. Both join along the graph of nearest
            neighbours.
        fmr: The false match rate, between two photos, at whose threshold groups are joined.
        threshold: Joins groups instead of the one that follows from `fmr`.
        photo_of_face: (N,) integers: the photo each face is in. Two faces of one photo are never put together.
        blurred: (N,) bool: faces so blurred, noisy or small (`Faces.blurred`) that no calibration holds between two
            of them. Such a face is put to faces that are not, or left alone. Where no rate is asked for, with a
            `threshold` and by K-means, they are faces like any other.
        people: How many groups K-means makes, at most.

    Returns:
        Every face in one group. Same input, same groups.

    Raises:
        ValueError: A shape doesn't fit, a value is NaN, infinite or out of range, neither a calibration nor a threshold
            is given, `people` is given without K-means or missing with it, or a photo has more faces than `people`.
        CalibrationError: The calibration does not support the false match rate.
    """
    if method not in get_args(Method):
        raise ValueError(f"there is no clustering method {method!r}; there are {', '.join(get_args(Method))}")
    if (people is not None) != (method == "kmeans"):
        raise ValueError("the number of people is what K-means needs, and what the other methods find out")
    units = _unit_length(embeddings)
    photos = _photos(photo_of_face, len(units))
    if people is not None:
        labels = by_size(group_by_kmeans(units, people, photos))
        return Clustering(labels, method, f"{_found(labels)}; K-means was asked for {people:,}, whoever they are")

    if threshold is not None:
        limit = checked(threshold)
    elif calibration is not None:
        limit = calibration.threshold(fmr).similarity
    else:
        raise ValueError("a decision needs a calibration or a threshold")
    hidden = _mask(blurred, len(units)) & (threshold is None)
    linkage: Linkage = "tempered" if method == "graph" else "average"
    labels = np.arange(len(units)) + len(units)
    labels[~hidden] = link(units[~hidden], limit, photos[~hidden], linkage)
    labels = by_size(link_blurred(units, labels, hidden, limit, photos, linkage))
    rate = calibration.fmr(limit) if calibration else None
    return Clustering(
        labels=labels,
        method=method,
        reason=f"{_found(labels)}; put together at a similarity of {limit:.4f} or more"
        + _basis(rate, calibration, _pairs(photos) - _pairs(photos[hidden]), limit)
        + _apart(hidden),
        threshold=limit,
        fmr=rate,
        calibration=calibration,
    )


def by_size(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """`labels` renamed to 0 … K − 1, largest group first, then by first member; read-only."""
    _, first, name, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(len(first), np.int64)
    rank[np.lexsort((first, -sizes))] = np.arange(len(first))
    renamed = rank[name]
    renamed.flags.writeable = False
    return renamed


def _unit_length(embeddings: ArrayLike) -> NDArray[np.float64]:
    vectors = np.asarray(embeddings, np.float64)
    if vectors.ndim != 2 or (len(vectors) and not vectors.shape[1]):
        raise ValueError(f"cluster: embeddings (N, D) are needed, not {vectors.shape}")
    if not np.isfinite(vectors).all():
        raise ValueError("cluster: an embedding holds NaN or infinity")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths == 0, 1, lengths)


def _photos(photo_of_face: ArrayLike | None, faces: int) -> NDArray[np.int64]:
    if photo_of_face is None:
        return np.arange(faces)
    photos = np.asarray(photo_of_face)
    if photos.shape != (faces,) or (faces and photos.dtype.kind not in "iu"):
        raise ValueError(f"cluster: one integer a face says its photo, not {photos.dtype} {photos.shape}")
    return photos.astype(np.int64)


def _mask(blurred: ArrayLike | None, faces: int) -> NDArray[np.bool_]:
    if blurred is None:
        return np.zeros(faces, bool)
    mask = np.asarray(blurred)
    if mask.shape != (faces,) or mask.dtype != bool:
        raise ValueError(f"cluster: one bool a face says whether it is blurred, not {mask.dtype} {mask.shape}")
    return mask


def _apart(blurred: NDArray[np.bool_]) -> str:
    count = int(np.count_nonzero(blurred))
    return f"; {counted(count, 'face')} too blurred, noisy or small to be compared with one another" if count else ""


def _found(labels: NDArray[np.int64]) -> str:
    sizes = np.bincount(labels)
    alone = np.count_nonzero(sizes == 1)
    return f"{counted(len(labels), 'face')} in {counted(len(sizes), 'group')}" + (
        f", {alone:,} of them a face alone" if alone and len(labels) > 1 else ""
    )


def _pairs(photos: NDArray[np.int64]) -> int:
    """How many pairs of faces are of two photos, given the photo of each face."""
    _, faces = np.unique(photos, return_counts=True)
    return int(len(photos) ** 2 - (faces**2).sum()) // 2


def _basis(rate: Rate | None, calibration: Calibration | None, pairs: int, threshold: float) -> str:
    if rate is None or calibration is None:
        return " (no calibration says how often different people are that alike)"
    expected = rate.value * pairs
    chance = (
        f"; at that rate {expected:,.0f} of the {counted(pairs, 'pair')} here would be by chance"
        if expected >= 1
        else ""
    )
    return (
        f", which two photos of different people reach at a rate of {rate_words(rate.value)} ({interval_words(rate)}), "
        f"measured on {calibration.source_words(threshold)}{chance}"
    )
