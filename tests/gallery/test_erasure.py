from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.gallery import erasure
from mien.gallery.erasure import file_holds, pieces


@settings(max_examples=50)
@given(st.binary(max_size=60), st.binary(min_size=8, max_size=20), st.binary(max_size=60), st.integers(1, 40))
def test_finds_it_wherever_it_is(
    tmp_path_factory: pytest.TempPathFactory, before: bytes, needle: bytes, after: bytes, chunk: int
) -> None:
    path = tmp_path_factory.mktemp("erasure") / "file"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(erasure, "_CHUNK", chunk)
        path.write_bytes(before + needle + after)
        assert file_holds(path, [b"something else", needle])
        content = (before + needle[:-1] + after)[:100]
        path.write_bytes(content)
        assert file_holds(path, [needle]) == (needle in content)


def test_limits(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert not file_holds(path, [b"12345678"])  # there is no file
    path.write_bytes(b"")
    assert not file_holds(path, [b"12345678"])
    path.write_bytes(b"12345678")
    assert file_holds(path, [b"12345678"])
    assert not file_holds(path, [])
    assert not file_holds(path, [b"123456789"])


def test_pieces_are_both_ends() -> None:
    embedding = bytes(range(256)) * 2
    assert pieces([embedding]) == [embedding[:64], embedding[-64:]]
