import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from mien.training.exporting import FullCrops
from mien.training.exporting.full_crops import area_weights


@pytest.mark.parametrize("side", [1, 32, 37, 56, 64, 80, 96, 111])
def test_shrinking_is_opencvs(side: int, crops: NDArray[np.uint8]) -> None:
    crop = crops[0].astype(np.float32)
    whole = FullCrops(nn.Identity(), side)
    shrunk = whole(torch.from_numpy(crop).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(shrunk, cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA), atol=2e-3)


@pytest.mark.parametrize(("before", "after"), [(112, 64), (112, 112), (7, 3), (5, 1)])
def test_area_weights_share_out_everything(before: int, after: int) -> None:
    weights = area_weights(before, after)
    assert weights.shape == (after, before)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(weights.sum(axis=0), after / before, rtol=1e-5)


def test_area_weights_by_hand() -> None:
    np.testing.assert_allclose(area_weights(3, 2), np.array([[2, 1, 0], [0, 1, 2]]) / 3, rtol=1e-6)


def test_a_full_crop_goes_through_as_it_is() -> None:
    crops = torch.rand(2, 3, 112, 112)
    assert FullCrops(nn.Identity())(crops) is crops


def test_unit_length() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 5))
    crops = torch.rand(4, 3, 112, 112)
    raw, unit = FullCrops(network, 32)(crops), FullCrops(network, 32, unit_length=True)(crops)
    torch.testing.assert_close(unit, nn.functional.normalize(raw))
    torch.testing.assert_close(unit.norm(dim=1), torch.ones(4))


@pytest.mark.parametrize("side", [0, -1, 113])
def test_a_side_beyond_the_crop_is_refused(side: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 112"):
        FullCrops(nn.Identity(), side)
