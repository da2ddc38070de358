import json
from collections.abc import Sequence
from heapq import heappop
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from made_calibration import made_calibration
from mien.decisions.clustering import Clustering, Method, cluster, linking
from mien.decisions.clustering.clustering import by_size
from mien.errors import CalibrationError

CALIBRATION = made_calibration()
OPEN: Sequence[Method] = ("graph", "agglomerative")
METHODS: Sequence[Method] = (*OPEN, "kmeans")
every_method = pytest.mark.parametrize("method", METHODS)
open_methods = pytest.mark.parametrize("method", OPEN)


def faces(sizes: Sequence[int], *, spread: float = 0.05, width: int = 64, seed: int = 0) -> tuple[Any, Any]:
    """(N, width) embeddings of people with so many faces each, in mixed order, and the person of each."""
    random = np.random.default_rng(seed)
    people = random.normal(size=(len(sizes), width))
    people /= np.linalg.norm(people, axis=1, keepdims=True)
    who = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    embeddings = people[who] + spread * random.normal(size=(len(who), width))
    return (embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).astype(np.float32), who


def run(embeddings: Any, method: Method, people: int = 3, **more: Any) -> Clustering:
    if method == "kmeans":
        return cluster(embeddings, method=method, people=people, **more)
    return cluster(embeddings, CALIBRATION, method=method, fmr=1e-5, **more)


def same_grouping(one: NDArray[np.int64], other: NDArray[np.int64]) -> bool:
    return np.array_equal(by_size(one), by_size(other))


@every_method
def test_people_are_found(method: Method) -> None:
    embeddings, who = faces([12, 7, 7, 3, 2, 1, 1, 1])
    found = run(embeddings, method, people=8)
    assert same_grouping(found.labels, who)
    assert len(found) == 8
    assert found.alone == 3
    assert found.sizes.tolist() == [12, 7, 7, 3, 2, 1, 1, 1]
    assert found.labels.dtype == np.int64


@open_methods
def test_blurred_faces_are_put_to_sharp_ones_alone(method: Method) -> None:
    embeddings, who = faces([5, 4, 2, 1], seed=5)
    blurred = np.zeros(len(who), bool)
    blurred[np.flatnonzero(who == 0)[:2]] = True  # two of a person who has sharp faces too
    blurred[who == 2] = True  # all that there are of another
    found = run(embeddings, method, blurred=blurred)
    apart = np.where(blurred & (who == 2), 100 + np.arange(len(who)), who)
    assert same_grouping(found.labels, apart)
    assert found.reason.endswith("; 4 faces too blurred, noisy or small to be compared with one another")
    assert same_grouping(run(embeddings, method).labels, who)
    by_threshold = cluster(embeddings, method=method, threshold=0.5, blurred=blurred)
    assert same_grouping(by_threshold.labels, who)
    assert "blurred" not in by_threshold.reason


@open_methods
def test_of_two_blurred_faces_of_one_photo_the_more_alike_is_put_to_a_person(method: Method) -> None:
    embeddings = [[1, 0], [1, 0.2], [1, 0.1], [1, 0.3]]
    blurred = [False, True, True, True]
    found = run(embeddings, method, blurred=blurred, photo_of_face=[0, 1, 1, 0])
    assert found.labels.tolist() == [0, 1, 0, 2]


def test_all_faces_blurred() -> None:
    assert run(np.ones((3, 2)), "graph", blurred=np.ones(3, bool)).labels.tolist() == [0, 1, 2]
    assert run(np.zeros((0, 2)), "graph", blurred=np.zeros(0, bool)).labels.tolist() == []


@every_method
def test_groups_go_by_size_and_then_by_first_face(method: Method) -> None:
    embeddings, _ = faces([4, 4, 2, 1, 1], seed=3)
    found = run(embeddings, method, people=5)
    groups = found.groups()
    assert [(-len(group), group[0]) for group in groups] == sorted((-len(group), group[0]) for group in groups)
    assert all((found.labels[group] == number).all() for number, group in enumerate(groups))
    assert all((np.diff(group) > 0).all() for group in groups)
    assert sorted(np.concatenate(groups).tolist()) == list(range(12))


@every_method
def test_two_faces_of_one_photo_are_never_together(method: Method) -> None:
    embeddings, who = faces([8, 8, 8], seed=1)
    embeddings[1] = embeddings[0]  # twins
    photos = np.arange(len(who))
    photos[1] = photos[0]
    photos[5] = photos[4] = photos[3]
    labels = run(embeddings, method, people=4, photo_of_face=photos).labels
    for photo in np.unique(photos):
        assert len(np.unique(labels[photos == photo])) == np.count_nonzero(photos == photo)


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), photos=st.lists(st.integers(0, 5), min_size=1, max_size=14))
@every_method
def test_photos_keep_apart_and_everyone_is_somewhere(method: Method, seed: int, photos: list[int]) -> None:
    embeddings = np.random.default_rng(seed).normal(size=(len(photos), 3)) + np.array([2, 0, 0])  # all much alike
    found = run(embeddings, method, people=14, photo_of_face=photos)
    assert len(found.labels) == len(photos)
    assert set(found.labels.tolist()) == set(range(len(found)))
    pairs = set(zip(photos, found.labels.tolist(), strict=True))
    assert len(pairs) == len(photos)


def test_kmeans_moves_the_faces_of_one_photo_as_little_as_it_can() -> None:
    angles = np.deg2rad([0, 1, 2, 88, 89, 90, 20, 10])
    embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    alike = cluster(embeddings, method="kmeans", people=2).labels
    assert alike[6] == alike[7] == alike[0]
    labels = cluster(embeddings, method="kmeans", people=2, photo_of_face=[0, 1, 2, 3, 4, 5, 6, 6]).labels
    assert labels[7] == labels[0]
    assert labels[6] == labels[3]


def test_a_bridge_between_two_people_does_not_join_them() -> None:
    # 0°, 40°, 80°, … each alike to the next (cos 40° = 0.77), the ends opposite: single linkage would chain them all.
    angles = np.deg2rad([0, 1, 2, 3, 43, 83, 123, 124, 125, 126])
    embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    for method in OPEN:
        labels = cluster(embeddings, method=method, threshold=0.7).labels
        assert labels[0] != labels[-1]
        assert len(set(labels[:4])) == len(set(labels[-4:])) == 1


@pytest.mark.parametrize("seed", range(5))
def test_agglomerative_is_average_linkage(seed: int) -> None:
    embeddings, _ = faces([15, 9, 5, 4, 2, 1, 1, 1], spread=0.12, seed=seed)
    for threshold in (0.9, 0.6, 0.4, 0.2, 0.0):
        tree = linkage(embeddings.astype(np.float64), "average", metric="cosine")
        expected = fcluster(tree, 1 - threshold, "distance").astype(np.int64)
        assert same_grouping(cluster(embeddings, method="agglomerative", threshold=threshold).labels, expected)


@pytest.mark.parametrize("seed", range(3))
def test_graph_is_the_greedy_rule_where_every_neighbour_is_seen(seed: int) -> None:
    embeddings, _ = faces([12, 8, 5, 2, 1, 1, 1], spread=0.15, width=16, seed=seed)
    photos = np.random.default_rng(seed).integers(0, 15, len(embeddings))
    for threshold in (0.7, 0.5, 0.3):
        expected = by_greed(embeddings.astype(np.float64), threshold, photos)
        found = cluster(embeddings, threshold=threshold, photo_of_face=photos)
        assert same_grouping(found.labels, expected)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(2, 150),
    neighbours=st.integers(1, 20),
    photos=st.integers(1, 300),
    kind=st.sampled_from(get_args(linking.Linkage)),
    rounded=st.booleans(),
)
def test_only_the_first_candidate_of_each_group_need_be_kept(
    seed: int, count: int, neighbours: int, photos: int, kind: linking.Linkage, rounded: bool
) -> None:
    random = np.random.default_rng(seed)
    units = random.normal(size=(3, 6))[random.integers(3, size=count)] + random.normal(size=(count, 6))
    if rounded:  # many ties
        units = np.round(units)
    units /= np.maximum(np.linalg.norm(units, axis=1, keepdims=True), 1)
    photo = random.integers(photos, size=count)
    kept_apart = [{int(number)} for number in photo]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linking, "NEIGHBOURS", neighbours)
        groups, others = (linking._Groups(units, np.arange(count), kind) for _ in range(2))
        expected = with_every_candidate(groups, 0.3, [set(photos) for photos in kept_apart])
        np.testing.assert_array_equal(linking._join_neighbours(others, 0.3, kept_apart), expected)


def with_every_candidate(groups: linking._Groups, threshold: float, photos: list[set[int]]) -> NDArray[np.int64]:
    """Linking with each pair of neighbours there ever is among the candidates."""
    members = {group: [group] for group in range(groups.count)}
    near: dict[int, set[int]] = {group: set() for group in members}
    candidates = []
    for a, b, alike in zip(*groups.edges(threshold), strict=True):
        near[a].add(b)
        near[b].add(a)
        candidates.append((-alike, a, b))
    while candidates:
        candidates.remove(best := min(candidates))
        _, a, b = best
        if a not in members or b not in members:
            continue
        if photos[a] & photos[b]:
            near[a] -= {b}
            near[b] -= {a}
            continue
        joined = groups.join(a, b)
        members[joined] = members.pop(a) + members.pop(b)
        photos.append(photos[a] | photos[b])
        near[joined] = {other for other in near[a] | near[b] if other in members}
        for other in near[joined]:
            near[other].add(joined)
        candidates += groups.most_alike(joined, np.array(sorted(near[joined]), np.int64), threshold)
    labels = np.zeros(sum(map(len, members.values())), np.int64)
    for number, group in enumerate(sorted(members)):
        labels[members[group]] = number
    return labels


def test_linking_one_person_looks_at_few_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    embeddings, _ = faces([600], spread=0.1)
    looked_at = []

    def looking(candidates: list[tuple[float, int, int]]) -> tuple[float, int, int]:
        looked_at.append(heappop(candidates))
        return looked_at[-1]

    monkeypatch.setattr(linking, "NEIGHBOURS", 8)
    monkeypatch.setattr("heapq.heappop", looking)
    assert len(cluster(embeddings, threshold=0.3)) == 1
    assert len(looked_at) < 20 * len(embeddings)


def by_greed(units: NDArray[np.float64], threshold: float, photos: NDArray[np.int64]) -> NDArray[np.int64]:
    """The definition: again and again, join the two groups whose linkage is the greatest."""
    groups = [[face] for face in range(len(units))]
    while True:
        best = (threshold, -1, -1)
        for i, one in enumerate(groups):
            for j, other in enumerate(groups[:i]):
                if set(photos[one]) & set(photos[other]):
                    continue
                a, b = units[one].sum(0), units[other].sum(0)
                average = (a @ b) / (len(one) * len(other))
                cosine = (a @ b) / (np.linalg.norm(a) * np.linalg.norm(b))
                value = np.sign(average) * np.sqrt(average * cosine)
                if value >= best[0]:
                    best = (value, i, j)
        if best[1] < 0:
            break
        groups[best[2]] += groups.pop(best[1])
    labels = np.zeros(len(units), np.int64)
    for number, group in enumerate(groups):
        labels[group] = number
    return labels


def test_a_burst_of_photos_longer_than_the_neighbour_list_is_still_joined() -> None:
    random = np.random.default_rng(0)
    first, second = np.array([1.0, 0, 0, 0]), np.array([0.8, 0.6, 0, 0])
    bursts = np.concatenate([np.tile(first, (200, 1)), np.tile(second, (200, 1))])
    bursts += 1e-3 * random.normal(size=bursts.shape)
    assert len(cluster(bursts, threshold=0.5)) == 1


@every_method
def test_nobody_one_and_two(method: Method) -> None:
    embeddings, _ = faces([2])
    for n in range(3):
        found = run(embeddings[:n], method, people=1)
        assert found.labels.tolist() == [0] * n
        assert len(found) == len(found.groups()) == min(n, 1)
        json.dumps(found.to_dict())
    assert run(np.zeros((0, 0)), method).groups() == []


@open_methods
def test_those_alike_by_no_threshold_stay_alone(method: Method) -> None:
    found = run(np.eye(5), method)
    assert found.labels.tolist() == [0, 1, 2, 3, 4]
    assert found.alone == 5
    opposite = run(np.array([[1.0, 0], [-1, 0]]), method)
    assert len(opposite) == 2


@every_method
def test_equal_faces_are_together(method: Method) -> None:
    found = run(np.tile([[0.6, 0.8]], (300, 1)), method)
    assert len(found) == 1


@open_methods
def test_at_the_threshold_is_together(method: Method) -> None:
    embeddings = np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)]])
    assert len(cluster(embeddings, method=method, threshold=0.5 - 1e-6)) == 1
    assert len(cluster(embeddings, method=method, threshold=0.5 + 1e-6)) == 2


@open_methods
def test_length_does_not_matter_and_zero_is_like_nothing(method: Method) -> None:
    embeddings, who = faces([5, 4, 1])
    scaled = embeddings * np.linspace(0.1, 50, len(who))[:, None]
    assert same_grouping(run(scaled, method).labels, who)
    embeddings[0] = 0
    assert np.count_nonzero(run(embeddings, method).labels == run(embeddings, method).labels[0]) == 1


@every_method
def test_the_same_again(method: Method) -> None:
    embeddings, _ = faces([9, 9, 9, 9, 3, 1, 1], spread=0.15, seed=2)
    assert np.array_equal(run(embeddings, method).labels, run(embeddings, method).labels)


@pytest.mark.slow
@open_methods
def test_ten_thousand_faces(method: Method) -> None:
    sizes = [400, 200, *[20] * 300, *[1] * 3400]
    embeddings, who = faces(sizes, width=128, spread=0.05)
    assert len(who) == 10_000
    assert same_grouping(run(embeddings, method).labels, who)


def test_the_threshold_follows_from_the_rate() -> None:
    calibration = made_calibration()
    embeddings, _ = faces([3, 1])
    found = cluster(embeddings, calibration, fmr=1e-3)
    assert found.threshold == calibration.threshold(1e-3).similarity
    assert found.fmr == calibration.fmr(found.threshold)
    assert found.reason.startswith(
        "4 faces in 2 groups, 1 of them a face alone; put together at a similarity of 0.3000"
    )
    assert "at a rate of 0.1 % (95 % interval" in found.reason
    assert "by chance" not in found.reason
    many = cluster(np.eye(100), calibration, fmr=1e-3)
    assert many.reason.endswith("at that rate 5 of the 4,950 pairs here would be by chance")
    some = cluster(np.eye(100), calibration, fmr=1e-3, blurred=np.arange(100) < 50)  # of whom no two are compared
    assert "at that rate 4 of the 3,725 pairs here would be by chance; 50 faces too blurred" in some.reason
    of_one = cluster(np.eye(100), calibration, fmr=1e-3, photo_of_face=np.arange(100) // 2)  # nor two of one photo
    assert "at that rate 5 of the 4,900 pairs" in of_one.reason
    assert "by chance" not in cluster(np.eye(100), calibration, fmr=1e-3, photo_of_face=np.zeros(100, int)).reason
    both = cluster(np.eye(4), calibration, threshold=-1.0, photo_of_face=[0, 0, 1, 1])
    assert "at that rate 4 of the 4 pairs here" in both.reason
    data = json.loads(json.dumps(found.to_dict()))
    assert data["fmr"] == pytest.approx(1e-3)
    assert data["labels"] == found.labels.tolist()
    assert data["calibration"]["name"] == "made-up"
    assert data["encoder"] == {"name": "made-up", "sha256": "e" * 64}


def test_without_a_calibration_it_says_so() -> None:
    found = cluster(faces([3, 1])[0], threshold=0.5)
    assert found.fmr is None
    assert found.to_dict()["fmr_interval"] is None
    assert "no calibration says" in found.reason
    assert "K-means was asked for 2" in cluster(faces([3, 1])[0], method="kmeans", people=2).reason


def test_a_rate_that_the_calibration_cannot_support_is_refused() -> None:
    with pytest.raises(CalibrationError):
        cluster(faces([3, 1])[0], made_calibration(), fmr=1e-9)


def test_labels_can_not_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        cluster(np.eye(2), threshold=0.5).labels[0] = 1


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"embeddings": np.zeros(3)}, "embeddings"),
        ({"blurred": [True]}, "blurred"),
        ({"blurred": [0.1, 0, 0]}, "blurred"),
        ({"embeddings": np.zeros((3, 0))}, "embeddings"),
        ({"embeddings": np.full((3, 2), np.nan)}, "NaN"),
        ({"threshold": None}, "calibration or a threshold"),
        ({"threshold": 1.5}, "1.5"),
        ({"threshold": np.nan}, "nan"),
        ({"method": "magic"}, "no clustering method 'magic'"),
        ({"people": 3}, "number of people"),
        ({"method": "kmeans"}, "number of people"),
        ({"method": "kmeans", "people": 0}, "at least one"),
        ({"method": "kmeans", "people": 2, "photo_of_face": [0, 0, 0]}, "has 3 faces"),
        ({"photo_of_face": [0, 1]}, "one integer a face"),
        ({"photo_of_face": [0.0, 1.0, 2.0]}, "one integer a face"),
    ],
)
def test_what_is_refused(arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        cluster(**{"embeddings": np.eye(3), "threshold": 0.5, **arguments})
