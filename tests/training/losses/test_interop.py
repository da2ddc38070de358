import sys

import numpy as np
import pytest
import torch
from pytorch_metric_learning import losses as foreign_losses
from pytorch_metric_learning import miners as foreign_miners
from pytorch_metric_learning.distances import CosineSimilarity, LpDistance
from pytorch_metric_learning.trainers import MetricLossOnly
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from mien.errors import ConfigError, MissingExtraError
from mien.training.losses import LOSSES, ArcFace, CrossBatchMemory, Loss, Triplet
from mien.training.losses.interop import open_foreign_loss, open_foreign_miner, open_foreign_sampler
from mien.training.mining import BatchAll, BatchHard, DistanceWeighted, EasyPositive, Miner, SemiHard, open_miner
from mien.training.sampling import PeopleAndPhotos, open_sampler

LABELS = torch.arange(24) % 6
SIZES = {"num_classes": 6, "embedding_size": 8}


@pytest.fixture
def embeddings() -> Tensor:
    return (torch.randn(6, 8)[LABELS] + torch.randn(24, 8)).requires_grad_()


@pytest.fixture
def _without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "pytorch_metric_learning"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pytorch_metric_learning", None)


def test_a_loss_by_name() -> None:
    loss = open_foreign_loss("pml:MultiSimilarityLoss", **SIZES, alpha=3, distance="pml:LpDistance")
    assert type(loss) is foreign_losses.MultiSimilarityLoss
    assert loss.alpha == 3
    assert isinstance(loss.distance, LpDistance)
    head = open_foreign_loss("pml:ArcFaceLoss", **SIZES, margin=20)
    assert head.W.shape == (8, 6)


def test_a_miner_and_a_sampler_by_name() -> None:
    miner = open_miner(
        "pml:TripletMarginMiner", margin=0.3, type_of_triplets="semihard", distance="pml:CosineSimilarity"
    )
    assert type(miner) is foreign_miners.TripletMarginMiner
    assert isinstance(miner.distance, CosineSimilarity)
    sampler = open_foreign_sampler("pml:MPerClassSampler", labels=LABELS.numpy(), batch_size=8, m=2)
    assert len(list(sampler)) == 24


@pytest.mark.parametrize(
    "name", ["pml:MultiSimilarityLoss", "pml:ArcFaceLoss", "pml:TripletMarginLoss", "pml:ProxyAnchorLoss"]
)
@pytest.mark.parametrize("miner", [None, BatchHard(), SemiHard(), BatchAll(0.5), DistanceWeighted(), EasyPositive()])
def test_its_losses_take_our_miners(name: str, miner: Miner | None, embeddings: Tensor) -> None:
    loss = open_foreign_loss(name, **SIZES)
    chosen = None if miner is None else miner(embeddings, LABELS)
    value = loss(embeddings, LABELS, chosen)
    value.backward()
    assert value > 0
    assert embeddings.grad is not None
    assert embeddings.grad.abs().max() > 0


@pytest.mark.parametrize("miner", ["BatchHardMiner", "TripletMarginMiner", "MultiSimilarityMiner", "PairMarginMiner"])
@pytest.mark.parametrize("name", LOSSES)
def test_our_losses_take_its_miners(name: str, miner: str, embeddings: Tensor) -> None:
    kind = LOSSES[name]
    known = {key: value for key, value in SIZES.items() if key in kind.__init__.__annotations__}
    loss = kind(**known)
    value = loss(embeddings, LABELS, open_foreign_miner(f"pml:{miner}")(embeddings, LABELS))
    value.backward()
    assert value > 0
    assert embeddings.grad is not None


@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad")  # its progress bar does
@pytest.mark.parametrize(
    ("loss", "miner"),
    [
        (Triplet(0.2), SemiHard(0.2)),
        (Triplet(0.2, mining="hardest_semi_hard"), None),
        (CrossBatchMemory(8, "contrastive", size=64), None),
        (ArcFace(6, 8, s=8, m=0.2), None),
    ],
)
def test_our_losses_miners_and_samplers_run_in_its_trainer(loss: Loss, miner: Miner | None) -> None:
    pictures = torch.randn(6, 12)[LABELS] + 0.5 * torch.randn(24, 12)
    trunk = nn.Linear(12, 8)
    sampler = PeopleAndPhotos(LABELS, 12, photos=2, seed=1)
    seen: list[float] = []
    trainer = MetricLossOnly(
        {"trunk": trunk},
        {"trunk_optimizer": torch.optim.Adam(trunk.parameters(), 0.02)},
        12,
        {"metric_loss": loss},
        TensorDataset(pictures, LABELS),
        {} if miner is None else {"tuple_miner": miner},
        sampler=sampler,
        dataloader_num_workers=0,
        data_device=torch.device("cpu"),
        end_of_iteration_hook=lambda trainer: seen.append(float(trainer.losses["total_loss"].detach())),
    )
    trainer.train(num_epochs=12)
    assert len(seen) == 24
    assert np.mean(seen[-6:]) < np.mean(seen[:6])
    assert sampler.state_dict()["epoch"] == 12


@pytest.mark.parametrize("name", ["pml:MPerClassSampler", "pml:FixedSetOfTriplets"])
def test_its_samplers_get_a_seed_and_a_state(name: str) -> None:
    own = {"m": 2} if name == "pml:MPerClassSampler" else {"num_triplets": 8}
    one, other = (open_sampler(name, labels=LABELS, batch_size=6, seed=3, **own) for _ in range(2))  # type: ignore[arg-type]
    before = np.random.get_state()[1].copy()  # type: ignore[index]
    first, second = one.epoch_order(0), one.epoch_order(1)
    assert first.shape == (4, 6)
    assert np.array_equal(other.epoch_order(1), second), "whatever was drawn before"
    assert not np.array_equal(first, second)
    assert not np.array_equal(open_sampler(name, labels=LABELS, batch_size=6, seed=4, **own).epoch_order(0), first)  # type: ignore[arg-type]
    assert np.array_equal(np.random.get_state()[1], before), "NumPy's own draws go on as they would have"  # type: ignore[index]
    if "m" in own:
        assert (np.unique(LABELS[first], axis=None, return_counts=True)[1] % 2 == 0).all()


def test_a_name_that_there_is_not() -> None:
    with pytest.raises(ConfigError, match=r"no loss 'TripletLoss'\. It has .*pml:TripletMarginLoss"):
        open_foreign_loss("pml:TripletLoss", **SIZES)
    with pytest.raises(ConfigError, match=r"no miner 'x'\. It has .*pml:BatchHardMiner.*pml:TripletMarginMiner"):
        open_foreign_miner("pml:x")
    with pytest.raises(ConfigError, match="no 'Taxicab' among its distances, reducers"):
        open_foreign_loss("pml:TripletMarginLoss", **SIZES, distance="pml:Taxicab")
    with pytest.raises(ConfigError, match="no loss 'ArcFaceLoss'"):
        open_foreign_loss("ArcFaceLoss", **SIZES)


def test_arguments_that_it_does_not_take() -> None:
    with pytest.raises(
        ConfigError, match=r"pml:TripletMarginLoss can't be made: .*marge.*\. Its own arguments are margin"
    ):
        open_foreign_loss("pml:TripletMarginLoss", **SIZES, marge=1)
    with pytest.raises(ConfigError, match=r"pml:BatchEasyHardMiner can't be made: .*pos_strategy must be"):
        open_foreign_miner("pml:BatchEasyHardMiner", pos_strategy="none")
    with pytest.raises(ConfigError, match="m_per_class must divide batch_size"):
        open_sampler("pml:MPerClassSampler", labels=LABELS, batch_size=8, m=3)
    with pytest.raises(ConfigError, match="less than a batch of 24"):
        open_sampler("pml:FixedSetOfTriplets", labels=LABELS, batch_size=24, num_triplets=2)
    with pytest.raises(ConfigError, match="HierarchicalSampler can't be made"):
        open_sampler("pml:HierarchicalSampler", labels=LABELS, batch_size=4, samples_per_class=1)


@pytest.mark.usefixtures("_without_the_library")
def test_without_the_library_it_is_asked_for() -> None:
    sentence = r"pml:Some\w* needs an optional dependency .*pip install 'mien\[pml\]'"
    with pytest.raises(MissingExtraError, match=f"The loss {sentence}"):
        open_foreign_loss("pml:SomeLoss", **SIZES)
    with pytest.raises(MissingExtraError, match=f"The miner {sentence}"):
        open_miner("pml:SomeMiner")
    with pytest.raises(MissingExtraError, match=f"The sampler {sentence}"):
        open_sampler("pml:SomeSampler", labels=LABELS, batch_size=4)
