"""How far apart two embeddings are: all pairs of a batch, or some."""

from typing import Literal, get_args

import torch
from torch import Tensor

from mien.training.large_heads.directions import unit
from mien.training.losses.loss import at_least_float32
from mien.training.losses.pairs.dot_products import dot_products
from mien.training.losses.ranges import one_of

Distance = Literal["squared_euclidean", "euclidean", "cosine"]
DISTANCES: tuple[Distance, ...] = get_args(Distance)


def alike(anchors: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Both on the anchors' device and in their precision, float32 at least; one tensor stays one tensor."""
    same, anchors = others is anchors, at_least_float32(anchors)
    return anchors, anchors if same else others.to(anchors.device, anchors.dtype)


def cosine_matrix(anchors: Tensor, others: Tensor) -> Tensor:
    """(N, M) cosines of (N, D) anchors with (M, D) others, which may be the same tensor; 0 for a zero vector."""
    directions = unit(anchors)
    return dot_products(directions, directions if anchors is others else unit(others))


class Distances:
    """Distances between embeddings: ‖x − y‖², ‖x − y‖, or 1 − cos(x, y).

    They come from the matrix of dot products: in float32 ‖x − y‖² is right to about 1e-6 of the largest squared length,
    so that ‖x − y‖ of two embeddings that are nearly the same may be wrong by 1e-3. Equal embeddings have no direction
    from one to the other; there the gradient of ‖x − y‖ is 0.

    Args:
        kind: ``"squared_euclidean"``, ``"euclidean"`` or ``"cosine"``.
        normalize: Whether embeddings are brought to unit length first; cosine always does.

    Raises:
        ValueError: There is no such distance.
    """

    def __init__(self, kind: Distance, normalize: bool = True) -> None:
        one_of(DISTANCES, distance=kind)
        self.kind = kind
        self.normalize = normalize or kind == "cosine"

    def matrix(self, anchors: Tensor, others: Tensor) -> Tensor:
        """(N, M) distances of (N, D) anchors from (M, D) others, which may be the same tensor."""
        if self.kind == "cosine":
            return 1 - cosine_matrix(anchors, others)
        same = anchors is others
        if self.normalize:
            anchors = unit(anchors)
            others = anchors if same else unit(others)
        else:
            # Distances don't depend on where zero is; from the middle the dot products are small, and round less.
            middle = others.detach().mean(dim=0)
            anchors = anchors - middle
            others = anchors if same else others - middle
        lengths, other_lengths = self._squared_lengths(anchors), self._squared_lengths(others)
        return self._of_squares(lengths[:, None] + other_lengths - 2 * dot_products(anchors, others))

    def _squared_lengths(self, vectors: Tensor) -> Tensor:
        squares = vectors.square().sum(dim=1)
        return squares.detach().round() if self.normalize else squares  # of unit length, or zero

    def _of_squares(self, squares: Tensor) -> Tensor:
        if self.kind == "squared_euclidean":
            return squares
        apart = squares > 0
        return torch.where(apart, squares.where(apart, 1).sqrt(), 0)
