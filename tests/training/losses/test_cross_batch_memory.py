import io
from collections.abc import Iterator

import pytest
import torch
from pytorch_metric_learning import losses as foreign
from pytorch_metric_learning.distances import LpDistance
from torch import Tensor

from mien.training.losses import (
    ArcFace,
    Circle,
    Contrastive,
    CrossBatchMemory,
    Loss,
    MultiSimilarity,
    PairLoss,
    SupervisedContrastive,
    Triplet,
)
from mien.training.losses.contract import CHECKS
from mien.training.losses.triplets.triplet import Mining
from mien.training.mining import BatchHard, HardestSemiHard, Miner

SIZE = 5
PAIRS = [
    (Contrastive(1.2, squared=False, average="active"), foreign.ContrastiveLoss(0, 1.2)),
    (MultiSimilarity(epsilon=None), foreign.MultiSimilarityLoss()),
    (Circle(0.4, 80), foreign.CircleLoss()),
    (SupervisedContrastive(), foreign.SupConLoss()),
    (Triplet(0.2), foreign.TripletMarginLoss(0.2, distance=LpDistance(power=2))),
]


def batches(count: int = 7, size: int = 6) -> Iterator[tuple[Tensor, Tensor]]:
    draws = torch.Generator().manual_seed(0)
    for _ in range(count):
        embeddings = torch.randn(size, SIZE, generator=draws, dtype=torch.float64, requires_grad=True)
        yield embeddings, torch.randint(4, (size,), generator=draws)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_batch_after_batch_it_is_pytorch_metric_learning_s(ours: PairLoss, theirs: torch.nn.Module) -> None:
    """Seven batches of six, through a memory of twenty that wraps within a batch."""
    mine = CrossBatchMemory(SIZE, ours, size=20).double()
    other = foreign.CrossBatchMemory(theirs, SIZE, memory_size=20)
    for embeddings, labels in batches():
        expected, value = other(embeddings, labels), mine(embeddings, labels)
        torch.testing.assert_close(value, expected)
        torch.testing.assert_close(torch.autograd.grad(value, embeddings), torch.autograd.grad(expected, embeddings))


class ForAnyLoss(foreign.CrossBatchMemory):  # type: ignore[misc]
    """PyTorch-metric-learning's memory, which takes losses by a list of their names."""

    @classmethod
    def check_loss_support(cls, loss_name: str) -> None:
        pass


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_our_losses_run_in_its_memory(ours: PairLoss, theirs: torch.nn.Module) -> None:
    mine, other = ForAnyLoss(ours, SIZE, memory_size=20), ForAnyLoss(theirs, SIZE, memory_size=20)
    for embeddings, labels in batches():
        torch.testing.assert_close(mine(embeddings, labels), other(embeddings, labels))


def test_the_memory_is_the_last_embeddings() -> None:
    memory = CrossBatchMemory(SIZE, size=20).double()
    seen = list(batches(5))
    for number, (embeddings, labels) in enumerate(seen):
        memory(embeddings, labels)
        assert memory.filled.item() == min(20, 6 * (number + 1))
    kept = {tuple(row) for row in memory.memory.tolist()}
    last = torch.cat([embeddings.detach() for embeddings, _ in seen])[-20:]
    assert kept == {tuple(row) for row in last.tolist()}
    whose = {
        tuple(row): label
        for row, label in zip(last.tolist(), torch.cat([labels for _, labels in seen])[-20:].tolist(), strict=True)
    }
    assert [whose[tuple(row)] for row in memory.memory.tolist()] == memory.whose.tolist()
    assert not memory.memory.requires_grad


def test_no_embedding_is_paired_with_its_own_copy() -> None:
    embeddings = torch.eye(3, SIZE)
    labels = torch.tensor([0, 1, 2])
    assert CrossBatchMemory(SIZE, SupervisedContrastive(), size=9)(embeddings, labels).item() == 0


def test_warm_up_batches_are_compared_with_themselves() -> None:
    loss = Contrastive()
    memory = CrossBatchMemory(SIZE, loss, size=20, warm_up=2).double()
    for number, (embeddings, labels) in enumerate(batches(4)):
        alone = loss(embeddings, labels)
        assert (memory(embeddings, labels) == alone) == (number < 3), "the third fills the memory first"
        assert memory.filled.item() == 6 * max(0, number - 1)


def test_in_evaluation_the_memory_stays() -> None:
    memory = CrossBatchMemory(SIZE, size=20).double()
    (first, labels), (second, others) = batches(2)
    memory(first, labels)
    before = {name: value.clone() for name, value in memory.state_dict().items()}
    value = memory.eval()(second, others)
    torch.testing.assert_close(memory.state_dict(), before)
    torch.testing.assert_close(value, memory.loss(second, others, None, first.detach(), labels))


def test_it_resumes_bit_for_bit() -> None:
    memory, other = (CrossBatchMemory(SIZE, "triplet", size=20, warm_up=1).double() for _ in range(2))
    seen = list(batches())
    for embeddings, labels in seen[:4]:
        memory(embeddings, labels)
    file = io.BytesIO()
    torch.save(memory.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    for embeddings, labels in seen[4:]:
        assert torch.equal(memory(embeddings, labels), other(embeddings, labels))


@pytest.mark.parametrize(("mining", "miner"), [("batch_hard", BatchHard()), ("hardest_semi_hard", HardestSemiHard())])
def test_a_miner_chooses_from_the_memory(mining: Mining, miner: Miner) -> None:
    plain = CrossBatchMemory(SIZE, Triplet(mining=mining), size=20).double()
    mined = CrossBatchMemory(SIZE, Triplet(), size=20, miner=miner).double()
    for embeddings, labels in batches():
        torch.testing.assert_close(mined(embeddings, labels), plain(embeddings, labels))


def test_a_loss_by_name() -> None:
    memory = CrossBatchMemory(SIZE, "triplet", arguments={"margin": 0.4, "mining": "batch_hard"})
    assert isinstance(memory.loss, Triplet)
    assert (memory.loss.margin, memory.loss.mining) == (0.4, "batch_hard")


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", ["triplet", "supervised_contrastive"])
def test_it_keeps_the_contract_of_losses(name: str, check: str) -> None:
    def make(num_classes: int, embedding_size: int) -> Loss:
        return CrossBatchMemory(embedding_size, name, size=64)

    CHECKS[check](make)


def test_what_it_refuses() -> None:
    with pytest.raises(ValueError, match="no loss 'twins'"):
        CrossBatchMemory(SIZE, "twins")
    with pytest.raises(ValueError, match="needs a loss on pairs, not arcface"):
        CrossBatchMemory(SIZE, "arcface")
    with pytest.raises(ValueError, match="needs a loss on pairs, not ArcFace"):
        CrossBatchMemory(SIZE, ArcFace(2, SIZE))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="size must be at least 1"):
        CrossBatchMemory(SIZE, size=0)
    with pytest.raises(ValueError, match="a batch of 6 does not fit a memory of 5"):
        CrossBatchMemory(SIZE, size=5)(*next(batches()))


def test_others_need_labels_that_fit() -> None:
    embeddings, labels = next(batches())
    loss = Contrastive()
    with pytest.raises(ValueError, match="go together"):
        loss(embeddings, labels, None, embeddings)
    with pytest.raises(ValueError, match="labels of shape"):
        loss(embeddings, labels, None, embeddings, labels[1:])
    with pytest.raises(TypeError, match="floating"):
        loss(embeddings, labels, None, embeddings.detach().int(), labels)
