from pathlib import Path

import pytest

from mien.errors import ConfigError, PhotoError
from mien.training.data.sources import PeopleFolder


def made(folder: Path, *photos: str) -> Path:
    for photo in photos:
        (folder / photo).parent.mkdir(parents=True, exist_ok=True)
        (folder / photo).touch()
    return folder


def listed(folder: Path) -> list[tuple[str, str]]:
    return [(photo.key, photo.person) for photo in PeopleFolder(folder).photos()]


@pytest.mark.parametrize(
    ("photos", "people"),
    [
        (["Ana_Ruiz/Ana_Ruiz_0001.jpg", "Ana_Ruiz/Ana_Ruiz_0002.jpg", "Bo/Bo_0001.jpg"], ["Ana_Ruiz"] * 2 + ["Bo"]),
        (["n000002/0001_01.jpg", "n000002/0002_01.jpg", "n000010/0001_02.jpg"], ["n000002"] * 2 + ["n000010"]),
        (["2/frontal/01.png", "2/profile/01.png", "10/frontal/01.png"], ["2", "2", "10"]),
        (["train/1.jpg", "Ana/1.jpg"], ["Ana", "train"]),
    ],
    ids=["lfw", "vggface2", "deeper", "a person called train"],
)  # fmt: skip
def test_layouts(photos: list[str], people: list[str], tmp_path: Path) -> None:
    made(tmp_path, *photos, "readme.txt", "stray.jpg", "Ana_Ruiz/notes.txt")
    assert dict(listed(tmp_path)) == {photo: photo.split("/")[0] for photo in photos}
    assert [person for _, person in listed(tmp_path)] == people


def test_the_hash_is_of_the_list(tmp_path: Path) -> None:
    one, other = made(tmp_path / "one", "a/1.jpg", "b/1.jpg"), made(tmp_path / "other", "a/1.jpg", "b/1.jpg")
    assert PeopleFolder(one).describe()["sha256"] == PeopleFolder(other).describe()["sha256"]
    made(other, "b/2.jpg")
    assert PeopleFolder(one).describe()["sha256"] != PeopleFolder(other).describe()["sha256"]


@pytest.mark.parametrize(
    ("photos", "sentence"),
    [
        (["1.jpg", "2.jpg"], "no photos in sub-folders"),
        (["Ana/notes.txt"], "no photos in sub-folders"),
        (["train/n000002/1.jpg", "test/n000001/1.jpg"], "holds the parts test, train of a set"),
    ],
)
def test_what_holds_no_people_is_refused(photos: list[str], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=sentence):
        PeopleFolder(made(tmp_path, *photos))


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="does not exist"):
        PeopleFolder(tmp_path / "nowhere")
