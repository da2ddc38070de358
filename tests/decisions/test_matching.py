"""The table of everybody against everybody, as a file."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from full_disk import no_file_above
from mien.decisions.identification import Identification
from mien.decisions.matching import Matching


def test_what_came_of_it_is_counted_in_words() -> None:
    found = (Identification("match", ""),) * 1001 + (Identification("unknown", ""),) * 1000
    matching = Matching(("probe",) * 2001, ("a",), np.zeros((2001, 1), np.float32), found)
    assert matching.sentence() == "2,001 probes against 1 person: 1,001 matched, 1,000 unknown, 0 ambiguous"


def test_names_that_are_no_unicode_are_written_as_escapes(tmp_path: Path) -> None:
    file = tmp_path / "matrix.parquet"
    Matching(("a\udcff",), ("b\udcff",), np.zeros((1, 1), np.float32), ()).save_matrix(file)
    assert pq.read_table(file).to_pylist() == [{"probe": r"a\udcff", r"person: b\udcff": 0.0}]


@pytest.mark.parametrize("name", ["matrix.npy", "matrix.parquet"])
def test_a_full_disk_costs_no_earlier_matrix(tmp_path: Path, name: str) -> None:
    matrix = tmp_path / name
    matching = Matching(("probe",), ("a", "b"), np.zeros((1, 2), np.float32), ())
    matching.save_matrix(matrix)
    before = matrix.read_bytes()
    with no_file_above(len(before) // 2), pytest.raises(OSError, match="too large"):
        matching.save_matrix(matrix)
    assert matrix.read_bytes() == before
    assert list(tmp_path.iterdir()) == [matrix]
