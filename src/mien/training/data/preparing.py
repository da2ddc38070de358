"""What a recipe's data tables say, made into crops to learn from and crops to validate with."""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.decisions.wording import counted
from mien.errors import ConfigError
from mien.evaluation.protocols.tables import read_text
from mien.faces import open_encoder
from mien.training.data.crop_set import (
    CROPS_TABLE,
    CropSet,
    cut_crops,
    join,
    name_apart,
    open_crops,
    problems_of,
    teacher_embeddings,
    written_anew,
)
from mien.training.data.one_at_a_time import one_at_a_time
from mien.training.data.sources import open_source
from mien.training.data.subsampling import subsample
from mien.training.data.views import cut_views
from mien.training.recipe.schema import Data, Recipe, Source


@dataclass(frozen=True, eq=False)
class PreparedData:
    """The data of a run.

    Attributes:
        train: Crops to learn from, with a teacher's embeddings where the recipe has a teacher.
        validation: Crops of other people.
        left_out: Names of people who were in a source and are left out.
        shares: For each source with a share of the batches, that share and the rows of `train` that are its people's.
        without_crop: How many photos gave no crop, by the table that says why: an unreadable one, or no face in it.
    """

    train: CropSet
    validation: CropSet
    left_out: tuple[str, ...]
    shares: tuple[tuple[float, NDArray[np.int64]], ...] = ()
    without_crop: Mapping[Path, int] = field(default_factory=dict)

    @property
    def fingerprints(self) -> dict[str, str]:
        """Of the crops to learn from and of those to validate with: other photos have others."""
        return {"learn from": self.train.fingerprint, "validate with": self.validation.fingerprint}


def prepare_data(recipe: Recipe) -> PreparedData:
    """Cut, or read again, the crops of a recipe's sources.

    Raises:
        ConfigError: A source is missing or empty, or fewer than two people are left.
    """
    unwanted = _names_in(recipe.data.leave_out) if recipe.data.leave_out else frozenset()
    parts, folders = _crops_of(recipe.data.sources, recipe.data, recipe.seed)
    shares = [
        (source.share, frozenset(part.people))
        for source, part in zip(recipe.data.sources, parts, strict=True)
        if source.share is not None
    ]
    everyone = join(parts)
    left_out = tuple(name for name in everyone.people if name in unwanted)
    if unwanted and not left_out:
        raise ConfigError(
            f"None of the {len(unwanted)} people to leave out ({recipe.data.leave_out}) is in the sources.",
            hint=f"Write names as they are called there, such as {everyone.people[0]!r}: with source.name before them.",
        )
    train = everyone.without_people(left_out)
    if recipe.validation.sources:
        theirs, their_folders = _crops_of(recipe.validation.sources, recipe.data, recipe.seed)
        validation, folders = join(theirs), folders + their_folders
        both = frozenset(validation.people)
        left_out += tuple(name for name in train.people if name in both)
        train = train.without_people(both)
    else:
        beside = frozenset[str]().union(*(people for _, people in shares))
        train, validation = _hold_out(train, recipe.validation.held_out, recipe.seed, beside)
    for purpose, part in (("to learn from", train), ("to validate with", validation)):
        if len(part.people) < 2:
            raise ConfigError(
                f"The recipe leaves {counted(len(part.people), 'person', 'people')} {purpose}; two are the least.",
                hint="Name a source with more people, or change validation.held_out.",
            )
    if np.bincount(validation.labels).max() < 2:
        raise ConfigError(
            "Nobody to validate with has two photos, so that no two of one person can be compared.",
            hint="Name a source with more photos of each, or change validation.held_out.",
        )
    if recipe.teacher is not None:
        train = _taught(train, recipe)
    return PreparedData(
        train.shrunk(recipe.data.side),
        validation.shrunk(recipe.data.side),
        left_out,
        tuple((share, _rows_of(people, train)) for share, people in shares),
        {folder / CROPS_TABLE: failed for folder in folders if (failed := len(problems_of(folder)))},
    )


def _rows_of(people: frozenset[str], crops: CropSet) -> NDArray[np.int64]:
    theirs = np.array([name in people for name in crops.people])
    return np.flatnonzero(theirs[crops.labels])


def _hold_out(crops: CropSet, share: float, seed: int, beside: frozenset[str]) -> tuple[CropSet, CropSet]:
    """The crops of most people, and of a drawn share of them; people who only come beside the others aren't drawn."""
    able = [label for label, name in enumerate(crops.people) if name not in beside]
    people = np.random.default_rng([seed, 1]).permutation(able)
    held = np.isin(crops.labels, people[: round(share * len(people))])
    return crops.select(~held), crops.select(held)


def _crops_of(sources: Sequence[Source], data: Data, seed: int) -> tuple[list[CropSet], list[Path]]:
    """The crops of each source, and the folder in which they are kept."""
    found = [_crops_and_folder(source, data, seed) for source in sources]
    return [crops for crops, _ in found], [folder for _, folder in found]


def _crops_and_folder(source: Source, data: Data, seed: int) -> tuple[CropSet, Path]:
    if source.crops is not None:
        folder, crops = source.crops, open_crops(source.crops)
    else:
        photos = open_source(source)
        described = {name: value for name, value in photos.describe().items() if name != "files"}
        folder = data.cache / _key([described, source.aligned])
        with one_at_a_time(data.cache):
            if written_anew(folder, photos):
                shutil.rmtree(folder)
            crops = cut_crops(folder, photos, aligned=source.aligned)
    if source.people is not None or source.photos_per_person is not None:
        rows = subsample(crops.labels, people=source.people, photos_per_person=source.photos_per_person, seed=seed)
        crops = crops.select(rows)
    return (name_apart(crops, source.name) if source.name else crops), folder


def _taught(crops: CropSet, recipe: Recipe) -> CropSet:
    """The crops and the teacher's views of them, with what the teacher says of each."""
    teacher, cache, seed = recipe.teacher, recipe.data.cache, recipe.seed
    assert teacher is not None
    encoder = open_encoder(teacher.encoder, flip=teacher.flip, runtime=teacher.runtime, precision=teacher.precision)
    if encoder.dimensions != recipe.backbone.embedding_size:
        raise ConfigError(
            f"The teacher {teacher.encoder} has embeddings of {encoder.dimensions} numbers, the backbone of "
            f"{recipe.backbone.embedding_size}.",
            hint=f"Say backbone.embedding_size = {encoder.dimensions}.",
        )
    taught = []
    with one_at_a_time(cache):
        shown = {"crops": crops}
        if teacher.views:
            shown["views"] = cut_views(crops, teacher.views, cache, seed)
        for name, one in shown.items():
            keep = cache / f"{encoder.identity[:12]}-{name}-{one.fingerprint}-{seed}.f32"
            taught.append(replace(one, targets=teacher_embeddings(one, encoder, keep)))
    return join(taught)


def _names_in(file: Path) -> frozenset[str]:
    """The names of a text file, one a line; blank lines and those that begin with # don't count."""
    lines = read_text(file, "list of people to leave out").split("\n")
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def _key(description: object) -> str:
    """A folder's name for what a source says of itself."""
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()[:16]
