from pathlib import Path

import numpy as np
import pytest

from mien.errors import ConfigError
from mien.training.mining import find_triplets, read_triplets, write_triplets

PHOTOS = ["Ada/1.jpg", "Ada/2, left.jpg", 'Bo/"1".jpg', "Çelik/1.jpg"]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    triplets = np.array([[0, 1, 2], [1, 0, 3]])
    file = tmp_path / "triplets.csv"
    write_triplets(file, triplets, PHOTOS)
    assert file.read_text(encoding="utf-8").splitlines()[:2] == [
        "anchor,positive,negative",
        'Ada/1.jpg,"Ada/2, left.jpg","Bo/""1"".jpg"',
    ]
    assert np.array_equal(read_triplets(file, PHOTOS), triplets)
    assert read_triplets(file, PHOTOS[::-1]).tolist() == [[3, 2, 1], [2, 3, 0]], "by name, not by row"


def test_other_columns_and_a_byte_order_mark_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "triplets.csv"
    file.write_text("\ufeffnegative,note,anchor,positive\nc,why not,a,b\n", encoding="utf-8")
    assert read_triplets(file, ["a", "b", "c"]).tolist() == [[0, 1, 2]]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "has no column anchor, positive, negative"),
        ("anchor,positive\na,b\n", "has no column negative"),
        ("anchor,positive,negative\n", "has no triplets"),
        ("anchor,positive,negative\na,b,c\na,b,d\n", r"line 3: there is no photo 'd'"),
        ("anchor,positive,negative\na,b\n", r"line 2: there is no photo ''"),
    ],
)
def test_files_that_say_too_little(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "triplets.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=why):
        read_triplets(file, ["a", "b", "c"])


def test_files_that_can_t_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"can't be read: .*No such file"):
        read_triplets(tmp_path / "none.csv", PHOTOS)
    (tmp_path / "latin.csv").write_bytes(b"anchor,positive,negative\n\xe7,b,c\n")
    with pytest.raises(ConfigError, match=r"can't be read: .*utf-8"):
        read_triplets(tmp_path / "latin.csv", PHOTOS)


def test_two_faces_of_one_name(tmp_path: Path) -> None:
    for call in (
        lambda: write_triplets(tmp_path / "t.csv", [[0, 1, 2]], ["a", "b", "a"]),
        lambda: read_triplets(tmp_path / "t.csv", ["a", "a"]),
    ):
        with pytest.raises(ConfigError, match="Two faces are called 'a'"):
            call()


def test_rows_that_are_no_triplets(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must be \(T, 3\)"):
        write_triplets(tmp_path / "t.csv", [[0, 1]], PHOTOS)
    with pytest.raises(ValueError, match="rows 0 … 4 of 4"):
        write_triplets(tmp_path / "t.csv", [[0, 1, 4]], PHOTOS)
    write_triplets(tmp_path / "t.csv", np.zeros((0, 3)), PHOTOS)
    assert (tmp_path / "t.csv").read_text(encoding="utf-8") == "anchor,positive,negative\n"


@pytest.fixture
def people() -> tuple[np.ndarray, np.ndarray]:
    draws = np.random.default_rng(0)
    labels = draws.integers(40, size=300)
    labels[0] = 99  # with one photo
    return draws.normal(size=(100, 16))[labels] * 0.5 + draws.normal(size=(300, 16)), labels


def squared_distances(embeddings: np.ndarray) -> np.ndarray:
    vectors = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    return np.asarray(np.square(vectors[:, None] - vectors[None]).sum(axis=2))


def test_semi_hard_triplets_of_a_set(people: tuple[np.ndarray, np.ndarray]) -> None:
    embeddings, labels = people
    triplets = find_triplets(embeddings, labels, margin=0.3, positives=2, among=None)
    d = squared_distances(embeddings)
    a, p, n = triplets.T
    assert ((labels[a] == labels[p]) & (labels[a] != labels[n]) & (a != p)).all()
    assert ((d[a, p] < d[a, n]) & (d[a, n] < d[a, p] + 0.3)).all()
    strangers = np.where(labels[a, None] != labels, d[a], np.inf)
    nearest = np.where(strangers > d[a, p, None], strangers, np.inf).min(axis=1)
    np.testing.assert_allclose(d[a, n], nearest, rtol=1e-5)
    assert len({(x, y) for x, y in zip(a.tolist(), p.tolist(), strict=True)}) == len(a), "no pair twice"
    assert np.bincount(a).max() == 2
    assert 0 not in a
    assert len(triplets) > 300


def test_hard_and_random_negatives(people: tuple[np.ndarray, np.ndarray]) -> None:
    embeddings, labels = people
    d = squared_distances(embeddings)
    a, _, n = find_triplets(embeddings, labels, negatives="hard", among=None).T
    np.testing.assert_allclose(d[a, n], np.where(labels[a, None] != labels, d[a], np.inf).min(axis=1), rtol=1e-5)
    assert sorted(set(a.tolist())) == [row for row in range(300) if (labels == labels[row]).sum() > 1]
    a, p, n = find_triplets(embeddings, labels, negatives="random").T
    assert ((labels[a] == labels[p]) & (labels[a] != labels[n]) & (a != p)).all()
    assert len(set(n.tolist())) > 100


def test_every_positive_where_so_many_are_asked_for(people: tuple[np.ndarray, np.ndarray]) -> None:
    embeddings, labels = people
    a, p, _ = find_triplets(embeddings, labels, negatives="random", positives=1000).T
    expected = {(x, y) for x in range(300) for y in range(300) if x != y and labels[x] == labels[y]}
    assert set(zip(a.tolist(), p.tolist(), strict=True)) == expected


def test_negatives_are_sought_among_some(people: tuple[np.ndarray, np.ndarray]) -> None:
    embeddings, labels = people
    n = find_triplets(embeddings, labels, negatives="hard", among=5)[:, 2]
    assert len(set(n.tolist())) <= 5


def test_the_seed_decides(people: tuple[np.ndarray, np.ndarray]) -> None:
    one, same, other = (find_triplets(*people, negatives="random", seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_large_set_takes_blocks(monkeypatch: pytest.MonkeyPatch, people: tuple[np.ndarray, np.ndarray]) -> None:
    whole = find_triplets(*people, negatives="hard", among=None)
    monkeypatch.setattr("mien.training.mining.triplet_search.BLOCK", 2000)
    assert np.array_equal(find_triplets(*people, negatives="hard", among=None), whole)


@pytest.mark.parametrize("labels", [[], [1], [1, 1], [1, 2]])
@pytest.mark.parametrize("negatives", ["hard", "semi_hard", "random"])
def test_sets_without_triplets(labels: list[int], negatives: str) -> None:
    embeddings = np.ones((len(labels), 3))
    assert find_triplets(embeddings, np.array(labels, np.int64), negatives=negatives).shape == (0, 3)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"negatives": "easy"}, {"margin": -1}, {"positives": 0}, {"among": 0}])
def test_arguments_outside_their_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        find_triplets(np.ones((4, 3)), np.array([0, 0, 1, 1]), **wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="labels of shape"):
        find_triplets(np.ones((4, 3)), np.array([0, 0, 1]))
