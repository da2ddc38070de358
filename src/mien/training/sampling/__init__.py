"""Which photos make up each batch, drawn by a seed and resumed bit for bit.

Each is a `torch.utils.data.Sampler`, for a `DataLoader` of its batch size, and each epoch's batches depend on the seed
and the epoch's number alone.
"""

from mien.training.sampling.balanced import Balanced, SquareRoot
from mien.training.sampling.class_aware import ClassAware
from mien.training.sampling.epoch_sampler import EpochSampler
from mien.training.sampling.people_and_photos import PeopleAndPhotos
from mien.training.sampling.registry import SAMPLERS, check_sampler, open_sampler
from mien.training.sampling.shuffled import Shuffled
from mien.training.sampling.triplet_sampler import TripletSampler

__all__ = [
    "SAMPLERS",
    "Balanced",
    "ClassAware",
    "EpochSampler",
    "PeopleAndPhotos",
    "Shuffled",
    "SquareRoot",
    "TripletSampler",
    "check_sampler",
    "open_sampler",
]
