"""From a recipe's table to the photos that it names."""

from mien.training.data.sources.people_folder import PeopleFolder
from mien.training.data.sources.photo_set import PhotoSet
from mien.training.data.sources.photo_table import PhotoTable
from mien.training.data.sources.shards import Shards
from mien.training.data.sources.synthetic_people import SyntheticPeople
from mien.training.recipe.schema import Source


def open_source(source: Source) -> PhotoSet:
    """The photos of a source; one whose crops are cut already (`Source.crops`) has none.

    Raises:
        ConfigError: It isn't there, is empty, or is not laid out as its kind should be.
        PhotoError: Its folder can't be read.
    """
    if source.folder is not None:
        return PeopleFolder(source.folder)
    if source.csv is not None:
        return PhotoTable(source.csv)
    if source.shards is not None:
        return Shards(source.shards)
    if source.synthetic is not None:
        people = source.synthetic
        return SyntheticPeople(
            people.people,
            people.photos,
            seed=people.seed,
            first=people.first,
            variation=people.variation,
            nuisances=people.made_nuisances(),
            aligned=source.aligned,
        )
    raise ValueError("a source of crops that are cut already has no photos to open")
