from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class BCubed:
    """How right a clustering is: Bagga & Baldwin 1998; Amigó et al. 2009, *Extrinsic clustering metrics*.

    Attributes:
        precision: Averaged over faces: of the faces in a face's group, itself included, the share of its own person.
        recall: Averaged over faces: of the faces of a face's person, itself included, the share in its own group.
        f: Their harmonic mean.
    """

    precision: float
    recall: float
    f: float


def bcubed(labels: Sequence[Any] | NDArray[Any], truth: Sequence[Any] | NDArray[Any]) -> BCubed:
    """Compare groups with the truth.

    Args:
        labels: (N,) the group of each face.
        truth: (N,) who each face is.

    Raises:
        ValueError: The lengths differ, or there are no faces.
    """
    if len(labels) != len(truth) or not len(labels):
        raise ValueError(f"{len(labels)} groups for {len(truth)} faces")
    group = np.unique(np.asarray(labels), return_inverse=True)[1]
    person = np.unique(np.asarray(truth), return_inverse=True)[1]
    cell, count = np.unique(np.stack([group, person]), axis=1, return_counts=True)
    precision = float((count**2 / np.bincount(group)[cell[0]]).sum() / len(group))
    recall = float((count**2 / np.bincount(person)[cell[1]]).sum() / len(person))
    return BCubed(precision, recall, 2 * precision * recall / (precision + recall))
