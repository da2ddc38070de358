"""The table of everybody against everybody, as a file."""

from pathlib import Path

import numpy as np
import pytest

from full_disk import no_file_above
from mien.decisions.matching import Matching


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
