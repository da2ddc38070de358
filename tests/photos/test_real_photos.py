"""The same on photos that people and cameras made."""

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from data import photos
from mien.photos import Photo, find_people, find_photos

pytestmark = pytest.mark.photos


@pytest.mark.parametrize("name", ["Landscape", "Portrait"])
def test_nine_orientations_of_one_picture(name: str) -> None:
    """All nine are upright. They can't be equal to the bit: each is encoded anew, and shows its own number."""
    nine = [Photo.open(photos("exif") / f"{name}_{n}.jpg").pixels.astype(int) for n in range(9)]
    first = nine[0]
    assert first.shape == ((1200, 1800, 3) if name == "Landscape" else (1800, 1200, 3))
    for other in nine[1:]:
        difference = np.abs(other - first)
        assert np.median(difference) <= 4
        assert np.mean(difference > 20) < 0.02  # the number, and the words at the four edges
        for wrong in (first[::-1], first[:, ::-1], first[::-1, ::-1]):  # else the test would say nothing
            assert np.median(np.abs(other - wrong)) > 20


@pytest.mark.parametrize(
    ("name", "kind", "count"),
    [
        ("yale", "GIF", 164),
        ("att", "PPM", 400),
        ("scenes", "JPEG", 130),
        ("portraits", "JPEG", 14),
        ("utkface", "JPEG", 2000),
        ("yale_b", "PPM", 2414),
    ],
)
def test_every_photo_of_a_set_opens(name: str, kind: str, count: int) -> None:
    found = [Photo.open(path) for path in find_photos(photos(name))]
    assert Counter(photo.format for photo in found) == {kind: count}
    assert all(photo.notes == () and photo.pixels.ndim == 3 for photo in found)


def test_grey_sets_are_what_their_bytes_say() -> None:
    for path in find_photos(photos("att"))[:50]:
        grey = np.frombuffer(path.read_bytes()[-92 * 112 :], np.uint8).reshape(112, 92)
        assert np.array_equal(Photo.open(path).pixels, np.dstack([grey] * 3))


def test_oddities() -> None:
    found = {path.name: Photo.open(path) for path in find_photos(photos("oddities"))}
    assert Counter(photo.format for photo in found.values()) == {"JPEG": 6, "PNG": 1}
    for name, photo in found.items():
        assert np.array_equal(photo.pixels, _by_pillow(photos("oddities") / name)), name


def test_people_of_a_set() -> None:
    people = find_people(photos("att"))
    assert list(people) == [f"s{n}" for n in range(1, 41)]
    assert [path.name for path in people["s1"]] == [f"{n}.pgm" for n in range(1, 11)]


def _by_pillow(path: object) -> NDArray[np.uint8]:
    with Image.open(str(path)) as image:
        if image.mode == "RGBA":
            white = Image.new("RGBA", image.size, "white")
            return np.asarray(Image.alpha_composite(white, image).convert("RGB"))
        return np.asarray(image.convert("RGB"))
