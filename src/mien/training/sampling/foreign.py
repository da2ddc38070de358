"""PyTorch-metric-learning's samplers, with a seed and a state."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy

import numpy as np
from numpy.typing import ArrayLike

from mien.errors import ConfigError
from mien.training.losses.interop import open_foreign_sampler
from mien.training.sampling.decks import Rows
from mien.training.sampling.epoch_sampler import EpochSampler


class ForeignSampler(EpochSampler):
    """A sampler of PyTorch-metric-learning, whose draws of an epoch depend on the seed and its number alone.

    Args:
        name: Such as ``"pml:MPerClassSampler"``; one that gives rows, not batches.
        labels: (N,) integers: whose each row is.
        batch_size: Rows a batch.
        seed: 0 or more.
        arguments: The sampler's own.

    Raises:
        ConfigError: There is no such sampler, it can't be made with these arguments, or gives fewer rows than a batch.
        MissingExtraError: PyTorch-metric-learning is not installed.
    """

    def __init__(self, name: str, labels: ArrayLike, batch_size: int, seed: int = 0, **arguments: object) -> None:
        super().__init__(labels, batch_size, seed)
        draws = np.random.default_rng(seed)
        with _drawing_from(draws):
            self.sampler = open_foreign_sampler(name, labels=self.labels, batch_size=batch_size, **arguments)
        self.batches_an_epoch = len(self._draw(draws))
        if not self.batches_an_epoch:
            raise ConfigError(f"The sampler {name} gives less than a batch of {batch_size} an epoch.")

    @property
    def batches(self) -> int:
        """Batches an epoch."""
        return self.batches_an_epoch

    def _draw(self, draws: np.random.Generator) -> Rows:
        with _drawing_from(draws):
            # They shuffle what they keep in place, so that the next epoch would depend on this one.
            rows = np.fromiter(deepcopy(self.sampler), np.int64)
        return rows[: len(rows) // self.batch_size * self.batch_size].reshape(-1, self.batch_size)


@contextmanager
def _drawing_from(draws: np.random.Generator) -> Iterator[None]:
    """Let the library draw from a seed of ours: it draws from a variable of a module."""
    try:
        from pytorch_metric_learning.utils import common_functions
    except ModuleNotFoundError:  # whoever opens something of the library says so
        yield
        return
    before = common_functions.NUMPY_RANDOM
    common_functions.NUMPY_RANDOM = np.random.RandomState(int(draws.integers(2**32)))
    try:
        yield
    finally:
        common_functions.NUMPY_RANDOM = before
