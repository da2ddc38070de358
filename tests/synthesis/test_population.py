import subprocess
import sys

import numpy as np
import pytest

from mien.faces import Detector, NetworkEncoder, open_encoder
from mien.photos import Photo
from mien.synthesis import Nuisances, Population


def test_the_same_seed_gives_the_same_photo_in_another_process() -> None:
    script = (
        "import hashlib, mien.synthesis as s;print(hashlib.sha256(s.Population(3).person(7).photo(2).jpeg).hexdigest())"
    )
    there = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    here = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    assert there == here
    assert len(here) == 64


def test_a_person_does_not_depend_on_who_was_drawn_before() -> None:
    alone = Population(1).person(5).photo(1)
    crowd = Population(1)
    for i in range(5):
        crowd.person(i).photo(0)
    assert crowd.person(5).photo(1).jpeg == alone.jpeg


def test_people_photos_and_seeds_all_differ() -> None:
    photos = [Population(s).person(i).photo(j).jpeg for s in (0, 1) for i in (0, 1) for j in (0, 1)]
    assert len(set(photos)) == 8


def test_pixels_are_those_of_the_file() -> None:
    photo = Population().person(0).photo(0, size=128)
    assert photo.pixels.shape == (128, 128, 3)
    assert photo.pixels.dtype == np.uint8
    assert np.array_equal(Photo.open(photo.jpeg).pixels, photo.pixels)


def test_without_variation_and_nuisances_only_clothes_and_background_change() -> None:
    person = Population().person(4)
    first, second = (person.photo(j, variation=0, nuisances=Nuisances.none()) for j in (0, 1))
    assert first.truth["landmarks"] == second.truth["landmarks"]
    face = (slice(100, 170), slice(95, 160))
    assert np.abs(first.pixels[face].astype(int) - second.pixels[face]).mean() < 1
    assert np.abs(first.pixels[:40, :40].astype(int) - second.pixels[:40, :40]).mean() > 3


@pytest.mark.parametrize("bad", [{"size": 47}, {"size": 2049}, {"variation": -0.1}, {"variation": 2.1}])
def test_limits_of_a_photo(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        Population().person(0).photo(0, **bad)  # type: ignore[arg-type]


def test_negative_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="seed"):
        Population(-1)
    with pytest.raises(ValueError, match="person"):
        Population().person(-1)
    with pytest.raises(ValueError, match="photo"):
        Population().person(0).photo(-1)


@pytest.mark.parametrize("size", [48, 333, 1024])
def test_any_size_shows_the_same_face_in_the_same_place(size: int) -> None:
    small = Population().person(0).photo(0)
    other = Population().person(0).photo(0, size=size)
    assert other.pixels.shape == (size, size, 3)
    expected = (np.array(small.truth["landmarks"]) + 0.5) * size / 256 - 0.5
    assert np.abs(np.array(other.truth["landmarks"]) - expected).max() < 0.05


def test_names_are_distinct_and_ids_count_from_one() -> None:
    people = [Population(2).person(i) for i in range(150)]
    assert len({p.name for p in people}) == 150
    assert people[0].id == "person-0001"
    assert people[0].name != Population(3).person(0).name


def test_landmarks_agree_with_a_detector_as_well_as_it_does_with_itself() -> None:
    """YuNet's landmarks differ by about 8 % of the eyes' distance between a photo and its mirror image, real or not."""
    detector = Detector.open()
    errors, disagreements = [], []
    for i in range(40):
        photo = Population(11).person(i).photo(i % 4)
        found = detector.detect(photo.pixels)
        assert len(found) == 1, f"person {i}: {len(found)} faces"
        mirrored = detector.detect(np.ascontiguousarray(photo.pixels[:, ::-1])).largest().landmarks[0]
        other = (mirrored * [-1, 1] + [photo.pixels.shape[1] - 1, 0])[[1, 0, 2, 4, 3]]
        true = np.array(photo.truth["landmarks"])
        eyes = np.linalg.norm(true[0] - true[1])
        errors.append(((found.landmarks[0] + other) / 2 - true) / eyes)
        disagreements.append((found.landmarks[0] - other) / eyes)
    median = np.median(np.linalg.norm(errors, axis=2))
    assert median < 0.06
    assert median < np.median(np.linalg.norm(disagreements, axis=2))
    assert np.percentile(np.linalg.norm(errors, axis=2), 95) < 0.15
    assert np.abs(np.mean(errors, axis=0)).max() < 0.06  # none is off to one side


@pytest.mark.slow
def test_a_recogniser_tells_the_people_apart() -> None:
    detector, encoder = Detector.open(), open_encoder("sface", flip=False)
    assert isinstance(encoder, NetworkEncoder)
    crops = [
        detector.detect(Population(5).person(i).photo(j).pixels).largest().crops()[0]
        for i in range(60)
        for j in range(3)
    ]
    embeddings = encoder.embed_crops(np.array(crops))
    similarity = embeddings @ embeddings.T
    person = np.arange(len(crops)) // 3
    same = person[:, None] == person
    upper = np.triu(np.ones_like(same), 1)
    mated, non_mated = similarity[same & upper], similarity[~same & upper]
    auc = (mated[:, None] > non_mated).mean()
    assert auc > 0.98
    assert mated.mean() - non_mated.mean() > 0.3
