import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bad_files import encode, make_bad_files, picture
from mien.errors import PhotoError
from mien.photos import find_people, find_photos
from mien.photos.folders import natural_order

JPEG, GIF = encode(picture(), "JPEG"), encode(picture(), "GIF")


def test_natural_order_below_sub_folders(tmp_path: Path) -> None:
    names = ["img1.jpg", "IMG2.jpg", "img2.jpg", "img10.jpg", "set 2/a.jpg", "set 10/b9.png", "set 10/b10.png"]
    _fill(tmp_path, *reversed(names))
    assert _found(tmp_path) == names


def test_paths_start_with_the_folder_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fill(tmp_path, "people/a.jpg")
    monkeypatch.chdir(tmp_path)
    assert find_photos("people") == [Path("people/a.jpg")]
    assert find_photos(".") == [Path("people/a.jpg")]


def test_photos_are_known_by_extension_or_else_by_content(tmp_path: Path) -> None:
    _fill(tmp_path, "a.JPEG", "b.heic", "c.Tiff", content=b"")  # broken perhaps, but meant as photos
    _fill(tmp_path, "subject01.glasses", "no extension", content=GIF)
    _fill(tmp_path, "pairs.txt", "notes", "film.mp4", "layers.psd", content=b"8BPS" + bytes(50))
    assert _found(tmp_path) == ["a.JPEG", "b.heic", "c.Tiff", "no extension", "subject01.glasses"]


def test_hidden_files_and_litter_are_passed_over(tmp_path: Path) -> None:
    _fill(tmp_path, ".DS_Store", "Thumbs.db", ".hidden.jpg", "._a.jpg", ".trash/a.jpg", "__MACOSX/a.jpg", "a.jpg")
    assert _found(tmp_path) == ["a.jpg"]


def test_links_that_lead_out_or_in_a_circle_are_not_followed(tmp_path: Path) -> None:
    folder, outside = tmp_path / "in", tmp_path / "out"
    _fill(folder, "a.jpg", "sub/b.jpg")
    _fill(outside, "secret.jpg")
    (folder / "file-out.jpg").symlink_to(outside / "secret.jpg")
    (folder / "file-in.jpg").symlink_to(folder / "sub" / "b.jpg")
    (folder / "folder-out").symlink_to(outside)
    (folder / "sub" / "up").symlink_to(folder)
    (folder / "loop.jpg").symlink_to("loop.jpg")
    (folder / "dangling.jpg").symlink_to("nowhere.jpg")
    assert _found(folder) == ["a.jpg", "file-in.jpg", "sub/b.jpg"]
    assert find_people(folder) == {"sub": [folder / "sub" / "b.jpg"]}


def test_links_that_are_left_out_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "in"
    _fill(folder, "ann/a.jpg")
    _fill(tmp_path / "out", "b.jpg")
    (folder / "ann again").symlink_to("ann")
    assert _found(folder) == ["ann/a.jpg"]
    assert not caplog.messages
    (folder / "bob").symlink_to(tmp_path / "out")
    (folder / "ann" / "gone\n.jpg").symlink_to("nowhere.jpg")
    assert list(find_people(folder)) == ["ann"]
    (said,) = caplog.messages
    assert said.startswith(f"Links in {folder} that lead out of it or to nothing are left out: 2 in all, such as")
    assert said.isprintable()


def test_a_link_to_the_folder_itself_may_be_given(tmp_path: Path) -> None:
    _fill(tmp_path / "real", "a.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert find_photos(tmp_path / "link") == [tmp_path / "link" / "a.jpg"]


def test_a_folder_of_bad_files(tmp_path: Path) -> None:
    bad = make_bad_files(tmp_path)
    found = find_photos(tmp_path)  # ends, and lists what is called a photo and is a file
    assert bad["noise"][0] in found
    assert not {"pipe.jpg", "socket.jpg", "loop-a.jpg", "dangling.jpg", "folder.jpg"} & {path.name for path in found}


def test_people(tmp_path: Path) -> None:
    _fill(tmp_path, "Zoë/1.jpg", "person 10/a.jpg", "person 2/b.jpg", "person 2/a.jpg", "person 2/older/c.jpg", "x.jpg")
    (tmp_path / "nobody").mkdir()
    people = find_people(tmp_path)
    assert list(people) == ["person 2", "person 10", "Zoë"]
    assert [path.name for path in people["person 2"]] == ["a.jpg", "b.jpg", "c.jpg"]
    assert find_people(tmp_path / "nobody") == {}


@pytest.mark.parametrize("find", [find_photos, find_people])
def test_folders_that_are_none(tmp_path: Path, find: object) -> None:
    assert callable(find)
    _fill(tmp_path, "a.jpg")
    (tmp_path / "loop").symlink_to("loop")
    for name, code in (
        ("a.jpg", "photo.not-a-folder"),
        ("missing", "photo.missing"),
        ("nu\0ll", "photo.missing"),
        ("n" * 300, "photo.missing"),
        ("loop", "photo.link-loop"),
    ):
        with pytest.raises(PhotoError) as caught:
            find(tmp_path / name)
        assert caught.value.code == code


def test_a_folder_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PhotoError) as caught:
        find_photos(tmp_path)
    assert caught.value.code == "photo.permission"


def test_an_unreadable_file_without_a_photos_extension_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    _fill(tmp_path, "a.jpg", "b")
    monkeypatch.setattr(Path, "open", refuse)
    assert _found(tmp_path) == ["a.jpg"]


@given(st.lists(st.text(st.characters(exclude_characters="/\0"), min_size=1), min_size=2))
def test_any_names_can_be_ordered(names: list[str]) -> None:
    paths = [Path(name) for name in names]
    backwards = list(reversed(paths))
    assert sorted(paths, key=natural_order) == sorted(backwards, key=natural_order)


@given(st.integers(0, 10**30), st.integers(0, 10**30))
def test_numbers_count_as_numbers(first: int, second: int) -> None:
    assert (natural_order(Path(f"a{first}b")) < natural_order(Path(f"a{second}b"))) == (first < second)


def _fill(folder: Path, *names: str, content: bytes = JPEG) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _found(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in find_photos(folder)]
