import numpy as np
import pytest
from numpy.typing import NDArray

from mien.evaluation import Searches, search
from mien.evaluation.scores import searching
from mien.evaluation.scores.normalisation import ADAPTIVE_COHORT, Normalisation
from mien.progress import reporting

Vectors = NDArray[np.float32]


def drawn(rng: np.random.Generator, centres: NDArray[np.float64], person: NDArray[np.int64]) -> Vectors:
    return np.asarray(centres[person] + 1.2 * rng.standard_normal((len(person), centres.shape[1])), np.float32)


def names(person: NDArray[np.int64]) -> list[str]:
    return [f"{number:03d}" for number in person]


def unit(vectors: Vectors) -> NDArray[np.float64]:
    rows = vectors.astype(np.float64)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def by_a_loop(
    probes: Vectors, gallery: Vectors, cohort: Vectors, normalisation: Normalisation, most_alike: int
) -> NDArray[np.float64]:
    """The (P, N) normalised similarities, one at a time."""
    similarity = unit(probes) @ unit(gallery).T
    if normalisation == "none":
        return np.asarray(similarity)
    take = most_alike if normalisation == "s-adaptive" else len(cohort)
    of_probes, of_templates = (
        [np.sort(unit(cohort) @ row)[::-1][:take] for row in unit(side)] for side in (probes, gallery)
    )
    result = np.empty_like(similarity)
    for i, one in enumerate(of_probes):
        for j, other in enumerate(of_templates):
            z = (similarity[i, j] - other.mean()) / other.std(ddof=1)
            t = (similarity[i, j] - one.mean()) / one.std(ddof=1)
            result[i, j] = {"z": z, "t": t, "s-adaptive": (z + t) / 2}[normalisation]
    return result


@pytest.mark.parametrize("normalisation", ["none", "z", "t", "s-adaptive"])
@pytest.mark.parametrize("blocks", [(16, 20), (512, 8192)])
def test_equal_to_a_loop_over_probes_and_people(
    normalisation: Normalisation, blocks: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "_PROBES", blocks[0])
    monkeypatch.setattr(searching, "_TEMPLATES", blocks[1])
    monkeypatch.setattr("mien.evaluation.scores.normalisation.ADAPTIVE_COHORT", 12)
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((60, 16))
    owner, person = rng.integers(0, 20, 50), rng.integers(0, 40, 45)
    gallery, probes = drawn(rng, centres, owner), drawn(rng, centres, person)
    cohort = rng.standard_normal((40, 16)).astype(np.float32)
    found = search(
        probes, names(person), gallery, names(owner), candidates=7, normalisation=normalisation, cohort=cohort
    )
    similarity = by_a_loop(probes, gallery, cohort, normalisation, 12)
    people = np.unique(owner)
    best = np.stack([similarity[:, owner == one].max(axis=1) for one in people], axis=1)
    for probe, own in enumerate(person):
        order = np.argsort(-best[probe])[:7]
        assert found.candidate[probe].tolist() == order.tolist()
        np.testing.assert_allclose(found.similarity[probe], best[probe, order], atol=2e-5)
        if own not in people:
            assert (found.mate[probe], found.mate_rank[probe]) == (-1, -1)
            assert np.isnan([found.mate_similarity[probe]]).all()
            continue
        mate = int(np.searchsorted(people, own))
        assert found.mate[probe] == mate
        assert found.mate_similarity[probe] == pytest.approx(best[probe, mate], abs=2e-5)
        assert found.mate_rank[probe] == (best[probe] > best[probe, mate]).sum()
        many = (owner == own).sum()
        right = owner[np.argsort(-similarity[probe])[:many]] == own
        expected = (right * np.cumsum(right) / np.arange(1, many + 1)).sum() / many
        assert found.average_precision is not None
        assert found.average_precision[probe] == pytest.approx(expected, abs=1e-6)
    assert (found.gallery_people, found.gallery_templates) == (len(people), 50)
    assert found.person.tolist() == np.unique(person, return_inverse=True)[1].tolist()


def test_a_probe_without_a_face_finds_nobody() -> None:
    probes = np.eye(3, dtype=np.float32)
    probes[1] = np.nan
    found = search(probes, list("abc"), np.eye(3, dtype=np.float32), list("abx"), candidates=2)
    assert np.isnan(found.similarity[1]).all()
    assert found.candidate.tolist() == [[0, 1], [-1, -1], [2, 0]]
    assert found.mate.tolist() == [0, 1, -1]
    assert found.mate_rank.tolist() == [0, -1, -1]
    assert np.isnan(found.mate_similarity).tolist() == [False, True, True]


def test_an_equal_similarity_counts_against_the_mate() -> None:
    one = np.array([[1, 0]], np.float32)
    found = search(one, ["b"], np.repeat(one, 3, axis=0), list("abc"))
    assert found.mate_rank.tolist() == [2]
    assert found.similarity.shape == (1, 3)


def test_equal_templates_are_equal_however_a_product_is_blocked() -> None:
    rng = np.random.default_rng(0)
    one = rng.standard_normal((200, 512)).astype(np.float32)
    probes = rng.standard_normal((200, 512)).astype(np.float32)
    person = [f"{number:03d}" for number in range(200)]
    found = search(probes, person, np.concatenate([one, one]), [*person, *(f"{name} again" for name in person)])
    alone = search(probes, person, one, person)
    np.testing.assert_array_equal(found.mate_rank, 2 * alone.mate_rank + 1)


def test_one_person_with_more_templates_than_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "_TEMPLATES", 4)
    rng = np.random.default_rng(0)
    gallery = rng.standard_normal((30, 8)).astype(np.float32)
    owner = ["a"] * 3 + ["b"] * 20 + ["c"] * 7
    found = search(gallery, owner, gallery, owner, candidates=1)
    assert found.mate_rank.tolist() == [0] * 30
    np.testing.assert_allclose(found.mate_similarity, 1, atol=1e-6)


def test_no_probes_at_all() -> None:
    found = search(np.empty((0, 4), np.float32), [], np.ones((1, 4), np.float32), ["a"])
    assert isinstance(found, Searches)
    assert len(found) == 0


def test_mistakes_are_named() -> None:
    ones = np.ones((2, 3), np.float32)
    with pytest.raises(ValueError, match="people for"):
        search(ones, ["a"], ones, list("ab"))
    with pytest.raises(ValueError, match="candidates"):
        search(ones, list("ab"), ones, list("ab"), candidates=0)
    with pytest.raises(ValueError, match="candidates"):
        search(ones, list("ab"), ones[:0], [])
    with pytest.raises(ValueError, match="zero or not finite"):
        search(ones, list("ab"), np.full((2, 3), np.nan, np.float32), list("ab"))
    with pytest.raises(ValueError, match="needs a cohort"):
        search(ones, list("ab"), ones, list("ab"), normalisation="z")
    with pytest.raises(ValueError, match="no normalisation"):
        search(ones, list("ab"), ones, list("ab"), normalisation="best")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no spread"):
        search(ones, list("ab"), ones, list("ab"), normalisation="t", cohort=ones[:1])
    with pytest.raises(ValueError, match="equally alike"):
        search(ones, list("ab"), ones, list("ab"), normalisation="t", cohort=ones)


def test_an_adaptive_norm_with_the_whole_cohort_is_the_mean_of_z_and_t() -> None:
    rng = np.random.default_rng(1)
    probes, gallery, cohort = (rng.standard_normal((count, 8)).astype(np.float32) for count in (5, 9, 30))
    assert len(cohort) < ADAPTIVE_COHORT
    kinds: tuple[Normalisation, ...] = ("z", "t", "s-adaptive")
    z, t, s = (
        search(probes, list("abcde"), gallery, list("abcdefghi"), normalisation=kind, cohort=cohort).mate_similarity
        for kind in kinds
    )
    np.testing.assert_allclose(s, (z + t) / 2, rtol=1e-5)


def test_progress_is_reported_to_the_end() -> None:
    seen: list[tuple[str, int, int | None]] = []
    with reporting(lambda *said: seen.append(said)):
        search(np.ones((3, 2), np.float32), list("abc"), np.ones((1, 2), np.float32), ["a"])
    assert (seen[0], seen[-1]) == (("searching", 0, 3), ("searching", 3, 3))
