from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.evaluation import EDGES, score_all_pairs
from mien.evaluation.scores.pair_scores import PEOPLE_EDGES
from mien.progress import reporting


def embeddings_of(people: list[str], seed: int = 0, dimensions: int = 5) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    centres = {person: rng.standard_normal(dimensions) for person in sorted(set(people))}
    rows = np.array([centres[person] + 0.7 * rng.standard_normal(dimensions) for person in people], np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def by_brute_force(embeddings: NDArray[np.float32], people: list[str]) -> dict[str, NDArray[np.float64]]:
    names = sorted(set(people))
    photos = {person: people.count(person) for person in names}
    fine = {kind: np.zeros(len(EDGES)) for kind in ("mated", "mated_balanced", "non_mated", "non_mated_balanced")}
    coarse = {kind: np.zeros((len(names), len(PEOPLE_EDGES))) for kind in ("mated_by_person", "non_mated_by_person")}
    similarity = embeddings @ embeddings.T
    for i, j in combinations(range(len(people)), 2):
        at, roughly = (np.searchsorted(edges, similarity[i, j], side="right") - 1 for edges in (EDGES, PEOPLE_EDGES))
        a, b = people[i], people[j]
        kind = "mated" if a == b else "non_mated"
        weight = 2 / (photos[a] * (photos[a] - 1)) if a == b else 1 / (photos[a] * photos[b])
        fine[kind][at] += 1
        fine[f"{kind}_balanced"][at] += weight
        for person in {a, b}:
            coarse[f"{kind}_by_person"][names.index(person), roughly] += weight
    return fine | coarse


peoples = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=40)


@settings(max_examples=30)
@given(peoples, st.integers(0, 100))
def test_equal_to_brute_force(people: list[str], seed: int) -> None:
    embeddings = embeddings_of(people, seed)
    scores = score_all_pairs(embeddings, people)
    for name, expected in by_brute_force(embeddings, people).items():
        counted = getattr(scores, name)
        assert counted.sum() == pytest.approx(expected.sum()), name
        assert np.abs(np.cumsum(counted - expected, axis=-1)).max() <= 1 + 1e-9, name  # a rounding error at an edge


@pytest.mark.parametrize("tile", [7, 64])
def test_many_tiles_give_the_same_as_brute_force(tile: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.evaluation.scores.pair_scores._TILE", tile)
    people = [f"{number:03d}" for number in np.random.default_rng(0).geometric(0.1, 150)]
    embeddings = embeddings_of(people)
    scores = score_all_pairs(embeddings, people)
    for name, expected in by_brute_force(embeddings, people).items():
        moved = np.abs(np.cumsum(getattr(scores, name) - expected, axis=-1)).sum(axis=-1).max()
        assert moved <= 1e-3 * expected.sum(), name  # a similarity within a rounding error of an edge may be beyond it
    assert scores.mated.sum() + scores.non_mated.sum() == 150 * 149 // 2


def test_the_extremes_are_exact_and_name_the_photos() -> None:
    people = [f"{number:03d}" for number in np.random.default_rng(1).geometric(0.02, 1300)]
    embeddings = embeddings_of(people)
    scores = score_all_pairs(embeddings, people, extremes=500)
    similarity = embeddings @ embeddings.T
    i, j = np.triu_indices(1300, 1)
    same = np.array(people)[i] == np.array(people)[j]
    for extremes, expected in (
        (scores.highest_non_mated, -np.sort(-similarity[i, j][~same])[:500]),
        (scores.lowest_mated, np.sort(similarity[i, j][same])[:500]),
    ):
        np.testing.assert_allclose(extremes.similarity, expected, atol=1e-6)
        a, b = extremes.photos.T
        np.testing.assert_allclose(np.einsum("ij,ij->i", embeddings[a], embeddings[b]), expected, atol=1e-6)
    photos = scores.highest_non_mated.photos
    assert all(people[a] != people[b] for a, b in photos)
    assert len(np.unique(np.sort(photos, axis=1), axis=0)) == 500


@settings(max_examples=30)
@given(peoples)
def test_the_order_of_the_photos_does_not_matter(people: list[str]) -> None:
    embeddings = embeddings_of(people)
    order = np.random.default_rng(len(people)).permutation(len(people))
    one, other = (
        score_all_pairs(embeddings, people),
        score_all_pairs(embeddings[order], [people[at] for at in order]),
    )
    for name in ("mated", "non_mated"):
        assert np.abs(np.cumsum(getattr(one, name) - getattr(other, name))).sum() <= 2
    assert one.people == other.people
    assert (one.person[order] == other.person).all()


def test_length_does_not_matter_only_direction() -> None:
    people = list("aabbcc")
    embeddings = embeddings_of(people)
    assert (
        score_all_pairs(embeddings * np.float32(8), people).mated == score_all_pairs(embeddings, people).mated
    ).all()


def test_equal_photos_reach_the_last_bins() -> None:
    scores = score_all_pairs(np.ones((6, 4), np.float32), list("aabbcc"))
    assert (scores.mated[-2:].sum(), scores.non_mated[-2:].sum()) == (3, 12)
    opposite = score_all_pairs(np.array([[1, 0], [-1, 0]], np.float32), list("ab"))
    assert opposite.non_mated[0] == 1


@pytest.mark.parametrize(("photos", "mated", "non_mated"), [("a", 0, 0), ("aa", 1, 0), ("ab", 0, 1)])
def test_the_smallest_sets(photos: str, mated: int, non_mated: int) -> None:
    scores = score_all_pairs(embeddings_of(list(photos)), list(photos))
    assert (scores.mated.sum(), scores.non_mated.sum()) == (mated, non_mated)
    assert len(scores.highest_non_mated.similarity) == non_mated


def test_no_photos_at_all() -> None:
    scores = score_all_pairs(np.empty((0, 4), np.float32), [])
    assert (scores.people, scores.mated.sum(), scores.non_mated.sum()) == ((), 0, 0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_an_embedding_that_is_none_is_a_mistake(bad: float) -> None:
    embeddings = embeddings_of(list("aab"))
    embeddings[1] = bad
    with pytest.raises(ValueError, match="zero or not finite"):
        score_all_pairs(embeddings, list("aab"))


def test_shapes_that_do_not_fit_are_mistakes() -> None:
    with pytest.raises(ValueError, match="people for embeddings"):
        score_all_pairs(np.ones((3, 4), np.float32), ["a"])
    with pytest.raises(ValueError, match="people for embeddings"):
        score_all_pairs(np.ones(3, np.float32), ["a", "b", "c"])
    with pytest.raises(ValueError, match="extremes"):
        score_all_pairs(np.ones((1, 3), np.float32), ["a"], extremes=0)


def test_progress_is_reported_to_the_end() -> None:
    seen: list[tuple[str, int, int | None]] = []
    with reporting(lambda *said: seen.append(said)):
        score_all_pairs(embeddings_of(["a"] * 1100), ["a"] * 1100)
    total = 1100 * 1099 // 2
    assert (seen[0][1], seen[-1][1:]) == (0, (total, total))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
