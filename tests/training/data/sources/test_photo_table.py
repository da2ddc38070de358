from pathlib import Path

import pytest

from mien.errors import ConfigError
from mien.training.data.sources import PhotoTable


def made(folder: Path, text: str) -> Path:
    file = folder / "photos.csv"
    file.write_bytes(text.encode("utf-8"))
    return file


def test_rows_in_their_order(tmp_path: Path) -> None:
    text = '\ufeffage,Person, path\n30,Zoë,b/1.jpg\n\n31,"Ruiz, Ana",a 1.jpg\n32,Zoë,/far/away.jpg\n'
    photos = list(PhotoTable(made(tmp_path, text)).photos())
    assert [(photo.key, photo.person) for photo in photos] == [
        ("b/1.jpg", "Zoë"),
        ("a 1.jpg", "Ruiz, Ana"),
        ("/far/away.jpg", "Zoë"),
    ]
    assert [photo.source for photo in photos] == [tmp_path / "b/1.jpg", tmp_path / "a 1.jpg", Path("/far/away.jpg")]


def test_paths_may_start_elsewhere(tmp_path: Path) -> None:
    photo = next(PhotoTable(made(tmp_path, "path,person\n1.jpg,Ana\n"), tmp_path / "photos").photos())
    assert photo.source == tmp_path / "photos/1.jpg"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("path,name\n1.jpg,Ana\n", "should name the columns path, person"),
        ("path,person\n", "has no rows"),
        ("path,person\n1.jpg\n", "Line 2 .* should have 2 values"),
        ("path,person\n1.jpg,Ana\n2.jpg,\n", "Line 3 .* names no person"),
        ("path,person\n,Ana\n", "Line 2 .* names no path"),
        ("path,person\n1.jpg,Ana\n2.jpg,Ana\n1.jpg,Bo\n", "Line 4 .* lists 1.jpg, as line 2 does"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=sentence):
        PhotoTable(made(tmp_path, text))


def test_a_missing_table(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        PhotoTable(tmp_path / "nowhere.csv")
