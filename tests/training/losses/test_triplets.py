import math
from itertools import product

import pytest
import torch
from pytorch_metric_learning.distances import CosineSimilarity, LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner, TripletMarginMiner
from pytorch_metric_learning.reducers import MeanReducer
from torch import Tensor, nn

from mien.training.losses import Triplet, triplet_losses
from mien.training.losses.pair_loss import Average
from mien.training.losses.pairs import DISTANCES, Distance, Distances, all_triplets, mated_and_not
from mien.training.losses.triplets.triplet import Mining

MINING: list[Mining] = ["batch_all", "semi_hard", "batch_hard", "hardest_semi_hard"]
SEVERAL = torch.tensor([0, 1, 0, 2, 1, 1, 3, 2, 0, 2, 2, 4])
"""One to four photos of a person."""


def batch(labels: Tensor = SEVERAL, size: int = 6, dtype: torch.dtype = torch.float64) -> Tensor:
    """Embeddings whose mated pairs are nearer, but not by much."""
    people = torch.randn(int(labels.max()) + 1, size, dtype=dtype)
    return (people[labels] * 0.6 + torch.randn(len(labels), size, dtype=dtype)).requires_grad_()


def foreign_distance(kind: Distance, normalize: bool) -> nn.Module:
    if kind == "cosine":
        return CosineSimilarity()  # type: ignore[no-any-return]
    return LpDistance(power=2 if kind == "squared_euclidean" else 1, normalize_embeddings=normalize)  # type: ignore[no-any-return]


def one_by_one(
    embeddings: Tensor, labels: Tensor, distance: Distance, normalize: bool, margin: float, soft: bool, mining: Mining
) -> list[Tensor]:
    """The losses of the mined triplets, each computed alone."""
    metric = Distances(distance, normalize)
    d = metric.matrix(embeddings, embeddings.clone())
    plain = d.tolist()
    rows = range(len(labels))
    triplets = [
        (a, p, n) for a, p, n in product(rows, repeat=3) if a != p and labels[a] == labels[p] and labels[a] != labels[n]
    ]
    if mining == "semi_hard":
        triplets = [(a, p, n) for a, p, n in triplets if plain[a][p] < plain[a][n] < plain[a][p] + margin]
    if mining == "batch_hard":
        best: dict[int, tuple[float, int, int]] = {}
        for a, p, n in triplets:
            best[a] = max(best.get(a, (-math.inf, 0, 0)), (plain[a][p] - plain[a][n], p, n))
        triplets = [(a, p, n) for a, (_, p, n) in best.items()]
    if mining == "hardest_semi_hard":
        nearest: dict[tuple[int, int], tuple[float, int]] = {}
        for a, p, n in triplets:
            if plain[a][n] > plain[a][p]:
                nearest[a, p] = min(nearest.get((a, p), (math.inf, 0)), (plain[a][n], n))
        triplets = [(a, p, n) for (a, p), (_, n) in nearest.items()]
    lacking = [d[a, p] - d[a, n] + margin for a, p, n in triplets]
    return [torch.log1p(x.exp()) if soft else x.clamp(min=0) for x in lacking]


def test_the_formula_by_hand() -> None:
    near, far = torch.tensor([0.5, 0.1]), torch.tensor([0.6, 0.9])
    assert triplet_losses(near, far, 0.2).tolist() == pytest.approx([0.1, 0])
    expected = [math.log(1 + math.exp(0.1)), math.log(1 + math.exp(-0.6))]
    assert triplet_losses(near, far, 0.2, soft=True).tolist() == pytest.approx(expected)


def test_a_batch_by_hand() -> None:
    angles = torch.tensor([0.0, 60, 90, 180], dtype=torch.float64).deg2rad()
    embeddings = 7 * torch.stack((angles.cos(), angles.sin()), dim=1)
    labels = torch.tensor([3, 3, 8, 8])
    # ‖x − y‖² = 2 − 2·cos: 0–60 1, 90–180 2, 0–90 2, 0–180 4, 60–90 2 − √3, 60–180 3.
    lacking = [1 - 2, 1 - 4, 1 - (2 - math.sqrt(3)), 1 - 3, 2 - 2, 2 - (2 - math.sqrt(3)), 2 - 4, 2 - 3]
    losses = [max(0, x + 0.5) for x in lacking]
    assert Triplet(0.5, average="all")(embeddings, labels).item() == pytest.approx(sum(losses) / 8)
    assert Triplet(0.5)(embeddings, labels).item() == pytest.approx(sum(losses) / 3)
    assert Triplet(1.5, mining="semi_hard")(embeddings, labels).item() == pytest.approx((0.5 + 0.5) / 2)
    # Of each anchor the hardest: 0–90, 60–90, 90–60, 180–60.
    hardest = [max(0, x + 0.5) for x in (1 - 2, 1 - (2 - math.sqrt(3)), 2 - (2 - math.sqrt(3)), 2 - 3)]
    assert Triplet(0.5, mining="batch_hard", average="all")(embeddings, labels).item() == pytest.approx(
        sum(hardest) / 4
    )


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("mining", MINING)
@pytest.mark.parametrize("distance", DISTANCES)
def test_value_and_gradient_are_those_of_every_triplet_alone(
    distance: Distance, mining: Mining, soft: bool, normalize: bool
) -> None:
    embeddings = batch()
    normalize = normalize or distance == "cosine"
    losses = torch.stack(one_by_one(embeddings, SEVERAL, distance, normalize, 1.0, soft, mining))
    averages: list[tuple[Average, Tensor]] = [("all", losses.mean()), ("active", losses.sum() / (losses > 0).sum())]
    assert soft or mining != "batch_all" or averages[0][1] < averages[1][1]
    for average, expected in averages:
        value = Triplet(1.0, soft, distance, normalize, mining, average)(embeddings, SEVERAL)
        torch.testing.assert_close(value, expected)
        torch.testing.assert_close(
            torch.autograd.grad(value, embeddings), torch.autograd.grad(expected, embeddings, retain_graph=True)
        )


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("mining", MINING)
@pytest.mark.parametrize("distance", DISTANCES)
def test_the_gradient_is_that_of_finite_differences(distance: Distance, mining: Mining, soft: bool) -> None:
    loss = Triplet(0.3, soft, distance, mining=mining)
    assert torch.autograd.gradcheck(lambda x: loss(x, SEVERAL), (batch(),))


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("mining", ["batch_all", "semi_hard", "batch_hard"])
@pytest.mark.parametrize("distance", DISTANCES)
def test_it_is_pytorch_metric_learning_s(distance: Distance, mining: Mining, soft: bool, normalize: bool) -> None:
    embeddings = batch(torch.arange(24) % 8, 16)
    labels = torch.arange(24) % 8
    foreign = foreign_distance(distance, normalize)
    miners = {
        "batch_all": lambda *_: None,
        "semi_hard": TripletMarginMiner(0.3, "semihard", distance=foreign),
        "batch_hard": BatchHardMiner(distance=foreign),
    }
    for average, reducer in (("active", None), ("all", MeanReducer())):
        theirs = TripletMarginLoss(0.3, smooth_loss=soft, distance=foreign, reducer=reducer)
        expected = theirs(embeddings, labels, miners[mining](embeddings, labels))
        ours = Triplet(0.3, soft, distance, normalize, mining, average)  # type: ignore[arg-type]
        value = ours(embeddings, labels)
        torch.testing.assert_close(value, expected)
        torch.testing.assert_close(torch.autograd.grad(value, embeddings), torch.autograd.grad(expected, embeddings))
        chosen = ours(embeddings, labels, miners[mining](embeddings, labels))
        torch.testing.assert_close(chosen, value)
        again = theirs(embeddings, labels, miners[mining](embeddings, labels))
        torch.testing.assert_close(torch.autograd.grad(chosen, embeddings), torch.autograd.grad(again, embeddings))


@pytest.mark.parametrize("photos", [2, 16, 64])
def test_a_large_batch_in_float32(photos: int) -> None:
    labels = torch.arange(128) // photos
    embeddings = batch(labels, 32, torch.float32)
    exact = embeddings.detach().double().requires_grad_()
    theirs = TripletMarginLoss(0.2, distance=LpDistance(power=2))(exact, labels)
    value = Triplet(0.2)(embeddings, labels)
    torch.testing.assert_close(value.double(), theirs, rtol=1e-5, atol=0)
    (expected,) = torch.autograd.grad(theirs, exact)
    (gradient,) = torch.autograd.grad(value, embeddings)
    assert (gradient - expected).abs().max() < 1e-3 * expected.abs().max()


def test_a_batch_whose_triplets_would_fill_the_memory() -> None:
    labels = torch.arange(2000) // 500  # 1.5 thousand million triplets
    embeddings = batch(labels, 8, torch.float32)
    value = Triplet(0.2)(embeddings, labels)
    part = torch.randperm(2000)[:400]
    assert value.item() == pytest.approx(Triplet(0.2)(embeddings[part], labels[part]).item(), rel=0.1)


def test_a_sum_in_float64_has_the_margin_in_float64() -> None:
    embeddings = batch()
    own = one_by_one(embeddings, SEVERAL, "squared_euclidean", True, 0.2, False, "batch_all")
    value = Triplet(margin=0.2, average="all")(embeddings, SEVERAL)
    torch.testing.assert_close(value, torch.stack(own).mean(), rtol=1e-12, atol=1e-12)


def test_ties_are_not_semi_hard_and_count_in_batch_all() -> None:
    one = torch.tensor([[1.0, 0]]).expand(4, 2)
    labels = torch.tensor([0, 0, 1, 1])
    assert Triplet(0.2)(one, labels).item() == pytest.approx(0.2)
    assert Triplet(0.2, mining="semi_hard")(one, labels).item() == 0
    assert Triplet(0.2, mining="hardest_semi_hard")(one, labels).item() == 0
    assert Triplet(0.2, mining="batch_hard")(one, labels).item() == pytest.approx(0.2)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("mining", MINING)
def test_nan_is_not_passed_over(mining: Mining, soft: bool) -> None:
    embeddings = batch().detach()
    embeddings[2, 1] = math.nan
    assert Triplet(0.2, soft, mining=mining)(embeddings, SEVERAL).isnan()


def test_length_matters_only_where_it_is_kept() -> None:
    embeddings = batch()
    longer = embeddings * torch.linspace(0.5, 3, len(embeddings))[:, None]
    for mining in MINING:
        torch.testing.assert_close(Triplet(mining=mining)(longer, SEVERAL), Triplet(mining=mining)(embeddings, SEVERAL))
    kept = Triplet(normalize=False)
    assert kept(longer, SEVERAL) != kept(embeddings, SEVERAL)


def test_triplets_from_pairs() -> None:
    embeddings = batch()
    mated, non_mated = mated_and_not(SEVERAL)
    pairs = (*mated.nonzero().unbind(1), *non_mated.nonzero().unbind(1))
    for chosen in (pairs, all_triplets(mated, non_mated)):
        torch.testing.assert_close(Triplet()(embeddings, SEVERAL, chosen), Triplet()(embeddings, SEVERAL))


@pytest.mark.parametrize(
    "wrong", [{"margin": -0.1}, {"margin": math.inf}, {"distance": "l1"}, {"mining": "hard"}, {"average": "mean"}]
)
def test_arguments_outside_their_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Triplet(**wrong)  # type: ignore[arg-type]
