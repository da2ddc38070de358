import os
from pathlib import Path

import pytest

from mien.toml_files import read_toml


def test_what_a_file_says(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('name = "Zoë"', encoding="utf-8")
    assert read_toml(tmp_path / "a.toml") == {"name": "Zoë"}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"name = ", "Invalid value"),
        (b"name = '\xff'", "can't decode"),
        (b"name = " + b"9" * 5000, "it has a number of thousands of digits"),
        (b"name = 0x" + b"f" * 5000, "it has a number of thousands of digits"),
        (b"name = " + b"[" * 5000, "it is nested too deeply"),
        (b"name = " + b"{a=" * 5000, "it is nested too deeply"),
        (b".".join([b"name"] * 5000) + b" = 1", "it is nested too deeply"),
    ],
)
def test_what_is_no_toml_is_one_error(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "a.toml").write_bytes(content)
    with pytest.raises(ValueError, match=why):
        read_toml(tmp_path / "a.toml")
    with pytest.raises(FileNotFoundError):
        read_toml(tmp_path / "b.toml")


def test_a_pipe_is_refused_before_it_can_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.toml")
    for file in (tmp_path / "a.toml", Path("/dev/zero")):
        with pytest.raises(OSError, match="pipe or a device"):
            read_toml(file)
