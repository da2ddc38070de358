"""What every sampler is: batches of each epoch, by seed and number, and a place in them that can be kept."""

import zlib
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from torch.utils.data import Sampler

from mien.training.losses.ranges import at_least
from mien.training.sampling.decks import Rows


class EpochSampler(Sampler[int]):
    """Rows of a data set, an epoch a pass, in batches of one size one after another.

    A new sampler is one file with `_draw`, and one line in `mien.training.sampling.registry.SAMPLERS`.

    A pass goes on where the last one was left: at the next epoch, or where `load_state_dict` says. A `DataLoader` with
    workers asks for rows ahead of what was learnt from, so that the state runs ahead too: keep `state_after(batches)`
    of what was learnt from instead of `state_dict()`.

    Args:
        labels: (N,) integers: whose each row is.
        batch_size: Rows a batch, at least 1, as the `DataLoader` has.
        seed: 0 or more.

    Attributes:
        epoch: The epoch that is on.
        position: How many of its rows were given.

    Raises:
        ValueError: A number is too small, or the labels are not one row of integers.
    """

    def __init__(self, labels: ArrayLike, batch_size: int, seed: int = 0) -> None:
        super().__init__()
        whose = np.asarray(labels)
        if whose.ndim != 1 or not len(whose) or not np.issubdtype(whose.dtype, np.integer):
            raise ValueError(f"labels must be a row of integers, not {whose.dtype} of shape {whose.shape}")
        at_least(1, batch_size=batch_size)
        at_least(0, seed=seed)
        self.labels, self.batch_size, self.seed = whose.astype(np.int64), batch_size, seed
        self.epoch, self.position = 0, 0

    @property
    def batches(self) -> int:
        """Batches an epoch: as many rows as the data has, at least one batch."""
        return max(1, len(self.labels) // self.batch_size)

    def epoch_order(self, epoch: int) -> Rows:
        """The batches of an epoch, whatever was drawn before: (batches, batch size) int64.

        Args:
            epoch: 0 or more.
        """
        return self._draw(np.random.default_rng([self.seed, epoch]))

    @abstractmethod
    def _draw(self, draws: np.random.Generator) -> Rows:
        """(batches, batch size) rows."""
        raise NotImplementedError

    def __len__(self) -> int:
        return self.batches * self.batch_size

    def __iter__(self) -> Iterator[int]:
        rows = self.epoch_order(self.epoch).ravel().tolist()
        while self.position < len(rows):
            self.position += 1
            yield rows[self.position - 1]
        self.epoch, self.position = self.epoch + 1, 0

    def state_dict(self) -> dict[str, Any]:
        """Where the sampler is: plain values."""
        return self._state(self.epoch * len(self) + self.position)

    def state_after(self, batches: int) -> dict[str, Any]:
        """Where it is after so many batches since its first, however many more were asked for."""
        return self._state(batches * self.batch_size)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where a sampler of the same data, batch size and seed was.

        Raises:
            ValueError: It was of others.
        """
        mine = self.state_dict()
        for key in ("kind", "seed", "batch_size", "labels"):
            if state.get(key) != mine[key]:
                raise ValueError(f"the state is of a sampler whose {key} is {state.get(key)}, not {mine[key]}")
        self.epoch, self.position = int(state["epoch"]), int(state["position"])

    def _state(self, given: int) -> dict[str, Any]:
        epoch, position = divmod(given, len(self))
        return {
            "epoch": epoch,
            "position": position,
            "kind": type(self).__name__,
            "seed": self.seed,
            "batch_size": self.batch_size,
            "labels": zlib.crc32(self.labels.tobytes()),
        }
