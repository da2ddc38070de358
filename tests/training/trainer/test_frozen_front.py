from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mien.errors import ConfigError
from mien.training.backbones import Small, open_backbone
from mien.training.data.augmentation import Augmentation
from mien.training.data.crop_set import CropSet
from mien.training.sampling import Shuffled
from mien.training.trainer.batches import EpochOrder, as_network_input
from mien.training.trainer.frozen_front import FeatureBatches, halves

NOTHING = Augmentation.from_settings({})
SIDE = 32


@pytest.fixture(scope="module")
def crops() -> CropSet:
    number = 150
    random = np.random.default_rng(0)
    return CropSet(
        stores=(random.integers(0, 255, (number, SIDE, SIDE, 3), np.uint8),),
        places=np.stack([np.zeros(number, np.int64), np.arange(number)], axis=1),
        labels=np.arange(number) % 10,
        people=tuple(f"person-{label}" for label in range(10)),
        photos=tuple(f"{place}.png" for place in range(number)),
        landmarks=np.zeros((number, 5, 2), np.float32),
    )


def shuffled(crops: CropSet, batch_size: int, seed: int) -> EpochOrder:
    return Shuffled(crops.labels, batch_size, seed).epoch_order


def network() -> Small:
    torch.manual_seed(0)
    return Small(16, SIDE, width=16).eval()


@pytest.mark.parametrize("name", ["small", "mobilefacenet", "iresnet18"])
@pytest.mark.parametrize("trainable", ["head", "last"])
def test_both_halves_are_the_whole(name: str, trainable: str) -> None:
    whole = open_backbone(name, embedding_size=16, input_size=SIDE).eval()
    front, back = halves(whole, trainable, SIDE)
    pictures = torch.randn(2, 3, SIDE, SIDE)
    with torch.inference_mode():
        torch.testing.assert_close(back(front(pictures)), whole(pictures))
    assert {id(one) for one in back.parameters()} <= {id(one) for one in whole.parameters()}
    assert len(list(back.children())) == (1 if trainable == "head" else 2)


@pytest.mark.parametrize("trainable", ["all", "none", "stem, embedding"])
def test_without_a_still_first_part_there_is_nothing_to_run_beforehand(trainable: str) -> None:
    with pytest.raises(ConfigError, match="first part that doesn't move"):
        halves(network(), trainable, SIDE)


def test_a_network_that_is_more_than_its_parts_is_refused() -> None:
    class Doubled(nn.Module):
        """Its parts one after another, and then something else."""

        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Conv2d(3, 4, SIDE), nn.Conv2d(4, 4, 1)

        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            return 2 * self.last(self.first(pictures)).flatten(1)  # type: ignore[no-any-return]

    with pytest.raises(ConfigError, match="Doubled does more"):
        halves(Doubled(), "head", SIDE)


def test_features_are_the_fronts_of_each_look(crops: CropSet, tmp_path: Path) -> None:
    front, _ = halves(network(), "last", SIDE)
    batches = FeatureBatches(front, crops, shuffled(crops, 20, 1), NOTHING, 2, 3, tmp_path / "features.f16")
    (batch,) = list(batches.between(5, 6))
    pictures = torch.from_numpy(crops.read(batch.rows)).permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = front(as_network_input(pictures))
    torch.testing.assert_close(batch.pictures, expected, rtol=1e-2, atol=1e-2)
    np.testing.assert_array_equal(batch.labels, crops.labels[batch.rows])
    (again,) = list(batches.between(5, 6))
    assert torch.equal(batch.pictures, again.pictures)


def test_looks_differ_and_all_of_them_are_drawn(crops: CropSet, tmp_path: Path) -> None:
    front, _ = halves(network(), "head", SIDE)
    augment = Augmentation.from_settings({"colour": 1.0})
    batches = FeatureBatches(front, crops, shuffled(crops, 150, 1), augment, 3, 3, tmp_path / "features.f16")
    kept = batches.features.reshape(150, 3, -1)
    assert (np.abs(kept[:, 0] - kept[:, 1]).max(axis=1) > 0).all()
    drawn = {
        int(np.flatnonzero((kept[row] == features.flatten().half().numpy()).all(axis=1))[0])
        for batch in batches.between(0, 1)
        for row, features in zip(batch.rows, batch.pictures, strict=True)
    }
    assert drawn == {0, 1, 2}


def test_interrupted_looking_goes_on_where_it_was(crops: CropSet, tmp_path: Path) -> None:
    front, _ = halves(network(), "head", SIDE)
    augment = Augmentation.from_settings({"colour": 1.0, "flip": 0.5})
    order = shuffled(crops, 20, 1)
    whole = FeatureBatches(front, crops, order, augment, 2, 3, tmp_path / "whole.f16").features
    part = tmp_path / "part.f16"
    part.write_bytes((tmp_path / "whole.f16").read_bytes()[: int(whole.nbytes * 0.55) + 7])
    np.testing.assert_array_equal(FeatureBatches(front, crops, order, augment, 2, 3, part).features, whole)


def test_a_disk_that_is_too_small_is_said_before_it_is_full(
    crops: CropSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 1000}))
    front, _ = halves(network(), "head", SIDE)
    with pytest.raises(ConfigError, match=r"has room for 0\.0"):
        FeatureBatches(front, crops, shuffled(crops, 20, 1), NOTHING, 2, 3, tmp_path / "features.f16")
