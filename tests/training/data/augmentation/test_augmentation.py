import json
from collections.abc import Mapping
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from mien.errors import ConfigError
from mien.faces import TEMPLATES
from mien.training.data.augmentation import CHANGES, Augmentation, Change, Flip, Jpeg, Shift
from mien.training.data.augmentation.change import Draws, Picture, Points, Share

Batch = tuple[Tensor, Tensor]
EVERYTHING: Mapping[str, Any] = {name: {} for name in CHANGES}
by_name = pytest.mark.parametrize("name", CHANGES)


def batch(count: int, side: int = 112) -> Batch:
    """Random pictures, all different, with landmarks in the template's places."""
    random = np.random.default_rng(0)
    small = torch.from_numpy(random.integers(0, 256, (count, 3, 28, 28)).astype(np.float32))
    crops = (
        torch.nn.functional.interpolate(small, (side, side), mode="bilinear")
        if count
        else small.new_zeros(0, 3, side, side)
    )
    landmarks = torch.from_numpy((TEMPLATES["arcface-112"][1] + 0.5) * side / 112 - 0.5).float()
    return crops.to(torch.uint8), landmarks.repeat(count, 1, 1)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@by_name
def test_each_change_gives_a_batch_like_the_one_it_got(name: str) -> None:
    crops, landmarks = batch(6)
    before = crops.clone(), landmarks.clone()
    changed, moved = Augmentation.from_settings({name: 1})(crops, landmarks, seeded(3))
    assert (changed.shape, changed.dtype) == (crops.shape, torch.uint8)
    assert (moved.shape, moved.dtype) == (landmarks.shape, torch.float32)
    assert changed.is_contiguous(memory_format=torch.channels_last)
    assert all((one != other).any() for one, other in zip(changed, crops, strict=True))
    assert torch.equal(crops, before[0])
    assert torch.equal(landmarks, before[1])


class Marked(Change):
    """Makes a picture white."""

    draws: ClassVar[int] = 2
    p: Share = 1.0

    def change(self, picture: Picture, landmarks: Points, draws: Draws) -> tuple[Picture, Points]:
        assert draws.shape == (2,)
        return np.full_like(picture, 255), landmarks


@pytest.mark.parametrize("p", [0.0, 0.02, 0.3, 1.0])
def test_the_share_of_changed_pictures(p: float) -> None:
    crops, landmarks = torch.zeros(400, 3, 8, 8, dtype=torch.uint8), batch(400, side=8)[1]
    changed = (Augmentation([Marked(p=p)])(crops, landmarks, seeded(1))[0] == 255).all(dim=(1, 2, 3))
    assert abs(int(changed.sum()) - 400 * p) <= 4 * np.sqrt(400 * p * (1 - p))


@by_name
def test_the_same_seed_gives_the_same_pictures(name: str) -> None:
    crops, landmarks = batch(8)
    augmentation = Augmentation.from_settings({name: 0.6})
    first = augmentation(crops, landmarks, seeded(1))
    again = augmentation(crops.contiguous(memory_format=torch.channels_last), landmarks.double(), seeded(1))
    other = augmentation(crops, landmarks, seeded(2))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1].float())
    assert not torch.equal(first[0], other[0])


def test_the_number_of_threads_does_not_matter() -> None:
    crops, landmarks = batch(8)
    augmentation = Augmentation.from_settings(dict.fromkeys(CHANGES, 0.8))
    threads = torch.get_num_threads(), cv2.getNumThreads()
    pictures = []
    try:
        for number in (1, 3):
            torch.set_num_threads(number)
            cv2.setNumThreads(number)
            pictures.append(augmentation(crops, landmarks, seeded(4))[0])
    finally:
        torch.set_num_threads(threads[0])
        cv2.setNumThreads(threads[1])
    assert torch.equal(*pictures)


def test_a_generator_goes_on_where_its_state_says() -> None:
    crops, landmarks = batch(8)
    augmentation = Augmentation.from_settings(EVERYTHING)
    generator = seeded(1)
    augmentation(crops, landmarks, generator)
    state = generator.get_state()
    second = augmentation(crops, landmarks, generator)
    resumed = torch.Generator()
    resumed.set_state(state)
    assert torch.equal(augmentation(crops, landmarks, resumed)[0], second[0])


def test_a_picture_does_not_depend_on_its_neighbours() -> None:
    crops, landmarks = batch(8)
    others = crops.clone()
    others[1:] = 255 - others[1:]
    augmentation = Augmentation.from_settings(EVERYTHING)
    one, two = augmentation(crops, landmarks, seeded(5))[0], augmentation(others, landmarks, seeded(5))[0]
    assert torch.equal(one[0], two[0])


def test_lengths_keep_their_proportion_at_other_sizes() -> None:
    augmentation = Augmentation([Shift(p=1, pixels=8)])
    large = augmentation(*batch(64), seeded(0))[1] - batch(64)[1]
    small = augmentation(*batch(64, side=56), seeded(0))[1] - batch(64, side=56)[1]
    assert large.abs().max() == pytest.approx(8, abs=1e-4)
    assert small.abs().max() == pytest.approx(4, abs=1e-4)


def test_changes_are_made_in_the_order_of_the_registry() -> None:
    table = {"jpeg": 1, "flip": 1, "mask": 1}
    augmentation = Augmentation.from_settings(table)
    assert list(augmentation.settings) == ["mask", "flip", "jpeg"]


def test_no_pictures_no_changes() -> None:
    crops, landmarks = batch(3)
    same = Augmentation([])(crops, landmarks, seeded(0))
    assert torch.equal(same[0], crops)
    none = Augmentation.from_settings(EVERYTHING)(*batch(0), seeded(0))
    assert none[0].shape == (0, 3, 112, 112)


def test_settings_say_everything_and_can_be_read_again() -> None:
    augmentation = Augmentation.from_settings({"flip": 0.25, "jpeg": {"quality": [40, 80]}, "shift": {"p": 0.5}})
    settings = json.loads(json.dumps(augmentation.settings))
    assert settings == {
        "flip": {"p": 0.25},
        "shift": {"p": 0.5, "pixels": 4},
        "jpeg": {"p": 0.2, "quality": [40, 80]},
    }
    assert Augmentation.from_settings(settings).changes == augmentation.changes
    assert augmentation.changes == (Flip(p=0.25), Shift(p=0.5), Jpeg(quality=(40, 80)))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"flop": 0.5}, "there is no 'flop', only sunglasses, mask, flip"),
        ({"flip": 1.5}, "flip.p: should be less than or equal to 1, not 1.5"),
        ({"flip": -0.1}, "flip.p: should be greater than or equal to 0"),
        ({"flip": float("nan")}, "flip.p: should be"),
        ({"flip": True}, "flip: a share from 0 to 1 or a table of p, not True"),
        ({"flip": "often"}, "flip: a share from 0 to 1 or a table"),
        ({"flip": {"often": 1}}, "flip.often: there is no such setting, only p"),
        ({"jpeg": {"quality": [95, 30]}}, "jpeg.quality: must be two numbers from 1 to 100, the lower one first, not"),
        ({"jpeg": {"quality": [0, 30]}}, "jpeg.quality: must be two numbers from 1 to 100"),
        ({"jpeg": {"quality": 30}}, "jpeg.quality: should be a valid tuple, not 30"),
        ({"jpeg": {"quality": [30]}}, "jpeg.quality.1: field required"),
        ({"shift": {"pixels": 2.5}}, "shift.pixels: should be a valid integer"),
        ({"affine": {"scale": [0.1, 1]}}, "affine.scale: must be two numbers from 0.5 to 2"),
        ({"blur": {"sigma": [float("nan"), 1]}}, "blur.sigma: must be two numbers from 0.1 to 10"),
        ({"flip": 2, "grey": 3}, "flip.p: should be less than or equal to 1, not 2; grey.p"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Augmentation.from_settings(settings)
    assert sentence in caught.value.message


def test_what_is_no_batch_of_crops_is_refused() -> None:
    crops, landmarks = batch(2)
    augmentation = Augmentation([])
    with pytest.raises(TypeError, match="uint8"):
        augmentation(crops.float(), landmarks, seeded(0))
    for wrong in (crops[0], crops[:, :2], crops[:, :, :50], crops.permute(0, 2, 3, 1)):
        with pytest.raises(ValueError, match="crops are"):
            augmentation(wrong, landmarks, seeded(0))
    with pytest.raises(ValueError, match="landmarks of 2 crops"):
        augmentation(crops, landmarks[:1], seeded(0))
    with pytest.raises(ValueError, match="NaN"):
        augmentation(crops, landmarks * torch.nan, seeded(0))
