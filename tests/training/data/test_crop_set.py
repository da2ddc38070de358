import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.errors import ConfigError
from mien.faces import TEMPLATES, Detector, choose, open_encoder
from mien.photos import Photo
from mien.synthesis import Population
from mien.training.data import crop_set
from mien.training.data.crop_set import (
    CropSet,
    cut_crops,
    join,
    name_apart,
    open_crops,
    problems_of,
    teacher_embeddings,
)
from mien.training.data.sources import LabelledPhoto, PeopleFolder

Photos = list[LabelledPhoto]


class Listed:
    """A set of photos that is told what it has, and may be interrupted."""

    def __init__(self, photos: Photos, name: str = "", until: int | None = None) -> None:
        self.listed = photos
        self.name = name
        self.until = until
        self.asked: list[int] = []

    def __len__(self) -> int:
        return len(self.listed)

    def photos(self, start: int = 0) -> Iterator[LabelledPhoto]:
        for number in range(start, len(self.listed)):
            if number == self.until:
                raise KeyboardInterrupt
            self.asked.append(number)
            yield self.listed[number]

    def describe(self) -> dict[str, object]:
        return {"name": self.name}


@pytest.fixture(scope="module")
def photos() -> Photos:
    return [
        LabelledPhoto(f"{person.id}/{number}", person.id, person.photo(number).pixels)
        for person in (Population(5).person(n) for n in range(3))
        for number in range(2)
    ]


@pytest.fixture(scope="module")
def crops(photos: Photos, tmp_path_factory: pytest.TempPathFactory) -> CropSet:
    return cut_crops(tmp_path_factory.mktemp("crops"), Listed(photos))


def made(count: int = 6, side: int = 8, people: tuple[str, ...] = ("a", "b", "c")) -> CropSet:
    pixels = np.arange(count * side * side * 3).reshape(count, side, side, 3).astype(np.uint8)
    return CropSet(
        stores=(pixels,),
        places=np.stack([np.zeros(count, np.int64), np.arange(count)], axis=1),
        labels=np.arange(count) % len(people),
        people=people,
        photos=tuple(f"photo {n}" for n in range(count)),
        landmarks=np.zeros((count, 5, 2), np.float32) + np.arange(count, dtype=np.float32)[:, None, None],
    )


def test_crops_are_the_aligned_faces_of_the_photos(photos: Photos, crops: CropSet) -> None:
    assert len(crops) == len(photos)
    detector = Detector.open()
    for row, photo in enumerate(photos):
        face = choose(detector.detect(Photo.open(photo.source)), "central")
        np.testing.assert_array_equal(crops.read(np.array([row]))[0], face.crops()[0])


def test_landmarks_lie_near_the_template(crops: CropSet) -> None:
    _, template = TEMPLATES["arcface-112"]
    assert np.abs(crops.landmarks - template).max() < 12
    assert np.abs(crops.landmarks.mean(axis=0) - template).max() < 6


def test_people_and_photos_are_in_the_order_given(photos: Photos, crops: CropSet) -> None:
    assert crops.photos == tuple(photo.key for photo in photos)
    assert [crops.people[label] for label in crops.labels] == [photo.person for photo in photos]


def test_what_was_cut_is_not_cut_again_and_an_interruption_loses_nothing(
    photos: Photos, crops: CropSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crop_set, "CHUNK", 2)

    with pytest.raises(KeyboardInterrupt):
        cut_crops(tmp_path, Listed(photos, until=3))
    assert len(open_crops(tmp_path)) == 2
    with (tmp_path / "crops.u8").open("ab") as file:  # as if it had died within a crop
        file.write(b"half")
    with (tmp_path / "crops.csv").open("a") as file:
        file.write("photo,per")
    resumed = Listed(photos)
    again = cut_crops(tmp_path, resumed)
    assert resumed.asked == [2, 3, 4, 5]
    np.testing.assert_array_equal(again.read(np.arange(6)), crops.read(np.arange(6)))
    assert again.photos == crops.photos


@pytest.mark.parametrize("lost", [1, 2, 4])
def test_a_row_that_lost_its_end_is_written_again(
    photos: Photos, crops: CropSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    monkeypatch.setattr(crop_set, "CHUNK", 2)
    with pytest.raises(KeyboardInterrupt):
        cut_crops(tmp_path, Listed(photos, until=3))
    table = tmp_path / "crops.csv"
    table.write_bytes(table.read_bytes()[:-lost])
    resumed = Listed(photos)
    again = cut_crops(tmp_path, resumed)
    assert resumed.asked == [1, 2, 3, 4, 5]
    assert again.photos == crops.photos
    np.testing.assert_array_equal(again.read(np.arange(6)), crops.read(np.arange(6)))
    np.testing.assert_array_equal(again.landmarks, crops.landmarks)


def test_a_photo_without_a_face_is_counted_and_stops_nothing(photos: Photos, tmp_path: Path) -> None:
    blank = LabelledPhoto("blank", "nobody", np.full((80, 80, 3), 127, np.uint8))
    cut = cut_crops(tmp_path, Listed([photos[0], blank, photos[1]]))
    assert (len(cut), cut.people) == (2, ("person-0001",))
    assert list(problems_of(tmp_path)) == ["blank"]
    assert len(cut_crops(tmp_path, Listed([photos[0], blank, photos[1], photos[2]]))) == 3


def test_a_folder_of_other_crops_is_refused(photos: Photos, tmp_path: Path) -> None:
    cut_crops(tmp_path, Listed(photos[:1], "one"))
    with pytest.raises(ConfigError, match="something else"):
        cut_crops(tmp_path, Listed(photos[:1], "other"))


def test_photos_that_were_written_anew_are_not_taken_for_the_old_ones(photos: Photos, tmp_path: Path) -> None:
    for number in range(2):
        pixels = np.asarray(photos[number].source)
        (tmp_path / f"people/p{number}").mkdir(parents=True)
        cv2.imwrite(str(tmp_path / f"people/p{number}/0.png"), pixels)
    folder = tmp_path / "crops"
    cut_crops(folder, PeopleFolder(tmp_path / "people"))
    cut_crops(folder, PeopleFolder(tmp_path / "people"))
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    os.utime(tmp_path / "people/p0/0.png", ns=(1, 1))
    with pytest.raises(ConfigError, match="written anew"):
        cut_crops(folder, PeopleFolder(tmp_path / "people"))
    del about["source"]["files"]  # as older versions wrote it
    (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")
    assert len(cut_crops(folder, PeopleFolder(tmp_path / "people"))) == 2


def test_photos_without_any_face_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No photo"):
        cut_crops(tmp_path, Listed([LabelledPhoto("blank", "nobody", np.zeros((64, 64, 3), np.uint8))]))


def test_aligned_crops_are_taken_as_they_are(crops: CropSet, tmp_path: Path) -> None:
    ready = LabelledPhoto("a", "a", crops.read(np.array([0]))[0])
    np.testing.assert_array_equal(
        cut_crops(tmp_path, Listed([ready]), aligned=True).read(np.array([0])), [ready.source]
    )


def test_a_selection_keeps_crops_people_and_landmarks_together() -> None:
    crops = made()
    some = crops.select(np.array([5, 2, 1]))
    assert (some.people, some.labels.tolist(), some.photos) == (
        ("b", "c"),
        [1, 1, 0],
        ("photo 5", "photo 2", "photo 1"),
    )
    np.testing.assert_array_equal(some.read(np.arange(3)), crops.read(np.array([5, 2, 1])))
    assert some.landmarks[:, 0, 0].tolist() == [5, 2, 1]
    assert crops.without_people(["b", "unheard of"]).people == ("a", "c")
    assert crops.without_people(name for name in ("c", "b")).people == ("a",)


def test_joined_sets_read_from_both_and_share_people_of_one_name() -> None:
    one, two = made(), made(4, people=("c", "d"))
    both = join([one, two])
    assert both.people == ("a", "b", "c", "d")
    assert both.labels.tolist() == [0, 1, 2, 0, 1, 2, 2, 3, 2, 3]
    np.testing.assert_array_equal(both.read(np.array([7, 0])), [two.read(np.array([1]))[0], one.read(np.array([0]))[0]])
    apart = join([one, name_apart(two, "other")])
    assert apart.people == ("a", "b", "c", "other/c", "other/d")
    with pytest.raises(ValueError, match="different sizes"):
        join([one, made(side=4)])
    with pytest.raises(ValueError, match="nothing"):
        join([])


def test_targets_go_with_their_crops_and_are_dropped_where_one_set_has_none() -> None:
    taught = replace(made(), targets=np.eye(6, dtype=np.float32))
    assert taught.select(np.array([4, 0])).targets is not None
    np.testing.assert_array_equal(taught.select(np.array([4, 0])).targets, np.eye(6)[[4, 0]])
    assert join([taught, made()]).targets is None


def test_shrunk_crops_keep_their_landmarks_in_place() -> None:
    small = made(side=8).shrunk(4)
    assert small.read(np.arange(6)).shape == (6, 4, 4, 3)
    # the middle of the crop stays the middle: (3.5, 3.5) of 8 pixels is (1.5, 1.5) of 4
    assert (np.array([3.5]) + 0.5) * 0.5 - 0.5 == pytest.approx(1.5)
    np.testing.assert_allclose(small.landmarks, (made().landmarks + 0.5) / 2 - 0.5)


def test_the_hash_depends_on_people_and_photos() -> None:
    crops = made()
    assert crops.sha256 == made().sha256
    assert len({crops.sha256, crops.select(np.arange(5)).sha256, name_apart(crops, "x").sha256}) == 3


def test_a_teacher_is_asked_once(crops: CropSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crop_set, "CHUNK", 4)
    encoder = open_encoder("sface", flip=True)
    keep = tmp_path / "teacher.f32"
    expected = encoder.embed_crops(crops.read(np.arange(6)))  # type: ignore[attr-defined]
    np.testing.assert_allclose(teacher_embeddings(crops, encoder, keep), expected, atol=1e-5)
    keep.write_bytes(keep.read_bytes()[: 128 * 4 * 4 + 100])  # interrupted within the fifth
    np.testing.assert_allclose(teacher_embeddings(crops, encoder, keep), expected, atol=1e-5)
    keep.write_bytes(np.zeros((6, 128), np.float32).tobytes())
    assert not teacher_embeddings(crops, encoder, keep).any()
