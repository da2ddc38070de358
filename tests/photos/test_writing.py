"""Writing pictures: what is written is what is read."""

from pathlib import Path

import numpy as np
import pytest

from mien.errors import ConfigError
from mien.photos import Photo, save_picture

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
