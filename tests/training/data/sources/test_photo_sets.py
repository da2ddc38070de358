"""What every set of photos must do, whatever it is kept in."""

import io
import json
import tarfile
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.photos import Photo
from mien.training.data.crop_set import cut_crops
from mien.training.data.sources import PhotoSet, open_source
from mien.training.recipe.schema import Source

KINDS = ("folder", "csv", "shards", "synthetic", "aligned")


def source(**table: Any) -> Source:
    return Source.model_validate(table)


@pytest.fixture(scope="module")
def sources(people: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Source]:
    """The same photos in every kind of source; other ones in the synthetic ones."""
    place = tmp_path_factory.mktemp("sources")
    photos = sorted(people.glob("*/*.jpg"))
    rows = "".join(f"{photo.relative_to(people)},{photo.parent.name}\n" for photo in photos)
    (people / "list.csv").write_text(f"path,person\n{rows}", encoding="utf-8")
    for number in range(2):
        with tarfile.open(place / f"{number}.tar", "w") as shard:
            for photo in photos[number * 10 : number * 10 + 10]:
                for extension, data in (("jpg", photo.read_bytes()), ("cls", photo.parent.name.encode())):
                    member = tarfile.TarInfo(f"{photo.parent.name}-{photo.stem}.{extension}")
                    member.size = len(data)
                    shard.addfile(member, io.BytesIO(data))
    return {
        "folder": source(folder=people),
        "csv": source(csv=people / "list.csv"),
        "shards": source(shards=place),
        "synthetic": source(synthetic={"people": 6, "photos": 3, "seed": 1}),
        "aligned": source(synthetic={"people": 6, "photos": 3, "seed": 1}, aligned=True),
    }


@pytest.fixture
def photos(sources: dict[str, Source], kind: str) -> PhotoSet:
    return open_source(sources[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_each_photo_has_a_key_a_person_and_a_picture(photos: PhotoSet) -> None:
    listed = list(photos.photos())
    assert len(listed) == len(photos) == 18
    assert len({photo.key for photo in listed}) == 18
    assert len({photo.person for photo in listed}) == 6
    assert min(Photo.open(listed[4].source).pixels.shape[:2]) >= 112


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_is_the_same_each_time_and_from_any_start(photos: PhotoSet) -> None:
    keys = [photo.key for photo in photos.photos()]
    assert [photo.key for photo in photos.photos()] == keys
    for start in (0, 1, 9, 10, 11, 17, 18, 30):
        assert [photo.key for photo in photos.photos(start)] == keys[start:]
    before = list(photos.photos())[12]
    after = next(photos.photos(12))
    assert after[:2] == before[:2]
    assert np.array_equal(Photo.open(after.source).pixels, Photo.open(before.source).pixels)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_run_notes(photos: PhotoSet, sources: dict[str, Source], kind: str) -> None:
    described = json.loads(json.dumps(photos.describe()))
    assert described["kind"] == ("synthetic" if kind == "aligned" else kind)
    assert (described["people"], described["photos"]) == (6, 18)
    assert len(described["sha256"]) == 64
    assert open_source(sources[kind]).describe() == photos.describe()


@pytest.mark.parametrize("kind", KINDS)
def test_reading_can_be_given_up(photos: PhotoSet) -> None:
    reading = photos.photos()
    assert len(list(islice(reading, 2))) == 2
    reading.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["folder", "shards", "aligned"])
def test_crops_are_cut_from_it(photos: PhotoSet, kind: str, tmp_path: Path) -> None:
    crops = cut_crops(tmp_path, photos, aligned=kind == "aligned")
    assert len(crops) == 18
    assert len(crops.people) == 6
    assert np.bincount(crops.labels).tolist() == [3] * 6


def test_crops_that_are_cut_already_have_no_photos(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cut already"):
        open_source(source(crops=tmp_path))
