import re
import shutil
from pathlib import Path

import pytest

from mien.errors import ModelError
from mien.models import InputContract, OutputContract, PackageSource, UrlSource, list_cards, load_card

GOOD = """
name = "mine"
task = "encoder"
licence = "MIT"
file = "mine.onnx"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
size_bytes = 12

[[sources]]
kind = "package"
distribution = "some-package"
version = "1.0"
path = "some/mine.onnx"

[[sources]]
kind = "url"
url = "https://example.org/mine.onnx"

[input]
size = [112, 96]
colour = "bgr"
mean = [127.5, 127.5, 127]
scale = [0.5, 0.25, 1]
template = "arcface-112"
flip = true

[output]
name = "y"
dimensions = 2
centre = [0.5, 1]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "mine.toml"
    file.write_text(GOOD, "utf-8")
    return file


def test_a_card_says_what_its_file_says(path: Path) -> None:
    for given in (path, str(path)):
        card = load_card(given)
        assert (card.name, card.title, card.task, card.licence) == ("mine", "mine", "encoder", "MIT")
        assert (card.file, card.sha256, card.size_bytes, card.format) == ("mine.onnx", "0" * 64, 12, "onnx")
        assert card.sources == (
            PackageSource("some-package", "1.0", "some/mine.onnx"),
            UrlSource("https://example.org/mine.onnx"),
        )
        assert card.input == InputContract(
            (112, 96), "bgr", (127.5, 127.5, 127.0), (0.5, 0.25, 1.0), "arcface-112", flip=True
        )
        assert card.output == OutputContract("y", 2, (0.5, 1.0))
        assert card.path == path.resolve()
        assert card.folder == path.parent.resolve()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('licence = "MIT"', "", "licence is missing"),
        ('licence = "MIT"', 'license = "MIT"', "licence is missing"),
        ('licence = "MIT"', 'licence = ""', "licence must be text"),
        ('licence = "MIT"', 'licence = " "', "licence must be text"),
        ("flip = true", "flop = true", r"input\.flop is not a key that a card has \(did you mean flip\?\)"),
        ("flip = true", 'flip = "yes"', r"input\.flip must be true or false, not 'yes'"),
        ("flip = true", "flip = 1", r"input\.flip must be true or false, not 1"),
        ('task = "encoder"', 'task = "encode"', "task must be one of detector, encoder, liveness, quality"),
        ('task = "encoder"', "task = 3", "task must be text, not 3"),
        ("size = [112, 96]", "", r"input\.size is missing"),
        ("size = [112, 96]", "size = 112", r"input\.size must be a list of 2 numbers"),
        ("size = [112, 96]", "size = [112]", r"input\.size must be a list of 2 numbers"),
        ("size = [112, 96]", "size = [112.5, 96]", r"input\.size must be a width and a height"),
        ("size = [112, 96]", "size = [112, 0]", r"input\.size must be a width and a height"),
        ("scale = [0.5, 0.25, 1]", "scale = [0.5, nan, 1]", r"input\.scale must be a list of 3 numbers"),
        ("scale = [0.5, 0.25, 1]", "scale = [0.5, true, 1]", r"input\.scale must be a list of 3 numbers"),
        ('colour = "bgr"', 'colour = "grey"', r"input\.colour must be one of rgb, bgr"),
        ('template = "arcface-112"', "", r"input\.template is missing"),
        ("size_bytes = 12", "size_bytes = 0", "size_bytes must be at least 1"),
        ("size_bytes = 12", "size_bytes = true", "size_bytes must be a whole number"),
        ("centre = [0.5, 1]", "centre = [0.5]", r"output\.centre must be a list of 2 numbers"),
        ("dimensions = 2", "", r"output\.dimensions is missing"),
        ('sha256 = "0', 'sha256 = "G', "sha256 must be 64 lower-case hex digits"),
        ('url = "https:', 'url = "http:', r"sources\[1\]\.url must be an https"),
        ('kind = "url"', 'kind = "web"', r"sources\[1\]\.kind must be one of package, url"),
        ('file = "mine.onnx"', 'file = "../mine.onnx"', "file must be the name of a file"),
        ('name = "mine"', "name = ", "isn't valid TOML"),
        ("[input]", "[[input]]", "input must be a table"),
        ("mean = [127.5,", f"mean = [{10**400},", r"input\.mean must be a list of 3 numbers"),
        (
            "size_bytes = 12",
            f"size_bytes = {10**400}",
            "size_bytes must be at least 1, and of 64 bits at most, not 10{79}…",
        ),
        ("dimensions = 2", f"dimensions = 0x{'f' * 5000}", "it has a number of thousands of digits"),
        ('name = "mine"', f"name = {'9' * 5000}", "isn't valid TOML"),
        ('name = "mine"', f"name = {'[' * 5000}{']' * 5000}", "is nested too deeply"),
    ],
)
def test_a_wrong_card_is_refused_with_the_key_and_the_reason(path: Path, old: str, new: str, sentence: str) -> None:
    assert GOOD.count(old) == 1
    path.write_text(GOOD.replace(old, new), "utf-8")
    with pytest.raises(ModelError, match=sentence) as caught:
        load_card(path)
    assert caught.value.code == "model.card"
    assert str(path) in caught.value.message


def test_a_card_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model card") as caught:
        load_card(tmp_path / "none.toml")
    assert caught.value.code == "model.unknown"
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ModelError, match="isn't valid TOML"):
        load_card(tmp_path / "bytes.toml")
    with pytest.raises(ModelError, match=r"can't be read: [A-Z][a-z ]+\.$"):
        load_card(f"{tmp_path}/")


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ModelError, match="Did you mean 'sface'") as caught:
        load_card("sfacee")
    assert caught.value.code == "model.unknown"


def test_the_shipped_cards() -> None:
    assert [card.name for card in list_cards()] == ["dlib", "fusion", "sface", "yunet"]
    for card in list_cards():
        assert card.licence
        assert card.folder is None
        assert load_card(card.name) == card


def test_a_fusion_of_ones_own_card_and_a_shipped_one(path: Path) -> None:
    fusion = path.with_name("both.toml")
    fusion.write_text(
        'name = "both"\ntask = "encoder"\nlicence = "MIT"\n'
        '[[members]]\ncard = "./mine.toml"\nweight = 0.25\n[[members]]\ncard = "sface"\nweight = 0.75\n',
        "utf-8",
    )
    card = load_card(fusion)
    assert [(member.name, weight) for member, weight in card.members] == [("mine", 0.25), ("sface", 0.75)]
    assert card.output.dimensions == 130


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ([("sface", "0.5"), ("dlib", "0.6")], "members must have weights that sum to 1"),
        ([("sface", "1.5"), ("dlib", "-0.5")], r"members\[1\]\.weight must be above 0"),
        ([("sface", "0.5"), ("yunet", "0.5")], r"members\[1\]\.card names 'yunet', which isn't a single encoder"),
        ([("sface", "0.5"), ("fusion", "0.5")], "isn't a single encoder"),
        ([("sface", "inf")], r"members\[0\]\.weight must be a number"),
    ],
)
def test_a_wrong_fusion_is_refused(tmp_path: Path, members: list[tuple[str, str]], sentence: str) -> None:
    text = 'name = "f"\ntask = "encoder"\nlicence = "MIT"\n'
    text += "".join(f'[[members]]\ncard = "{name}"\nweight = {weight}\n' for name, weight in members)
    (tmp_path / "f.toml").write_text(text, "utf-8")
    with pytest.raises(ModelError, match=sentence):
        load_card(tmp_path / "f.toml")


def test_a_fusion_that_names_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.toml"
    path.write_text(
        'name = "f"\ntask = "encoder"\nlicence = "MIT"\n[[members]]\ncard = "./f.toml"\nweight = 1.0\n', "utf-8"
    )
    with pytest.raises(ModelError, match="itself a member of a fusion"):
        load_card(path)


def test_a_card_moves_with_its_folder(path: Path, tmp_path: Path) -> None:
    shutil.copytree(path.parent, tmp_path / "else where é")
    moved = load_card(tmp_path / "else where é" / "mine.toml")
    assert moved == load_card(path)
    assert re.search("else where é$", str(moved.folder))
