"""Whether two names may be one person's, however they are written."""

import re
import unicodedata
from collections.abc import Iterable

_NOT_DECOMPOSED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
"""Letters that Unicode takes for letters of their own, and names in other alphabets are written without."""
_WITHIN_WORDS = re.compile(r"['’`´.]")
_NO_LETTER = re.compile(r"[\W\d_]+")
_FEWEST_NAMES = 5
"""From how many names on a word that all of them have is taken for a label of the set."""


def same_names(people: Iterable[str], others: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Find the people of one set who are called like somebody of another.

    Accents, case, digits, underscores and the order of words don't count, nor do initials, nor words that all names of
    a set have (``pins_``). Middle names don't count where first and last name agree. Two people may share a name, and
    one may have several: this is a first look, made to miss few.

    Args:
        people: Names of the one set.
        others: Names of the other.

    Returns:
        For each of `people` who is called like some of `others`, those. Names without words, such as numbers, agree
        with none.
    """
    people, others = list(dict.fromkeys(people)), list(dict.fromkeys(others))
    by_key: dict[str, list[str]] = {}
    common = _words_of_all(others)
    for other in others:
        for key in _keys(other, common):
            by_key.setdefault(key, []).append(other)
    common = _words_of_all(people)
    found = {person: [other for key in _keys(person, common) for other in by_key.get(key, ())] for person in people}
    return {person: tuple(sorted(set(alike))) for person, alike in found.items() if alike}


def _words(name: str) -> list[str]:
    """The words of a name in small plain letters, without initials."""
    decomposed = unicodedata.normalize("NFKD", name.casefold().translate(_NOT_DECOMPOSED))
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return [word for word in _NO_LETTER.split(_WITHIN_WORDS.sub("", plain)) if len(word) > 1]


def _words_of_all(names: list[str]) -> frozenset[str]:
    if len(names) < _FEWEST_NAMES:
        return frozenset()
    return frozenset(set.intersection(*(set(_words(name)) for name in names)))


def _keys(name: str, common: frozenset[str]) -> set[str]:
    """Forms of a name; two names that share one may be one person's."""
    words = [word for word in _words(name) if word not in common]
    if not words:
        return set()
    # Joined, so that "de Niro" is "DeNiro"; first and last alone, so that "Robin McLaurin Williams" is "Robin Williams"
    return {"".join(words), " ".join(sorted(words)), " ".join(sorted({words[0], words[-1]}))}
