from pathlib import Path

from mien.training.data.preparing import _names_in


def test_names_to_leave_out_end_at_newlines_only(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_bytes("# some\r\nAda\u2028Bo\r\n\nCy\x85Di\n".encode())
    assert _names_in(tmp_path / "names.txt") == {"Ada\u2028Bo", "Cy\x85Di"}
