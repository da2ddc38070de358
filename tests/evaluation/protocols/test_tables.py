import csv
from pathlib import Path

import pytest

from mien.errors import InputError
from mien.evaluation.protocols.course import _listed
from mien.evaluation.protocols.photo_pairs import _lines
from mien.evaluation.protocols.scores import _column
from mien.evaluation.protocols.tables import read_table

ODD = ["a\u2028b.jpg", "a\u2029b.jpg", "a\x85b.jpg", "a\x1cb.jpg", "a\x0cb.jpg"]
"""Names with what `str.splitlines` takes for the end of a line, and no file does."""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_table_is_read_as_it_was_written(tmp_path: Path, end: str) -> None:
    with (tmp_path / "a.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator=end).writerows([("photo", "person"), *((name, "p") for name in ODD)])
    table = read_table(tmp_path / "a.csv", ("photo", "person"))
    assert [row["photo"] for row in table.values()] == ODD
    assert list(table) == [2, 3, 4, 5, 6]
    with (tmp_path / "a.csv").open("a", encoding="utf-8", newline="") as file:
        file.write(f"too few{end}")
    with pytest.raises(InputError, match=r"^Line 7 of"):
        read_table(tmp_path / "a.csv", ("photo", "person"))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lists_end_their_lines_at_newlines_only(tmp_path: Path, end: str) -> None:
    file = tmp_path / "list.txt"
    for name in ODD:
        (tmp_path / name).touch()
    file.write_bytes("".join(name + end for name in ODD).encode())
    assert list(_listed(file)) == ODD
    assert [number for number, _ in _lines(file)] == [1, 2, 3, 4, 5]
    file.write_bytes(f"# by a\u2028b{end}0.5{end}bad{end}".encode())
    with pytest.raises(InputError, match=r"^Line 3 of"):
        _column(file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('score,mated\n"0.5,1\n' + "0.3,0\n" * 30_000, r"^Line \d+ of .* can't be read: .*never closed"),
        (f"score,mated\n0.5,{'1' * 140_000}\n", r"^Line 2 of .* can't be read"),
        ("score,mated\n0.5,1\n,\n\n,1\n", r"^Line 5 of .* names no score\.$"),
    ],
    ids=["never closed", "endless", "empty"],
)
def test_a_table_that_lacks_an_end_or_a_value_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_table(tmp_path / "a.csv", ("score", "mated"))
