"""Batches of crops, each wholly determined by the recipe's seed and the step's number, so that a run can be resumed."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Queue
from threading import Event, Thread

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mien.training.data.crop_set import CropSet

Augment = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]
"""(N, 3, S, S) uint8 crops and (N, 5, 2) float32 landmarks, changed by draws of a generator."""
EpochOrder = Callable[[int], NDArray[np.int64]]
"""The number of an epoch to (batches, batch size) rows of the crop set."""
AHEAD = 4


@dataclass(frozen=True)
class Batch:
    """One step's crops.

    Attributes:
        rows: (N,) which crops of the set they are.
        pictures: (N, 3, S, S) float32 as networks take them, channels last in memory; or (N, D) embeddings.
        labels: (N,) int64.
    """

    rows: NDArray[np.int64]
    pictures: Tensor
    labels: Tensor


def as_network_input(pictures: Tensor) -> Tensor:
    """Crops of values 0 … 255 as networks take them: (pixel − 127.5) / 128, float32."""
    return pictures.float().sub_(127.5).div_(128)


def augmented(crops: CropSet, rows: NDArray[np.int64], augment: Augment, seeds: Sequence[int]) -> Tensor:
    """Some crops, changed by draws that all of the seeds determine, as networks take them: channels last in memory."""
    pictures = torch.from_numpy(crops.read(rows)).permute(0, 3, 1, 2)
    draws = torch.Generator().manual_seed(int(np.random.SeedSequence(seeds).generate_state(1)[0]))
    pictures, _ = augment(pictures, torch.from_numpy(crops.landmarks[rows]), draws)
    return as_network_input(pictures).contiguous(memory_format=torch.channels_last)


class EmbeddedBatches:
    """Batches of embeddings instead of crops, where the backbone doesn't move: each is computed once, not each epoch.

    Args:
        embeddings: (N, D) float32, the backbone's.
        labels: (N,) int64.
        order: The rows of each epoch's batches.
        share: As for `Batches`.
    """

    def __init__(
        self,
        embeddings: NDArray[np.float32],
        labels: NDArray[np.int64],
        order: EpochOrder,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self.embeddings = torch.from_numpy(embeddings)
        self.labels = torch.from_numpy(labels)
        self.order = order
        self.share = share
        self.steps_per_epoch = len(order(0))

    def between(self, start: int, end: int) -> Iterator[Batch]:
        """The batches of steps `start` … `end` − 1; their `pictures` are embeddings."""
        for step in range(start, end):
            rows = _part(self.order(step // self.steps_per_epoch)[step % self.steps_per_epoch], self.share)
            yield Batch(rows, self.embeddings[rows], self.labels[rows])


class Batches:
    """The batches of a run, read and augmented a few steps ahead by a thread of their own.

    Args:
        crops: Where they come from.
        order: The rows of each epoch's batches.
        augment: What is done to the crops of a batch.
        seed: With the step's number, it seeds the augmentation.
        share: This process's place and the number of processes: each takes its part of every batch.
    """

    def __init__(
        self, crops: CropSet, order: EpochOrder, augment: Augment, seed: int, share: tuple[int, int] = (0, 1)
    ) -> None:
        self.crops = crops
        self.order = order
        self.augment = augment
        self.seed = seed
        self.share = share
        self.steps_per_epoch = len(order(0))

    def between(self, start: int, end: int) -> Iterator[Batch]:
        """The batches of steps `start` … `end` − 1."""
        ready: Queue[Batch | BaseException] = Queue(AHEAD)
        enough = Event()

        def work() -> None:
            try:
                for batch in self._made(start, end):
                    if enough.is_set():
                        return
                    ready.put(batch)
            except BaseException as problem:  # it belongs to whoever waits for the batch
                ready.put(problem)

        reader = Thread(target=work, name="mien-batches")
        reader.start()
        try:
            for _ in range(start, end):
                batch = ready.get()
                if isinstance(batch, BaseException):
                    raise batch
                yield batch
        finally:
            enough.set()
            while reader.is_alive():  # it may be waiting for room
                with suppress(Empty):
                    ready.get(timeout=0.01)
            reader.join()

    def _made(self, start: int, end: int) -> Iterator[Batch]:
        epoch, rows_of = -1, np.zeros((0, 0), np.int64)
        labels = torch.from_numpy(self.crops.labels)
        for step in range(start, end):
            if step // self.steps_per_epoch != epoch:
                epoch = step // self.steps_per_epoch
                rows_of = self.order(epoch)
            rows = _part(rows_of[step % self.steps_per_epoch], self.share)
            pictures = augmented(self.crops, rows, self.augment, (self.seed, step, self.share[0]))
            yield Batch(rows, pictures, labels[rows])


def _part(rows: NDArray[np.int64], share: tuple[int, int]) -> NDArray[np.int64]:
    """One process's rows of a batch."""
    place, processes = share
    return np.array_split(rows, processes)[place]
