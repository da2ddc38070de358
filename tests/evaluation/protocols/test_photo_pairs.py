from pathlib import Path

import numpy as np
import pytest

from data import photos
from embedded_people import embedded
from mien.errors import ConfigError
from mien.evaluation import Settings, read_pair_list, read_pairs
from mien.evaluation.protocols.listed_pairs import ListedPairs
from mien.evaluation.protocols.photo_pairs import read_cfp

TWO_FOLDS = "2\t2\nA 1 2\nB 3 14\nA 1 B 2\nC 1 D 1\nE 1 2\nE 1 3\nE 1 F 2\nF 1 G 1\n"


def written(folder: Path, text: str) -> Path:
    file = folder / "pairs.txt"
    file.write_bytes(text.encode())
    return file


@pytest.mark.parametrize(
    "text",
    [TWO_FOLDS, TWO_FOLDS.replace("\n", "\r\n"), "\ufeff" + TWO_FOLDS.replace(" ", "\t") + "\n \n", TWO_FOLDS[:-1]],
)
def test_reading_pairs(tmp_path: Path, text: str) -> None:
    pairs = read_pairs(written(tmp_path, text))
    assert pairs.first[:3] == ("A/A_0001.jpg", "B/B_0003.jpg", "A/A_0001.jpg")
    assert pairs.second[:3] == ("A/A_0002.jpg", "B/B_0014.jpg", "B/B_0002.jpg")
    assert pairs.mated.tolist() == [True, True, False, False] * 2
    assert pairs.fold.tolist() == [0] * 4 + [1] * 4


def test_a_list_without_folds_is_one_fold(tmp_path: Path) -> None:
    pairs = read_pairs(written(tmp_path, "1\nA 1 2\nA 1 B 1\n"))
    assert (pairs.mated.tolist(), pairs.fold.tolist()) == ([True, False], [0, 0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("ten 300\n", "Line 1"),
        ("0 0\n", "Line 1"),
        ("1 2 3\n", "Line 1"),
        ("1 2\nA 1 2\n", "announces 4 pairs and has 1"),
        ("1\nA 1 B 2\nA 1 B 1\n", "Line 2"),
        ("1\n\nA 1 2\nA 1 2\n", "Line 4"),
        ("1\nA 1 x\nA 1 B 1\n", "Line 2"),
        ("1\nA 1 -2\nA 1 B 1\n", "Line 2"),
        (f"{'9' * 5000}\n", "Line 1"),
        (f"1\nA 1 {'9' * 5000}\nA 1 B 1\n", "Line 2"),
    ],
)
def test_a_broken_list_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_pairs(written(tmp_path, text))


def test_a_list_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        read_pairs(tmp_path / "missing.txt")
    (tmp_path / "photo").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(ConfigError, match="can't be read"):
        read_pairs(tmp_path / "photo")


def test_people_of_lfw(tmp_path: Path) -> None:
    pairs = read_pairs(written(tmp_path, TWO_FOLDS))
    assert pairs.people is not None
    assert pairs.people[:3].tolist() == [["A", "A"], ["B", "B"], ["A", "B"]]


def test_a_list_of_lfw_is_known_by_its_header(tmp_path: Path) -> None:
    assert read_pair_list(written(tmp_path, TWO_FOLDS)).first == read_pairs(tmp_path / "pairs.txt").first


def test_calfw_and_cplfw(tmp_path: Path) -> None:
    mated = "".join(f"P{k:02}_0001.jpg {k % 10 + 1}\nP{k:02}_0003.jpg {k % 10 + 1}\n" for k in range(20))
    non_mated = "".join(f"P{k:02}_0001.jpg 0\nQ{k:02}_0002.jpg 0\n" for k in range(30))
    pairs = read_pair_list(written(tmp_path, mated + non_mated))
    assert (len(pairs), int(pairs.mated.sum())) == (50, 20)
    assert (pairs.first[0], pairs.second[0], pairs.second[-1]) == ("P00_0001.jpg", "P00_0003.jpg", "Q29_0002.jpg")
    assert pairs.fold.tolist() == [k // 2 for k in range(20)] + [k // 3 for k in range(30)]
    assert pairs.people is not None
    assert pairs.people[-1].tolist() == ["P29", "Q29"]


def test_agedb(tmp_path: Path) -> None:
    text = "0_MariaCallas_35_f.jpg 1_MariaCallas_70_f.jpg 1\n0_MariaCallas_35_f.jpg 9_JohnDoe_20_m.jpg 0\n"
    pairs = read_pair_list(written(tmp_path, text))
    assert pairs.mated.tolist() == [True, False]
    assert not pairs.fold.any(), "two pairs make no ten folds"
    assert pairs.people is not None
    assert pairs.people.tolist() == [["MariaCallas", "MariaCallas"], ["MariaCallas", "JohnDoe"]]


def test_people_are_unknown_where_names_and_labels_disagree(tmp_path: Path) -> None:
    assert read_pair_list(written(tmp_path, "x/1.jpg y/2.jpg 1\nx/1.jpg z/2.jpg 0\n")).people is None


def test_csv(tmp_path: Path) -> None:
    text = "first, second, mated, fold, person1, person2\na b.jpg,c.jpg,1,x,P,P\n\nd.jpg,e.jpg,no,y,P,Q\n"
    pairs = read_pair_list(written(tmp_path, text))
    assert (pairs.first, pairs.second) == (("a b.jpg", "d.jpg"), ("c.jpg", "e.jpg"))
    assert (pairs.mated.tolist(), pairs.fold.tolist()) == ([True, False], [0, 1])
    assert pairs.people is not None
    assert pairs.people.tolist() == [["P", "P"], ["P", "Q"]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a.jpg b.jpg 1\na.jpg c.jpg\n", "Line 2"),
        ("a.jpg b.jpg maybe\n", "Line 1"),
        ("a.jpg 1\nb.jpg 0\n", "Line 2"),
        ("a.jpg 1\nb.jpg 1\nc.jpg 0\n", "Line 3"),
        ("a.jpg b.jpg c.jpg d.jpg 1\n", "Line 1"),
        ("first,second\na,b\n", "should name the columns first, second, mated"),
        ("first,second,mated\na,b\n", "Line 2"),
        ("first,second,mated\n\na,b,2\n", "Line 3"),
        ("first,second,mated\n", "no rows"),
        ("first,second,mated,person1,person2\n\na,b,1,P,Q\n", "Line 3"),
        ("first,second,mated,person1\na,b,1,P\n", "has the column person1 only"),
        ("first,second,mated,person1,person2\na,b,1,,\n", "Line 2 .* doesn't say who is on both photos"),
    ],
)
def test_other_broken_lists_are_refused_with_their_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_pair_list(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("1\nA 1 1\nA 1 B 1\n", 2),
        ("1\nA 1 2\nA 1 A 1\n", 3),
        ("a.jpg b.jpg 1\na.jpg a.jpg 1\n", 2),
        ("a.jpg 1\nb.jpg 1\na.jpg 1\na.jpg 1\n", 4),
        ("first,second,mated\na.jpg,b.jpg,0\n\ns1/1.pgm,s1/1.pgm,1\n", 4),
    ],
)
def test_a_photo_is_not_compared_with_itself(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(ConfigError, match=rf"Line {line} of .* compares the photo .* with itself"):
        read_pair_list(written(tmp_path, text))


def test_pairs_listed_again_are_counted(tmp_path: Path) -> None:
    pairs = read_pair_list(written(tmp_path, "a b 1\nb a 1\na c 0\na b 1\nb c 0\n"))
    assert (len(pairs), pairs.repeated) == (5, 2)
    photos = embedded({name: name for name in "abc"})
    told = ListedPairs("pairs", "Pairs", "data", pairs, {}).evaluate(photos, Settings(resamples=20))
    assert told.data.facts["pairs listed again"] == 2
    assert read_pair_list(written(tmp_path, "a b 1\na c 0\n")).repeated == 0


def cfp(folder: Path) -> Path:
    protocol = folder / "Protocol"
    for name, kind, photo in (("F", "frontal", 10), ("P", "profile", 4)):
        lines = [
            f"{at + 1} ../Data/Images/{at // photo + 1:03}/{kind}/{at % photo + 1:02}.jpg" for at in range(3 * photo)
        ]
        protocol.mkdir(exist_ok=True, parents=True)
        (protocol / f"Pair_list_{name}.txt").write_text("\n".join(lines), encoding="utf-8")
    for split in ("FF/01", "FF/02", "FP/01", "FP/02"):
        (protocol / "Split" / split).mkdir(parents=True)
        (protocol / "Split" / split / "same.txt").write_text("1,2\n11,5\n" if "FP" in split else "1,2\n", "utf-8")
        (protocol / "Split" / split / "diff.txt").write_text("1,12\n", "utf-8")
    return protocol


def test_cfp(tmp_path: Path) -> None:
    pairs = read_cfp(cfp(tmp_path), "FP")
    assert pairs.first[:3] == ("001/frontal/01.jpg", "002/frontal/01.jpg", "001/frontal/01.jpg")
    assert pairs.second[:3] == ("001/profile/02.jpg", "002/profile/01.jpg", "003/profile/04.jpg")
    assert (pairs.mated.tolist(), pairs.fold.tolist()) == ([True, True, False] * 2, [0, 0, 0, 1, 1, 1])
    frontal = read_cfp(tmp_path / "Protocol", "FF")
    assert (frontal.second[0], frontal.second[1]) == ("001/frontal/02.jpg", "002/frontal/02.jpg")


def test_a_broken_cfp(tmp_path: Path) -> None:
    protocol = cfp(tmp_path)
    (protocol / "Split/FP/02/diff.txt").write_text("1,99\n", "utf-8")
    with pytest.raises(ConfigError, match="Line 1"):
        read_cfp(protocol, "FP")
    (protocol / "Split/FF/01/same.txt").write_text("1,2\n3,3\n", "utf-8")
    with pytest.raises(ConfigError, match=r"Line 2 of .* compares the photo 001/frontal/03\.jpg with itself"):
        read_cfp(protocol, "FF")
    with pytest.raises(ConfigError, match="no folds"):
        read_cfp(protocol, "PP")


@pytest.mark.photos
def test_the_real_list() -> None:
    folder = photos("lfw")
    pairs = read_pairs(folder / "pairs.txt")
    assert (len(pairs), pairs.mated.sum(), set(np.bincount(pairs.fold))) == (6000, 3000, {600})
    assert all((folder / photo).is_file() for photo in {*pairs.first, *pairs.second})
    assert pairs.people is not None
    assert len(np.unique(pairs.people)) == 4281
