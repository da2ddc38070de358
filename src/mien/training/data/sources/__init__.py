"""Where training photos and the names of their people come from."""

from mien.training.data.sources.opening import open_source
from mien.training.data.sources.people_folder import PeopleFolder
from mien.training.data.sources.photo_set import LabelledPhoto, PhotoSet
from mien.training.data.sources.photo_table import PhotoTable
from mien.training.data.sources.shards import Shards
from mien.training.data.sources.synthetic_people import SyntheticPeople

__all__ = [
    "LabelledPhoto",
    "PeopleFolder",
    "PhotoSet",
    "PhotoTable",
    "Shards",
    "SyntheticPeople",
    "open_source",
]
