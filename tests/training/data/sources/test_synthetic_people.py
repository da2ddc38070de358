import numpy as np
import pytest

from mien.faces import align
from mien.synthesis import Nuisances, Population
from mien.training.data.sources import SyntheticPeople


def test_the_photos_are_those_of_the_population() -> None:
    photos = list(SyntheticPeople(2, 3, seed=4, first=5, variation=0.5, nuisances=Nuisances.hard()).photos())
    expected = Population(4).person(6).photo(1, variation=0.5, nuisances=Nuisances.hard(), size=160)
    assert photos[4].source == expected.jpeg
    assert (photos[4].key, photos[4].person) == ("synthetic-4/person-0007/0002.jpg", "synthetic-4/person-0007")


def test_aligned_crops_lie_where_the_landmarks_say() -> None:
    crop = next(SyntheticPeople(1, 1, aligned=True).photos()).source
    photo = Population(0).person(0).photo(0, size=160)
    assert isinstance(crop, np.ndarray)
    assert np.array_equal(crop, align(photo.pixels, np.array(photo.truth["landmarks"])[None])[0])


def test_sets_of_other_people_share_nobody() -> None:
    sets = [SyntheticPeople(3, 1), SyntheticPeople(3, 1, first=3), SyntheticPeople(3, 1, seed=1)]
    assert len({photo.person for one in sets for photo in one.photos()}) == 9
    assert len({one.describe()["sha256"] for one in sets}) == 3


def test_a_run_notes_all_it_takes_to_make_the_photos_again() -> None:
    described = SyntheticPeople(3, 2, seed=9, nuisances=Nuisances(mask=0.5)).describe()
    assert described["seed"] == 9
    assert described["nuisances"]["mask"] == 0.5
    assert len(described["basis"]) == 64


@pytest.mark.parametrize("wrong", [{"people": 0}, {"photos_per_person": 0}, {"seed": -1}, {"first": -1}])
def test_wrong_numbers(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must"):
        SyntheticPeople(**{"people": 1, "photos_per_person": 1, **wrong})  # type: ignore[arg-type]
