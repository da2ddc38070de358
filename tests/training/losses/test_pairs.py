from typing import Literal

import pytest
import torch
from pytorch_metric_learning.utils import loss_and_miner_utils
from scipy.spatial.distance import cdist
from torch import Tensor

from mien.training.losses.pairs import (
    DISTANCES,
    Distance,
    Distances,
    all_triplets,
    as_masks,
    as_pairs,
    as_triplets,
    cosine_matrix,
    joined,
    mated_and_not,
)

SCIPY: dict[Distance, Literal["sqeuclidean", "euclidean", "cosine"]] = {
    "squared_euclidean": "sqeuclidean",
    "euclidean": "euclidean",
    "cosine": "cosine",
}
CPU = torch.device("cpu")


@pytest.fixture
def vectors() -> tuple[Tensor, Tensor]:
    return torch.randn(7, 5, dtype=torch.float64) + 3, torch.randn(9, 5, dtype=torch.float64) + 3


def directions(vectors: Tensor) -> Tensor:
    return torch.nn.functional.normalize(vectors)


@pytest.mark.parametrize("kind", DISTANCES)
def test_distances_are_scipy_s(kind: Distance, vectors: tuple[Tensor, Tensor]) -> None:
    anchors, others = vectors
    raw = torch.from_numpy(cdist(anchors.numpy(), others.numpy(), SCIPY[kind]))
    unit = torch.from_numpy(cdist(directions(anchors).numpy(), directions(others).numpy(), SCIPY[kind]))
    torch.testing.assert_close(Distances(kind, normalize=False).matrix(anchors, others), raw)
    torch.testing.assert_close(Distances(kind).matrix(anchors, others), unit)


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("kind", DISTANCES)
def test_within_one_batch_value_and_gradient_are_those_of_two(kind: Distance, normalize: bool) -> None:
    distances = Distances(kind, normalize)
    vectors = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(6, 6, dtype=torch.float64).fill_diagonal_(0)
    one = (distances.matrix(vectors, vectors) * weights).sum()
    other = (distances.matrix(vectors, vectors.clone()) * weights).sum()
    torch.testing.assert_close(one, other)
    torch.testing.assert_close(torch.autograd.grad(one, vectors), torch.autograd.grad(other, vectors))
    assert torch.autograd.gradcheck(lambda x: (distances.matrix(x, x) * weights).sum(), (vectors,))
    assert torch.autograd.gradgradcheck(lambda x: (distances.matrix(x, x) * weights).sum(), (vectors,))


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("kind", DISTANCES)
def test_zero_and_equal_vectors(kind: Distance, normalize: bool) -> None:
    vectors = torch.tensor([[0.0, 0], [0, 0], [3, 4], [3, 4]], requires_grad=True)
    distances = Distances(kind, normalize)
    matrix = distances.matrix(vectors, vectors)
    far = 1 if kind == "cosine" or normalize else 25 if kind == "squared_euclidean" else 5
    assert matrix[2, 3].item() == pytest.approx(0, abs=1e-3)
    assert matrix[0, 2].item() == pytest.approx(far)
    assert matrix[0, 1].item() == (1 if kind == "cosine" else 0)
    (gradient,) = torch.autograd.grad(matrix.sum(), vectors)
    assert gradient.isfinite().all()


def test_far_from_zero_distances_keep_their_digits() -> None:
    vectors = torch.randn(5, 8, dtype=torch.float64)
    away = (vectors + 1000).float()
    expected = torch.cdist(away.double(), away.double()).square().float()
    torch.testing.assert_close(Distances("squared_euclidean", False).matrix(away, away), expected, atol=1e-4, rtol=1e-5)


def test_a_distance_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="distance must be one of squared_euclidean, euclidean, cosine"):
        Distances("manhattan")  # type: ignore[arg-type]


def test_cosines_of_a_batch() -> None:
    vectors = torch.randn(4, 3)
    expected = torch.nn.functional.cosine_similarity(vectors[:, None], vectors[None], dim=2)
    torch.testing.assert_close(cosine_matrix(vectors, vectors), expected)


def test_who_is_mated_with_whom() -> None:
    mated, non_mated = mated_and_not(torch.tensor([5, 7, 5]))
    assert mated.tolist() == [[False, False, True], [False, False, False], [True, False, False]]
    assert non_mated.tolist() == [[False, True, False], [True, False, True], [False, True, False]]
    mated, non_mated = mated_and_not(torch.tensor([5]), torch.tensor([5, 7]))
    assert (mated.tolist(), non_mated.tolist()) == ([[True, False]], [[False, True]])


def as_set(indices: tuple[Tensor, ...]) -> set[tuple[int, ...]]:
    rows = [tuple(row) for row in torch.stack(indices, dim=1).tolist()]
    assert len(set(rows)) == len(rows)
    return set(rows)


def test_all_triplets_and_conversions_are_pytorch_metric_learning_s() -> None:
    labels = torch.tensor([0, 1, 0, 2, 1, 1, 3])
    expected = as_set(loss_and_miner_utils.get_all_triplets_indices(labels))
    assert as_set(all_triplets(*mated_and_not(labels))) == expected
    pairs = loss_and_miner_utils.get_all_pairs_indices(labels)
    assert as_set(as_triplets(pairs, CPU)) == expected
    a1, p, a2, n = as_pairs(as_triplets(pairs, CPU), CPU)
    assert a1 is a2
    masks = mated_and_not(labels)
    both = masks[0].any(1) & masks[1].any(1)
    made = as_masks((a1, p, a2, n), (7, 7), CPU)
    assert torch.equal(made[0], masks[0] & both[:, None])
    assert torch.equal(made[1], masks[1] & both[:, None])


def test_joined_by_hand() -> None:
    first, second = joined(torch.tensor([2, 0, 5, 2]), torch.tensor([2, 1, 2, 0]))
    assert sorted(zip(first.tolist(), second.tolist(), strict=True)) == [(0, 0), (0, 2), (1, 3), (3, 0), (3, 2)]
    nothing = torch.zeros(0, dtype=torch.int64)
    for pair in ((nothing, nothing), (nothing, torch.tensor([1])), (torch.tensor([1]), nothing)):
        assert [len(positions) for positions in joined(*pair)] == [0, 0]


@pytest.mark.parametrize("convert", [as_pairs, as_triplets])
def test_neither_pairs_nor_triplets(convert: type) -> None:
    with pytest.raises(ValueError, match="not 2 tensors"):
        convert((torch.tensor([0]), torch.tensor([1])), CPU)
