"""Files made by pickle itself are read; everything else in a pickle is refused, and never run."""

import os
import pickle
import pickletools
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import ConfigError
from mien.evaluation.protocols.photo_pickle import _STEPS, read_photo_pickle

PHOTOS = [b"\xff\xd8\n'\\x00\x1a" + bytes(range(256)) * size for size in (1, 2, 300, 1)]
LABELS = [True, False]


def written(folder: Path, content: bytes) -> Path:
    path = folder / "photos.bin"
    path.write_bytes(content)
    return path


def refused(folder: Path, content: bytes) -> str:
    with pytest.raises(ConfigError) as error:
        read_photo_pickle(written(folder, content))
    return str(error.value)


def as_arrays(photos: list[bytes]) -> list[Any]:
    return [np.frombuffer(photo, np.uint8) for photo in photos]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "content",
    [
        (PHOTOS, LABELS),
        [PHOTOS, [1, 0]],
        (as_arrays(PHOTOS), [np.bool_(True), np.bool_(False)]),
        ([array.copy()[:, None] for array in as_arrays(PHOTOS)], LABELS),
        (PHOTOS[:1] * 4, LABELS),  # the same object again is taken from the memo
    ],
)
def test_every_protocol_of_pickle(tmp_path: Path, protocol: int, content: Any) -> None:
    photos, labels = read_photo_pickle(written(tmp_path, pickle.dumps(content, protocol)))
    assert photos == [bytes(np.asarray(photo)) if isinstance(photo, np.ndarray) else photo for photo in content[0]]
    assert labels == LABELS


def test_what_python_2_wrote(tmp_path: Path) -> None:
    def short(data: bytes) -> bytes:
        return b"U" + bytes([len(data)]) + data

    photos = [b"\xff\xd8one", b"\xff\xd8two"]
    binary = b"\x80\x02]q\x00(" + b"".join(map(short, photos)) + b"e]q\x01\x88a\x86q\x02."
    assert read_photo_pickle(written(tmp_path, binary)) == (photos, [True])
    long = b"T" + struct.pack("<i", 5) + photos[0]
    assert read_photo_pickle(written(tmp_path, binary.replace(short(photos[0]), long))) == (photos, [True])
    text = b"((lp0\nS'\\xff\\xd8one'\np1\naS'\\xff\\xd8two'\np2\na(lp3\nI01\natp4\n."
    assert read_photo_pickle(written(tmp_path, text)) == (photos, [True])
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I5\ntcnumpy\ndtype\n(S'u1'\nI0\nI1\n"
        b"tR(I3\nS'|'\nNNNI-1\nI-1\nI0\ntbI00\nS'\\xff\\xd8one'\ntb"
    )
    with_array = text.replace(b"S'\\xff\\xd8one'\n", array)
    assert read_photo_pickle(written(tmp_path, with_array)) == (photos, [True])


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=6), st.integers(0, 5))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, photos: list[bytes], protocol: int) -> None:
    both = photos + photos
    path = written(tmp_path_factory.mktemp("any"), pickle.dumps((both, [True] * len(photos)), protocol))
    assert read_photo_pickle(path) == (both, [True] * len(photos))


class Runs:
    """What an attacker would put into a pickle."""

    def __init__(self, function: Any, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", range(6))
def test_a_malicious_pickle_is_refused_and_not_run(tmp_path: Path, protocol: int) -> None:
    trace = tmp_path / "was-run"
    evil = Runs(os.system, f"touch '{trace}'")
    for content in (evil, ([evil, b"x"], [True]), (PHOTOS, [evil, True]), Runs(eval, "1")):
        data = pickle.dumps(content, protocol)
        assert "Nothing in it was run" in refused(tmp_path, data)
        assert "system" in refused(tmp_path, data) or "eval" in refused(tmp_path, data)
    assert not trace.exists()
    pickle.loads(pickle.dumps(evil, protocol))  # noqa: S301  (unpickling runs it)
    assert trace.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02ccodecs\nencode\n.",  # a name that is only like an allowed one
        b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00rot\x86R.",
        b"\x80\x02c_codecs\nencode\nK\x01\x85R.",
        b"\x80\x02cnumpy\ndtype\nX\x01\x00\x00\x00O\x85R.",
        b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02ls\x85R.",
        b"\x80\x02}.",
        b"\x80\x02]K\x01b.",
        b"\x80\x02(.",
        b"\x80\x02R.",
        b"\x80\x02h\x07.",
        b"\x80\x02K\x01K\x01a.",
        b"\x80\x02\x85.",
        b"Pid\n.",
        b"\x82\x01.",
        b"\x80\x05\x97.",
    ],
)
def test_other_instructions_are_refused(tmp_path: Path, content: bytes) -> None:
    assert "photos.bin is not a file of photo pairs" in refused(tmp_path, content)


def test_an_array_that_lies_about_its_size(tmp_path: Path) -> None:
    data = pickle.dumps((as_arrays([b"12345"] * 2), [True]), 2)
    assert b"K\x05\x85" in data
    assert "not as many as it says" in refused(tmp_path, data.replace(b"K\x05\x85", b"K\x06\x85"))
    assert "instead of bytes" in refused(tmp_path, pickle.dumps(([np.arange(3.0)] * 2, [True])))


@pytest.mark.parametrize("protocol", range(6))
def test_truncated_files(tmp_path: Path, protocol: int) -> None:
    data = pickle.dumps((PHOTOS, LABELS), protocol)
    for end in [*range(40), len(data) // 3, len(data) // 2, *range(len(data) - 20, len(data))]:
        refused(tmp_path, data[:end])


@pytest.mark.parametrize(
    "declared",
    [
        b"B" + struct.pack("<I", 2**32 - 1),
        b"\x8e" + struct.pack("<Q", 2**62),
        b"\x8e" + struct.pack("<Q", 2**64 - 1),
        b"\x96" + struct.pack("<Q", 2**50),
        b"X" + struct.pack("<I", 2**32 - 1),
        b"T" + struct.pack("<i", -1),
        b"I" + b"9" * 5000 + b"\n",
    ],
)
def test_huge_declared_lengths(tmp_path: Path, declared: bytes) -> None:
    refused(tmp_path, b"\x80\x05](" + declared + b"abc.")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ((PHOTOS, LABELS, []), "two lists"),
        ((PHOTOS, "x"), "two lists"),
        (([], []), "not one of pictures"),
        ((["text", "text"], [True]), "not one of pictures"),
        (([b"", b"x"], [True]), "not one of pictures"),
        ((PHOTOS, [True, 2]), "yes and no"),
        ((PHOTOS, [True, None]), "yes and no"),
        ((PHOTOS, [True]), "4 pictures for 1 pairs"),
    ],
)
def test_two_other_lists(tmp_path: Path, content: Any, said: str) -> None:
    assert said in refused(tmp_path, pickle.dumps(content, 4))


def test_no_pickle_and_no_file(tmp_path: Path) -> None:
    assert "no pickle" in refused(tmp_path, b"\xff\xd8\xff\xe0")
    assert "no pickle" in refused(tmp_path, b"")
    with pytest.raises(ConfigError, match="can't be read"):
        read_photo_pickle(tmp_path / "missing.bin")
    with pytest.raises(ConfigError, match="can't be read"):
        read_photo_pickle(tmp_path)


def test_every_instruction_that_is_followed_exists() -> None:
    assert set(_STEPS) <= {opcode.name for opcode in pickletools.opcodes}
