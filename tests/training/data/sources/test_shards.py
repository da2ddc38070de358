import io
import random
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from mien.errors import ConfigError
from mien.training.data.sources import Shards, shard

Files = Sequence[tuple[str, bytes]]
GOOD: Files = [("a/1.jpg", b"first"), ("a/1.cls", b"7\n"), ("a/2.png", b"second"), ("a/2.json", b'{"person": "Ana"}')]


def packed(file: Path, files: Files) -> Path:
    with tarfile.open(file, "w") as archive:
        for name, data in files:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            member.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            archive.addfile(member, io.BytesIO(data))
    return file


def read(place: Path) -> list[tuple[str, str, bytes]]:
    return [(photo.key, photo.person, bytes(photo.source)) for photo in Shards(place).photos()]  # type: ignore[arg-type]


def test_a_shard(tmp_path: Path) -> None:
    assert read(packed(tmp_path / "0.tar", GOOD)) == [("a/1", "7", b"first"), ("a/2", "Ana", b"second")]


def test_shards_in_natural_order(tmp_path: Path) -> None:
    for number in (10, 9, 100):
        packed(tmp_path / f"{number}.tar", [(f"{number}.jpg", b"x"), (f"{number}.cls", b"1")])
    (tmp_path / "notes.txt").touch()
    assert [key for key, _, _ in read(tmp_path)] == ["9", "10", "100"]


@pytest.mark.parametrize(
    ("files", "person"),
    [
        ([("1.cls", b"Ana"), ("1.jpg", b"")], "Ana"),  # in any order
        ([("1.jpg", b""), ("1.JSON", b'{"label": 0}')], "0"),
        ([("1.jpg", b""), ("1.json", b'{"label": 3, "identity": "Bo"}')], "Bo"),
        ([("1.jpg", b""), ("1.json", b'{"person": "", "label": "Bo"}')], "Bo"),
        ([("1.jpg", b""), ("1.json", b'{"label": 3}'), ("1.cls", b"4")], "4"),
        ([("1.jpg", b""), ("1.cls", "Zoë Ruiz".encode()), ("1.txt", b"a caption"), ("1.npy", b"\0")], "Zoë Ruiz"),
        ([("1.image.jpg", b""), ("1.person.cls", b"5")], "5"),
        ([("./", b""), ("./1.jpg", b""), ("./1.cls", b"5"), ("./._1.jpg", b""), ("notes.txt", b"")], "5"),
    ],
)
def test_whose_a_photo_is(files: Files, person: str, tmp_path: Path) -> None:
    assert [found for _, found, _ in read(packed(tmp_path / "0.tar", files))] == [person]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([("1.jpg", b"")], "neither a .cls nor a .json"),
        ([("1.cls", b"1")], "the key 1 has no picture"),
        ([("1.jpg", b""), ("1.png", b""), ("1.cls", b"1")], "two pictures of the key 1"),
        ([("1.jpg", b""), ("1.cls", b" \n")], "names no person"),
        ([("1.jpg", b""), ("1.cls", b"\xff\xfe")], "can't be read as text"),
        ([("1.jpg", b""), ("1.json", b"{")], "can't be read as text"),
        ([("1.jpg", b""), ("1.json", b"[1]")], "can't be read as text"),
        ([("1.jpg", b""), ("1.json", b"[" * 100_000)], "bytes, and 65,536 are the most"),
        ([("1.jpg", b""), ("1.json", b"[" * 60_000)], "can't be read as text"),
        ([("1.jpg", b""), ("1.json", b'{"name": "Ana"}')], "names no person"),
        ([("1.jpg", b""), ("1.json", b'{"person": {"a": 1}}')], "names no person"),
        ([("1.jpg", b""), ("1.cls", b"1" * 70_000)], "bytes, and 65,536 are the most"),
        ([], "has no photos in its shards"),
        ([("notes.txt", b"")], "has no photos in its shards"),
    ],
)  # fmt: skip
def test_what_has_no_place_in_a_shard_is_told(files: Files, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=sentence):
        Shards(packed(tmp_path / "0.tar", files))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(kind: bytes, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "0.tar", "w") as archive:
        member = tarfile.TarInfo("1.jpg")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(ConfigError, match="link or a device"):
        Shards(tmp_path)


def test_a_name_is_never_a_path(tmp_path: Path) -> None:
    outside = tmp_path / "outside.jpg"
    place = tmp_path / "shards"
    place.mkdir()
    packed(
        place / "0.tar",
        [
            ("../outside.jpg", b"x"),
            ("../outside.cls", b"1"),
            (str(outside), b"y"),
            (f"{outside.with_suffix('.cls')}", b"2"),
        ],
    )
    assert [data for _, _, data in read(place)] == [b"x", b"y"]
    assert not outside.exists()
    assert [file.name for file in place.iterdir()] == ["0.tar"]


def test_what_is_larger_than_a_photo_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed(tmp_path / "0.tar", [("1.jpg", b"x" * 101), ("1.cls", b"1")])
    assert len(Shards(tmp_path)) == 1
    monkeypatch.setattr(shard, "MOST_PHOTO_BYTES", 100)
    with pytest.raises(ConfigError, match="has 101 bytes, and 100 are the most"):
        Shards(tmp_path)


def test_endless_shards_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed(tmp_path / "0.tar", GOOD)
    monkeypatch.setattr(shard, "MOST_MEMBERS", 3)
    with pytest.raises(ConfigError, match="more than 3 files"):
        Shards(tmp_path)


def test_one_key_in_two_shards(tmp_path: Path) -> None:
    packed(tmp_path / "0.tar", GOOD)
    packed(tmp_path / "1.tar", GOOD)
    with pytest.raises(ConfigError, match=r"a/1 is in .*0\.tar and again in .*1\.tar"):
        Shards(tmp_path)


def test_a_packed_shard_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "0.tar", "w:gz"):
        pass
    with pytest.raises(ConfigError, match="packed"):
        Shards(tmp_path)


@pytest.mark.parametrize("place", ["nowhere", "empty"])
def test_nothing_there(place: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"neither a folder|has no shards"):
        Shards(tmp_path / place)


def test_a_shard_that_ends_too_early(tmp_path: Path) -> None:
    whole = packed(tmp_path / "0.tar", [("1.cls", b"1"), ("1.jpg", b"x" * 2000)]).read_bytes()
    (tmp_path / "0.tar").write_bytes(whole[:2500])
    with pytest.raises(ConfigError, match="damaged"):
        Shards(tmp_path)


def test_a_shard_that_became_shorter(tmp_path: Path) -> None:
    file = packed(tmp_path / "0.tar", GOOD)
    photos = Shards(file)
    file.write_bytes(file.read_bytes()[:515])
    with pytest.raises(ConfigError, match="ends within the picture of a/1"):
        list(photos.photos())


def test_a_damaged_header_is_not_taken_for_the_end(tmp_path: Path) -> None:
    file = packed(tmp_path / "0.tar", GOOD)
    data = bytearray(file.read_bytes())
    data[2048:2058] = b"\xff" * 10  # the third file's header
    file.write_bytes(data)
    with pytest.raises(ConfigError, match="damaged"):
        Shards(file)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", [b"0", b"x", b"g", b"L", b"K", b"S", b"5"])
@pytest.mark.parametrize("blocks", [-1, -2, -3])
def test_a_file_of_less_than_nothing(kind: bytes, blocks: int, tmp_path: Path) -> None:
    file = packed(tmp_path / "0.tar", GOOD)
    data = bytearray(file.read_bytes())
    header = 2048  # of the third file
    data[header + 124 : header + 136] = (512 * blocks).to_bytes(12, "big", signed=True)
    data[header + 156 : header + 157] = kind
    total = 256 + sum(data[header : header + 148]) + sum(data[header + 156 : header + 512])
    data[header + 148 : header + 156] = b"%06o\0 " % total
    file.write_bytes(data)
    with pytest.raises(ConfigError):
        Shards(file)


def test_whatever_is_changed_in_a_shard_it_is_read_or_refused(tmp_path: Path) -> None:
    whole = packed(tmp_path / "0.tar", GOOD).read_bytes()[:4608]
    chance = random.Random(0)
    refused = 0
    for _ in range(1500):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.choice(
                (0, 0x20, 0x2D, 0x30, 0x37, 0x80, 0xFF, chance.randrange(256))
            )
        for header in range(0, len(data), 512):  # with a right checksum, so that the rest of a header is looked at
            if chance.random() < 0.5:
                block = data[header : header + 512]
                total = 256 + sum(block[:148]) + sum(block[156:])
                data[header + 148 : header + 156] = b"%06o\0 " % total
        (tmp_path / "0.tar").write_bytes(data)
        try:
            read(tmp_path)
        except ConfigError:
            refused += 1
    assert 300 < refused < 1500
