import math
from collections import Counter
from collections.abc import Iterator
from itertools import product

import pytest
import torch
from pytorch_metric_learning import miners as foreign
from pytorch_metric_learning.distances import CosineSimilarity, LpDistance
from scipy.stats import chisquare
from torch import Tensor

from mien.errors import ConfigError
from mien.training import mining
from mien.training.losses.pairs import DISTANCES, Distance, Distances
from mien.training.mining import (
    MINERS,
    AsLaidOut,
    BatchAll,
    BatchHard,
    DistanceWeighted,
    EasyPositive,
    HardestSemiHard,
    MultiSimilarityPairs,
    SemiHard,
    distance_weights,
    open_miner,
)

LABELS = torch.tensor([0, 1, 0, 2, 1, 1, 3, 2, 0, 2, 2, 4])
OTHERS = torch.tensor([0, 2, 2, 1, 5, 0, 3])
ON_DISTANCES = [name for name in MINERS if name not in {"as_laid_out", "distance_weighted", "multi_similarity"}]
Rows = set[tuple[int, ...]]


def batch(labels: Tensor = LABELS, size: int = 6) -> Tensor:
    people = torch.randn(6, size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return people[labels] * 0.6 + torch.randn(len(labels), size, dtype=torch.float64)


def as_set(indices: tuple[Tensor, ...]) -> Rows:
    rows = [tuple(row) for row in torch.stack(indices, dim=1).tolist()]
    assert len(set(rows)) == len(rows)
    return set(rows)


def as_sets(indices: tuple[Tensor, ...]) -> list[Rows]:
    return [as_set(indices[:2]), as_set(indices[2:])] if len(indices) == 4 else [as_set(indices)]


def every_triplet(labels: list[int], others: list[int] | None) -> Iterator[tuple[int, int, int]]:
    whose = labels if others is None else others
    for a, p, n in product(range(len(labels)), range(len(whose)), range(len(whose))):
        if labels[a] == whose[p] and labels[a] != whose[n] and (others is not None or a != p):
            yield a, p, n


def one_by_one(name: str, distances: list[list[float]], labels: list[int], others: list[int] | None) -> Rows:
    """What each miner promises, triplet by triplet."""
    d = distances
    triplets = list(every_triplet(labels, others))
    by_anchor = {a: [t for t in triplets if t[0] == a] for a in range(len(labels))}
    by_pair = {pair: [t for t in triplets if t[:2] == pair] for pair in {t[:2] for t in triplets}}
    chosen: list[tuple[int, int, int]] = []
    if name == "batch_all":
        chosen = triplets
    if name == "semi_hard":
        chosen = [(a, p, n) for a, p, n in triplets if d[a][p] < d[a][n] < d[a][p] + 0.2]
    if name == "hardest_semi_hard":
        for pair in by_pair.values():
            chosen += sorted((t for t in pair if d[t[0]][t[2]] > d[t[0]][t[1]]), key=lambda t: d[t[0]][t[2]])[:1]
    if name == "batch_hard":
        for of_one in by_anchor.values():
            chosen += sorted(of_one, key=lambda t: d[t[0]][t[2]] - d[t[0]][t[1]])[:1]
    if name == "easy_positive":
        for of_one in by_anchor.values():
            easiest = min((d[a][p] for a, p, _ in of_one), default=0)
            fit = (t for t in of_one if d[t[0]][t[1]] == easiest and d[t[0]][t[2]] > easiest)
            chosen += sorted(fit, key=lambda t: d[t[0]][t[2]])[:1]
    return set(chosen)


@pytest.mark.parametrize("others", [None, OTHERS])
@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", ON_DISTANCES)
def test_they_choose_what_they_say(name: str, distance: Distance, normalize: bool, others: Tensor | None) -> None:
    embeddings, references = batch(), batch() if others is None else batch(OTHERS)
    references = embeddings if others is None else references
    distances = Distances(distance, normalize).matrix(embeddings, references.clone()).tolist()
    expected = one_by_one(name, distances, LABELS.tolist(), None if others is None else others.tolist())
    miner = open_miner(name, distance=distance, normalize=normalize)
    chosen = miner(embeddings, LABELS) if others is None else miner(embeddings, LABELS, references, others)
    assert as_set(chosen) == expected
    assert expected


def test_triplets_that_lack_a_margin() -> None:
    embeddings = batch()
    d = Distances("cosine").matrix(embeddings, embeddings).tolist()
    lacking = {(a, p, n) for a, p, n in every_triplet(LABELS.tolist(), None) if d[a][n] < d[a][p] + 0.3}
    chosen = as_set(BatchAll(0.3, distance="cosine")(embeddings, LABELS))
    assert chosen == lacking < as_set(BatchAll()(embeddings, LABELS))


@pytest.mark.parametrize("others", [None, OTHERS])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (BatchAll(0.3), foreign.TripletMarginMiner(0.3, "all", distance=LpDistance(power=2))),
        (SemiHard(0.3), foreign.TripletMarginMiner(0.3, "semihard", distance=LpDistance(power=2))),
        (
            SemiHard(0.3, "cosine"),
            foreign.TripletMarginMiner(0.3, "semihard", distance=CosineSimilarity()),
        ),
        (
            SemiHard(0.3, "euclidean", normalize=False),
            foreign.TripletMarginMiner(0.3, "semihard", distance=LpDistance(normalize_embeddings=False)),
        ),
        (BatchHard(), foreign.BatchHardMiner()),
        (BatchHard("cosine"), foreign.BatchHardMiner(distance=CosineSimilarity())),
        (EasyPositive(), foreign.BatchEasyHardMiner("easy", "semihard")),
        (EasyPositive("hard"), foreign.BatchEasyHardMiner("easy", "hard")),
        (MultiSimilarityPairs(0.1), foreign.MultiSimilarityMiner(0.1)),
        (MultiSimilarityPairs(0.4), foreign.MultiSimilarityMiner(0.4)),
    ],
)
def test_they_are_pytorch_metric_learning_s(
    ours: torch.nn.Module, theirs: torch.nn.Module, others: Tensor | None
) -> None:
    for _ in range(3):
        given = (batch(), LABELS) if others is None else (batch(), LABELS, batch(OTHERS), others)
        expected = theirs(*given)
        if isinstance(theirs, foreign.BatchEasyHardMiner) and len(expected) == 4:
            expected = (*expected[:2], expected[3])  # an anchor's easiest positive and its negative
        assert as_sets(ours(*given)) == as_sets(expected)


def test_ties_are_not_semi_hard() -> None:
    embeddings, labels = torch.ones(4, 3), torch.tensor([0, 0, 1, 1])
    for miner in (SemiHard(), HardestSemiHard(), EasyPositive()):
        assert [len(rows) for rows in miner(embeddings, labels)] == [0, 0, 0]
    assert len(as_set(BatchHard()(embeddings, labels))) == 4
    assert len(as_set(EasyPositive("hard")(embeddings, labels))) == 4


@pytest.mark.parametrize("name", [name for name in MINERS if name != "as_laid_out"])
@pytest.mark.parametrize("labels", [[], [1], [1, 1, 1], [1, 2, 3]])
def test_where_there_is_no_triplet_none_is_chosen(name: str, labels: list[int]) -> None:
    chosen = open_miner(name)(torch.randn(len(labels), 4), torch.tensor(labels, dtype=torch.int64))
    assert {rows.dtype for rows in chosen} == {torch.int64}
    assert [len(rows) for rows in chosen] == [0] * len(chosen)


@pytest.mark.parametrize("name", [name for name in MINERS if name != "as_laid_out"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_half_precisions_and_autocast_choose_as_float32(name: str, dtype: torch.dtype) -> None:
    embeddings, miner = batch(torch.arange(20) % 5, 16).to(dtype), open_miner(name)
    labels = torch.arange(20, dtype=torch.int32) % 5
    expected = miner(embeddings.float(), labels.long())
    torch.manual_seed(0)
    expected = miner(embeddings.float(), labels.long())
    torch.manual_seed(0)
    with torch.autocast("cpu", torch.bfloat16):
        assert all(torch.equal(a, b) for a, b in zip(miner(embeddings, labels), expected, strict=True))


def test_the_choice_has_no_gradient() -> None:
    embeddings = batch().requires_grad_()
    for name in MINERS:
        if name != "as_laid_out":
            open_miner(name)(embeddings, LABELS)
    assert embeddings.grad is None


def test_labels_and_others_must_fit() -> None:
    with pytest.raises(ValueError, match="labels of shape"):
        BatchHard()(batch(), LABELS[1:])
    with pytest.raises(ValueError, match="go together"):
        BatchHard()(batch(), LABELS, batch())
    with pytest.raises(ValueError, match="labels of shape"):
        BatchHard()(batch(), LABELS, batch(), LABELS[1:])


def sphere_density(distance: float, dimensions: int) -> float:
    """How often two random directions are so far apart, up to a constant: the area of the ring at that angle."""
    angle = 2 * math.asin(distance / 2)
    return math.sin(angle) ** (dimensions - 2) / math.cos(angle / 2)


@pytest.mark.parametrize("dimensions", [3, 8, 32])
def test_distance_weights_undo_how_often_distances_are(dimensions: int) -> None:
    distances = torch.linspace(0.55, 1.9, 50, dtype=torch.float64)
    logs = distance_weights(distances, dimensions)
    density = torch.tensor([math.log(sphere_density(d, dimensions)) for d in distances.tolist()], dtype=torch.float64)
    torch.testing.assert_close(logs - logs[0], density[0] - density)


def test_distance_weights_at_the_ends() -> None:
    ends = distance_weights(torch.tensor([0.0, 0.1, 0.5, 2.0, 2.1]), 512)
    assert ends[0] == ends[1] == ends[2]
    assert ends[3] == ends[4]
    assert ends.isfinite().all()
    assert distance_weights(torch.tensor([0.3, 1.2]), 3).tolist() == pytest.approx([-math.log(0.5), -math.log(1.2)])


def test_negatives_are_drawn_by_their_weights() -> None:
    labels = torch.tensor([0, 0, *range(1, 7)])
    embeddings = torch.randn(8, 4, dtype=torch.float64)
    embeddings[2] = embeddings[0] + 0.01  # nearer than 0.5
    embeddings[3] = -embeddings[0]  # farther than 1.4
    miner = DistanceWeighted()
    drawn = Counter(int(n) for _ in range(1500) for a, _, n in zip(*miner(embeddings, labels), strict=True) if a == 0)
    distances = Distances("euclidean").matrix(embeddings, embeddings)[0]
    possible = [n for n in range(2, 8) if distances[n] < 1.4]
    assert set(drawn) == set(possible) - {3}
    weights = distance_weights(distances[possible], 4).exp()
    expected = (weights / weights.sum() * 1500).tolist()
    assert chisquare([drawn[n] for n in possible], expected).pvalue > 1e-3


def test_in_many_dimensions_no_anchor_is_forgotten() -> None:
    """Weights are of very different size from anchor to anchor; PyTorch-metric-learning scales all by the greatest."""
    labels = torch.arange(16) // 2
    embeddings = torch.randn(16, 512)
    embeddings[0] = embeddings[2] + 0.3 * torch.randn(512)  # one pair of strangers is very near
    miner = DistanceWeighted(farthest=2.0)
    assert set(miner(embeddings, labels)[0].tolist()) == set(range(16))
    theirs = foreign.DistanceWeightedMiner(nonzero_loss_cutoff=2.0)
    assert set(theirs(embeddings, labels)[0].tolist()) == {0, 2}


def test_the_seed_decides_the_draws() -> None:
    embeddings = batch()
    miner = DistanceWeighted()
    torch.manual_seed(5)
    first, state = miner(embeddings, LABELS), torch.get_rng_state()
    second = miner(embeddings, LABELS)
    torch.set_rng_state(state)
    assert all(torch.equal(a, b) for a, b in zip(miner(embeddings, LABELS), second, strict=True))
    assert not torch.equal(first[2], second[2])


def test_triplets_as_laid_out() -> None:
    labels = torch.tensor([4, 4, 1, 2, 2, 4])
    assert [rows.tolist() for rows in AsLaidOut()(torch.randn(6, 3), labels)] == [[0, 3], [1, 4], [2, 5]]
    with pytest.raises(ValueError, match="5 embeddings"):
        AsLaidOut()(torch.randn(5, 3), labels[:5])
    for wrong in ([4, 1, 4], [4, 4, 4]):
        with pytest.raises(ValueError, match="not laid out as anchor, positive, negative"):
            AsLaidOut()(torch.randn(3, 3), torch.tensor(wrong))
    with pytest.raises(ValueError, match="no others"):
        AsLaidOut()(torch.randn(6, 3), labels, torch.randn(6, 3), labels)


def test_miners_by_name() -> None:
    miner = open_miner("semi_hard", margin=0.4, distance="cosine")
    assert isinstance(miner, SemiHard)
    assert (miner.margin, miner.distances.kind) == (0.4, "cosine")
    with pytest.raises(ConfigError, match=r"no miner 'hard'\. Use one of as_laid_out, batch_all"):
        open_miner("hard")
    with pytest.raises(ConfigError, match=r"batch_hard has no margin\. It has distance, normalize"):
        open_miner("batch_hard", margin=1)
    with pytest.raises(ConfigError, match="semi_hard can't be made: margin must be at least 0"):
        open_miner("semi_hard", margin=-1)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("batch_all", {"margin": -1}),
        ("batch_hard", {"distance": "l1"}),
        ("distance_weighted", {"nearest": 0}),
        ("distance_weighted", {"farthest": 2.1}),
        ("easy_positive", {"negatives": "easy"}),
        ("multi_similarity", {"epsilon": -0.1}),
    ],
)
def test_arguments_outside_their_range_are_refused(name: str, wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        open_miner(name, **wrong)


def test_the_front_door_is_sorted_and_opens() -> None:
    assert all(hasattr(mining, name) for name in mining.__all__)
    in_order = sorted(mining.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    assert mining.__all__ == in_order
