"""Lists of pairs of photos, in the layouts that face verification sets come with."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from mien.errors import InputError
from mien.evaluation.protocols.tables import people_of_pairs, read_table, read_text

FOLDS = 10
_TRUE = frozenset({"1", "1.0", "true", "yes", "mated", "same"})
_FALSE = frozenset({"0", "0.0", "-1", "-1.0", "false", "no", "non-mated"})


@dataclass(frozen=True, eq=False)
class PhotoPairs:
    """Pairs of photos to compare.

    Args:
        first: (P,) name of one photo of each pair: its path below the folder of photos, with ``/``.
        second: (P,) of the other.
        mated: (P,) bool, whether they show one person.
        fold: (P,) int64, from 0; all 0 for a list without folds.
        people: (P, 2) who is on each, str; None where that isn't known.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    mated: NDArray[np.bool_]
    fold: NDArray[np.int64]
    people: NDArray[np.str_] | None = None

    def __len__(self) -> int:
        return len(self.first)

    @property
    def names(self) -> list[str]:
        """Every photo once."""
        return list(dict.fromkeys((*self.first, *self.second)))

    @property
    def repeated(self) -> int:
        """How many of the pairs are in the list before already, either way round."""
        number = {name: at for at, name in enumerate(self.names)}
        pairs = np.sort([[number[name] for name in side] for side in (self.first, self.second)], axis=0)
        return len(self) - len(np.unique(pairs[0] * len(number) + pairs[1]))


def read_pairs(path: str | Path) -> PhotoPairs:
    """Read a list of pairs in LFW's form: ``pairs.txt``, ``pairsDevTrain.txt``, ``pairsDevTest.txt``; also XQLFW's.

    The first line says how many folds there are (left out where there is one) and how many pairs of each kind a fold
    has: first the mated pairs, ``NAME 1 4``, then as many non-mated ones, ``NAME 1 OTHER 2``. Blank lines are skipped.

    Raises:
        InputError: If the file can't be read, or a line is not what its place asks for.
    """
    rows = _lines(path)
    number, header = rows.pop(0)
    if len(header) > 2 or not all(_is_number(word) and int(word) for word in header):
        raise _bad_line(path, number, "the number of folds and of pairs of each kind in a fold")
    folds, size = (int(header[0]) if len(header) == 2 else 1), int(header[-1])
    if len(rows) != 2 * folds * size:
        raise InputError(
            f"The list of pairs {path} announces {2 * folds * size} pairs and has {len(rows)}.",
            hint="Take the whole file again.",
            code="input.pairs",
        )
    kinds = [at // size % 2 == 0 for at in range(len(rows))]
    paths = [_lfw_pair(path, number, words, mated) for (number, words), mated in zip(rows, kinds, strict=True)]
    return _made(path, paths, kinds, np.arange(len(rows)) // (2 * size))


def read_pair_list(path: str | Path) -> PhotoPairs:
    """Read a list of pairs in whichever of these layouts it has; blank lines are skipped.

    - LFW, XQLFW: as `read_pairs`.
    - CALFW, CPLFW: two lines a pair, ``NAME_0001.jpg LABEL`` each; label 0 is a non-mated pair.
    - AgeDB-30 and others: ``FIRST SECOND LABEL``, a line a pair.
    - CSV with a header: ``first,second,mated`` and, if wanted, ``fold`` and both ``person1`` and ``person2``.

    Where the list names no folds there are ten: the k-th tenth of the mated and of the non-mated pairs, in the order of
    the list. Where it names no people, they are taken from the photos' folders or names if these agree with the labels.

    Raises:
        InputError: If the file can't be read or has none of these layouts.
    """
    rows = _lines(path)
    number, words = rows[0]
    if "," in words[0]:
        return _read_csv(path)
    if all(word.isdecimal() for word in words):
        return read_pairs(path)
    if len(words) == 3:
        labelled = [_exactly(path, number, words, 3, "FIRST SECOND LABEL") for number, words in rows]
        pairs = [
            _two_photos(path, number, first, second)
            for (number, _), (first, second, _) in zip(rows, labelled, strict=True)
        ]
        mated = [truth(path, number, label) for (number, _), (_, _, label) in zip(rows, labelled, strict=True)]
    elif len(words) == 2:
        if len(rows) % 2:
            raise _bad_line(path, rows[-1][0], "the first photo of a pair, followed by the second")
        halves = [_exactly(path, number, words, 2, "PHOTO LABEL") for number, words in rows]
        pairs, mated = [], []
        for (first, label), (second, other), (number, _) in zip(halves[::2], halves[1::2], rows[1::2], strict=True):
            if label != other:
                raise _bad_line(path, number, f"a photo with the label {label}, as the line before")
            pairs.append(_two_photos(path, number, first, second))
            mated.append(label not in _FALSE)  # CALFW's mated pairs have the number of their fold
    else:
        raise _bad_line(path, number, "a header as of LFW, PHOTO LABEL, FIRST SECOND LABEL, or first,second,mated")
    return _made(path, pairs, mated, None)


def read_cfp(folder: str | Path, kind: str) -> PhotoPairs:
    """Read the protocol of Celebrities in Frontal-Profile (Sengupta et al., WACV 2016): ten folds of 350 + 350 pairs.

    Args:
        folder: ``Protocol``, with ``Pair_list_F.txt``, ``Pair_list_P.txt`` and ``Split/FF/01/same.txt`` …
        kind: ``"FF"`` (frontal with frontal) or ``"FP"`` (frontal with profile).

    Raises:
        InputError: If a file is missing, or a line is not what its place asks for.
    """
    folder = Path(folder)
    frontal = _numbered(folder / "Pair_list_F.txt")
    other = frontal if kind == "FF" else _numbered(folder / "Pair_list_P.txt")
    splits = sorted(path for path in (folder / "Split" / kind).glob("*") if path.is_dir())
    if not splits:
        raise InputError(
            f"{folder / 'Split' / kind} has no folds.", hint="Name the folder Protocol of CFP.", code="input.pairs"
        )
    pairs, mated, fold = [], [], []
    for number, split in enumerate(splits):
        for name, same in (("same.txt", True), ("diff.txt", False)):
            for line, words in _lines(split / name):
                places = "".join(words).split(",")
                if len(places) != 2 or places[0] not in frontal or places[1] not in other:
                    raise _bad_line(split / name, line, "the numbers of two photos, separated by a comma")
                pairs.append(_two_photos(split / name, line, frontal[places[0]], other[places[1]]))
                mated.append(same)
                fold.append(number)
    return _made(folder, pairs, mated, np.array(fold))


def known_people(pairs: Sequence[tuple[str, str]], mated: Sequence[bool]) -> NDArray[np.str_] | None:
    """Who is on each of the pairs, (P, 2), read from the photos' names in the one way that agrees with the labels."""
    for person in _WAYS:
        named = [(person(first), person(second)) for first, second in pairs]
        if all((one == other) == same for (one, other), same in zip(named, mated, strict=True)):
            return np.array(named, np.str_)
    return None


def _of_lfw(photo: str) -> str:
    """``NAME/NAME_0001.jpg`` or ``NAME_0001.jpg``."""
    return re.sub(r"_\d+$", "", PurePosixPath(photo).stem)


def _of_folder(photo: str) -> str:
    return PurePosixPath(photo).parts[0]


def _of_agedb(photo: str) -> str:
    """``16_MariaCallas_35_f.jpg``: number, name, age, sex."""
    return PurePosixPath(photo).stem.split("_")[min(1, photo.count("_"))]


_WAYS: tuple[Callable[[str], str], ...] = (_of_folder, _of_lfw, _of_agedb)


def _lfw_pair(path: str | Path, number: int, words: list[str], mated: bool) -> tuple[str, str]:
    if mated and len(words) == 3:
        words = [words[0], words[1], words[0], words[2]]
    elif mated or len(words) != 4:
        raise _bad_line(path, number, "NAME NUMBER NUMBER" if mated else "NAME NUMBER NAME NUMBER")
    if not (_is_number(words[1]) and _is_number(words[3])):
        raise _bad_line(path, number, "the numbers of two photos")
    first, second = (f"{name}/{name}_{int(photo):04d}.jpg" for name, photo in (words[:2], words[2:]))
    return _two_photos(path, number, first, second)


def _is_number(word: str) -> bool:
    return word.isdecimal() and len(word) < 10  # Python refuses to read thousands of digits


def _read_csv(path: str | Path) -> PhotoPairs:
    rows = read_table(path, ("first", "second", "mated"))
    pairs = [_two_photos(path, line, row["first"], row["second"]) for line, row in rows.items()]
    mated = [truth(path, line, row["mated"]) for line, row in rows.items()]
    header = next(iter(rows.values()), {}).keys()
    fold = None
    if "fold" in header:
        fold = np.unique([row["fold"] for row in rows.values()], return_inverse=True)[1].astype(np.int64)
    return _made(path, pairs, mated, fold, people_of_pairs(path, rows, mated))


def _two_photos(path: str | Path, number: int, first: str, second: str) -> tuple[str, str]:
    """The pair, if it is one: a photo is as alike to itself as can be, whatever the encoder."""
    if first == second:
        raise InputError(
            f"Line {number} of {path} compares the photo {first} with itself.",
            hint="A pair has two photos: mend the line, or take it out.",
            code="input.pairs",
        )
    return first, second


def _made(
    path: str | Path,
    pairs: Sequence[tuple[str, str]],
    mated: Sequence[bool],
    fold: NDArray[np.int64] | None,
    people: NDArray[np.str_] | None = None,
) -> PhotoPairs:
    if not pairs:
        raise InputError(f"The list of pairs {path} is empty.", code="input.pairs")
    same = np.array(mated)
    return PhotoPairs(
        first=tuple(first for first, _ in pairs),
        second=tuple(second for _, second in pairs),
        mated=same,
        fold=tenths(same) if fold is None else fold,
        people=known_people(pairs, mated) if people is None else people,
    )


def tenths(mated: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Which tenth of its kind each pair is in; 0 where a kind has fewer than ten."""
    counts = np.bincount(mated.astype(np.int64), minlength=2)
    if counts.min() < FOLDS:
        return np.zeros(len(mated), np.int64)
    place = np.where(mated, np.cumsum(mated), np.cumsum(~mated)) - 1
    return np.asarray(place * FOLDS // counts[mated.astype(np.int64)], np.int64)


def _numbered(path: Path) -> dict[str, str]:
    """CFP's list of photos: ``12 ../Data/Images/002/frontal/02.jpg`` as "12" → "002/frontal/02.jpg"."""
    rows = [(number, _exactly(path, number, words, 2, "NUMBER PATH")) for number, words in _lines(path)]
    return {words[0]: "/".join(PurePosixPath(words[1]).parts[-3:]) for _, words in rows}


def _exactly(path: str | Path, number: int, words: list[str], count: int, wanted: str) -> list[str]:
    if len(words) != count:
        raise _bad_line(path, number, wanted)
    return words


def truth(path: str | Path, number: int, label: str) -> bool:
    """Whether a label says that a pair is mated.

    Raises:
        InputError: If it says neither.
    """
    if label.lower() not in _TRUE | _FALSE:
        raise InputError(
            f"Line {number} of {path} should have the label 1 (mated) or 0 (non-mated), and has {label}.",
            hint="The words true and false, yes and no, mated and non-mated are understood too.",
            code="input.pairs",
        )
    return label.lower() in _TRUE


def _lines(path: str | Path) -> list[tuple[int, list[str]]]:
    """The words of each line that has any, with its number."""
    rows = [
        (number, line.split())
        for number, line in enumerate(read_text(path, "list of pairs").split("\n"), start=1)
        if line.strip()
    ]
    if not rows:
        raise InputError(f"The list of pairs {path} is empty.", code="input.pairs")
    return rows


def _bad_line(path: str | Path, number: int, wanted: str) -> InputError:
    return InputError(
        f"Line {number} of the list of pairs {path} should be: {wanted}.",
        hint="Names and numbers are separated by spaces or tabs.",
        code="input.pairs",
    )
