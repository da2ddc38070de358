"""Networks whose norms have seen faces, and crops of people who don't exist."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from mien.training.data.sources import SyntheticPeople
from mien.training.losses import CosFace
from training_networks import pictures_of


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def crops() -> NDArray[np.uint8]:
    """(24, 112, 112, 3) uint8: twelve people, two crops each."""
    return np.stack([np.asarray(photo.source) for photo in SyntheticPeople(12, 2, seed=9, aligned=True).photos()])


@pytest.fixture(scope="session")
def taught(crops: NDArray[np.uint8]) -> Callable[..., nn.Module]:
    """Teaches a network of a side to tell the twelve apart: weights and norms as training leaves them."""

    def teach(network: nn.Module, side: int, steps: int = 40) -> nn.Module:
        torch.manual_seed(1)
        pictures, labels = pictures_of(crops, side), torch.arange(12).repeat_interleave(2)
        head = CosFace(12, network.eval()(pictures[:1]).shape[1], s=16, m=0.1)
        optimizer = torch.optim.Adam([*network.train().parameters(), *head.parameters()], lr=2e-3)
        for _ in range(steps):
            optimizer.zero_grad()
            head(network(pictures), labels).backward()
            optimizer.step()
        return network.eval()

    return teach
