"""A network whose first parts don't move, run once over all crops instead of once an epoch."""

import shutil
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mien.errors import ConfigError
from mien.progress import report
from mien.training.backbones import parts_of, trainable_parts
from mien.training.data.crop_set import CropSet
from mien.training.trainer.batches import Augment, Batch, EpochOrder, augmented

CHUNK = 64
"""Crops that the front is given at once."""


def halves(network: nn.Module, trainable: str, side: int) -> tuple[nn.Module, nn.Module]:
    """The parts of a network before the first that moves, and the others; both share the network's weights.

    Args:
        network: (N, 3, S, S) to (N, D), its parts run one after another.
        trainable: What moves, as recipes say it.
        side: S.

    Raises:
        ConfigError: The first part moves, or the network is more than its parts one after another.
    """
    parts = parts_of(network)
    moving = set(trainable_parts(network, trainable))
    still = 0
    for part in parts.values():
        if moving.intersection(part.parameters()):
            break
        still += 1
    if still in (0, len(parts)):
        raise ConfigError(
            f"looks needs a first part that doesn't move and a last one that does; trainable = {trainable!r} has none.",
            hint='Say trainable = "head" or "last", or leave looks out.',
        )
    named = list(parts.items())
    front, back = nn.Sequential(OrderedDict(named[:still])), nn.Sequential(OrderedDict(named[still:]))
    if not _equal(network, nn.Sequential(front, back), side):
        raise ConfigError(
            f"{type(network).__name__} does more than run its parts one after another, so that its first ones can't be "
            "run beforehand.",
            hint="Leave looks out of the stage.",
        )
    return front, back


class FeatureBatches:
    """Batches of what the front made of the crops: a few looks at each, all augmented differently and kept in a file.

    Args:
        front: (n, 3, S, S) to (n, …); put into evaluation mode.
        crops: Where they come from.
        order: The rows of each epoch's batches.
        augment: What is done to the crops.
        looks: At each crop; every step draws one of them for each row.
        seed: Of the augmentation and of the draws.
        file: Where the looks are kept, float16; an interrupted run carries on.

    Raises:
        ConfigError: There is no room for the file.
    """

    def __init__(
        self, front: nn.Module, crops: CropSet, order: EpochOrder, augment: Augment, looks: int, seed: int, file: Path
    ) -> None:
        self.crops, self.order, self.looks, self.seed = crops, order, looks, seed
        self.steps_per_epoch = len(order(0))
        self.features = self._seen(front.eval(), augment, file)

    def between(self, start: int, end: int) -> Iterator[Batch]:
        """The batches of steps `start` … `end` − 1; their `pictures` are features."""
        labels = torch.from_numpy(self.crops.labels)
        for step in range(start, end):
            rows = self.order(step // self.steps_per_epoch)[step % self.steps_per_epoch]
            look = np.random.default_rng([self.seed, step]).integers(self.looks, size=len(rows))
            features = torch.from_numpy(self.features[rows * self.looks + look])
            yield Batch(rows, features.float(), labels[rows])

    def _seen(self, front: nn.Module, augment: Augment, file: Path) -> np.memmap[tuple[int, ...], np.dtype[np.float16]]:
        total = len(self.crops) * self.looks
        with torch.inference_mode():
            device = next(front.parameters()).device
            shape = tuple(front(self._pictures(augment, 0, 1).to(device)).shape[1:])
            size = 2 * int(np.prod(shape))
            done = file.stat().st_size // size // CHUNK * CHUNK if file.exists() else 0
            _need_room(file, (total - done) * size)
            with file.open("ab") as kept:
                kept.truncate(done * size)
                for start in range(done, total, CHUNK):
                    end = min(start + CHUNK, total)
                    features = front(self._pictures(augment, start, end).to(device)).float().contiguous()
                    kept.write(features.half().cpu().numpy().tobytes())
                    report("looking at crops", end, total)
        return np.memmap(file, np.float16, "r", shape=(total, *shape))

    def _pictures(self, augment: Augment, start: int, end: int) -> Tensor:
        return augmented(self.crops, np.arange(start, end) // self.looks, augment, (self.seed, start))


def _equal(network: nn.Module, composed: nn.Module, side: int) -> bool:
    pictures = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    pictures = pictures.to(next(network.parameters()).device)
    training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            return torch.allclose(network(pictures), composed(pictures), rtol=1e-3, atol=1e-5)
    except RuntimeError:
        return False
    finally:
        network.train(training)


def _need_room(file: Path, needed: int) -> None:
    free = shutil.disk_usage(file.parent).free
    if needed > free:
        raise ConfigError(
            f"The looks at all crops take {needed / 1e9:.1f} GB, and {file.parent} has room for {free / 1e9:.1f}.",
            hint="Ask for fewer looks, for fewer photos_per_person, or let fewer parts move.",
        )
