import numpy as np
import pytest
from numpy.typing import NDArray

from mien.evaluation import find_doubles


def photos(people: list[int], seed: int = 0, noise: float = 0.8) -> NDArray[np.float32]:
    faces = np.random.default_rng(99).standard_normal((max(people) + 1, 32))
    rows = faces[people] + noise * np.random.default_rng(seed).standard_normal((len(people), 32))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def test_most_people_under_two_names_are_found_and_nobody_else() -> None:
    whose = np.repeat(np.arange(60), 4)
    names = [
        f"{number:02d}{'b' if place >= 2 and number < 20 else ''}"
        for place, number in zip([0, 1, 2, 3] * 60, whose, strict=True)
    ]
    found = find_doubles(photos(whose.tolist()), names)
    assert 10 <= len(found) <= 20
    assert all(double.second == double.first + "b" for double in found)
    assert found[0].reason == (
        f"{found[0].first} and {found[0].second} may be one person: their photos are as alike "
        f"({found[0].similarity:.3f}) as those of one person are ({found[0].typical:.3f})."
    )
    assert set(found[0].to_dict()) == {"first", "second", "similarity", "typical"}


def test_what_is_typical_is_the_quartile_of_the_means_over_each_persons_pairs() -> None:
    rows = photos(np.repeat(np.arange(12), 4).tolist(), noise=0.1)
    rows[40:44] = rows[36:40]
    [double] = find_doubles(rows, [f"{number:02d}" for number in np.repeat(np.arange(12), 4)])
    alike = rows.astype(np.float64) @ rows.T.astype(np.float64)
    own = [np.mean([alike[4 * p + a, 4 * p + b] for a in range(4) for b in range(a)]) for p in range(12)]
    assert double.typical == pytest.approx(float(np.quantile(own, 0.25)), abs=1e-6)
    assert (double.first, double.second) == ("09", "10")
    assert double.similarity == pytest.approx(float(alike[36:40, 40:44].mean()), abs=1e-6)


def test_a_photo_each_tells_nothing_without_knowing_what_is_typical() -> None:
    rows = photos([0, 0, 1, 2], noise=0.3)
    names = ["a", "b", "c", "d"]
    assert find_doubles(rows, names) == []
    [double] = find_doubles(rows, names, typical=0.6)
    assert (double.first, double.second, double.typical) == ("a", "b", 0.6)


def test_the_most_alike_come_first_and_no_more_than_asked() -> None:
    found = find_doubles(np.full((50, 4), 0.5, np.float32), [str(number) for number in range(50)], typical=0.9, most=7)
    assert len(found) == 7
    assert all(double.similarity == 1 for double in found)


def test_nobody_has_no_double() -> None:
    assert find_doubles(np.zeros((0, 4), np.float32), [], typical=0.5) == []
