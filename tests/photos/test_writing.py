"""Writing pictures: what is written is what is read."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.errors import ConfigError
from mien.photos import Photo, save_picture, saved_here

PIXELS = np.arange(20 * 30 * 3, dtype=np.uint16).reshape(20, 30, 3).astype(np.uint8)


def test_round_trip_into_a_folder_that_is_made(tmp_path: Path) -> None:
    save_picture(PIXELS, tmp_path / "a" / "b" / "x.png")
    np.testing.assert_array_equal(Photo.open(tmp_path / "a" / "b" / "x.png").pixels, PIXELS)
    save_picture(np.full((40, 40, 3), 77, np.uint8), tmp_path / "x.JPG")
    assert np.abs(Photo.open(tmp_path / "x.JPG").pixels.astype(int) - 77).max() <= 1


@pytest.mark.parametrize("name", ["x.docx", "x", "file/x.png"])
def test_what_cannot_be_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="can't be written"):
        save_picture(PIXELS, tmp_path / name)


@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.webp", "x.tif"])
def test_what_was_written_here_is_known_again(tmp_path: Path, name: str) -> None:
    Image.fromarray(PIXELS).save(tmp_path / name)
    assert not saved_here(tmp_path / name)
    save_picture(PIXELS, tmp_path / name)
    assert saved_here(tmp_path / name)


def test_other_files_were_not_written_here(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("hello", encoding="utf-8")
    assert not saved_here(tmp_path / "text.jpg")
    assert not saved_here(tmp_path)
    os.mkfifo(tmp_path / "pipe.jpg")  # which nobody writes to
    assert not saved_here(tmp_path / "pipe.jpg")
