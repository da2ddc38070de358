import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.training.data.subsampling import long_tail, subsample, two_levels

COUNTS = [1, 2, 3, 5, 8, 13, 21, 34]


@pytest.fixture
def labels() -> NDArray[np.int64]:
    """Eight people with the numbers 10 … 17 and COUNTS photos, mixed."""
    return np.random.default_rng(0).permutation(np.repeat(np.arange(10, 18), COUNTS))


def kept(labels: NDArray[np.int64], rows: NDArray[np.int64]) -> list[int]:
    """Photos of each of the eight people among the rows."""
    assert (np.diff(rows) > 0).all()
    return [int((labels[rows] == person).sum()) for person in range(10, 18)]


def test_everything_by_default(labels: NDArray[np.int64]) -> None:
    assert np.array_equal(subsample(labels), np.arange(len(labels)))


def test_fewer_people_keep_all_their_photos(labels: NDArray[np.int64]) -> None:
    counts = kept(labels, subsample(labels, people=3))
    assert sum(count > 0 for count in counts) == 3
    assert all(count in (0, all_) for count, all_ in zip(counts, COUNTS, strict=True))


def test_fewer_photos_of_everybody(labels: NDArray[np.int64]) -> None:
    assert kept(labels, subsample(labels, photos_per_person=4)) == [min(4, count) for count in COUNTS]


def test_an_even_set(labels: NDArray[np.int64]) -> None:
    counts = kept(labels, subsample(labels, people=3, photos_per_person=5, fewest=5))
    assert counts[:3] == [0, 0, 0]
    assert sorted(counts[3:]) == [0, 0, 5, 5, 5]


def test_there_may_be_too_few(labels: NDArray[np.int64]) -> None:
    assert len(subsample(labels, people=100, photos_per_person=100)) == len(labels)
    assert len(subsample(labels, fewest=35)) == 0
    assert len(subsample(np.array([], np.int64), people=3)) == 0


@settings(max_examples=50)
@given(
    st.lists(st.integers(0, 6), max_size=60), st.integers(1, 7), st.integers(1, 9), st.integers(1, 4), st.integers(0, 5)
)
def test_a_smaller_choice_is_a_part_of_a_larger_one(
    people: list[int], few: int, photos: int, fewest: int, seed: int
) -> None:
    labels = np.array(people, np.int64)
    small = set(subsample(labels, people=few, photos_per_person=photos, fewest=fewest, seed=seed))
    assert small <= set(subsample(labels, people=few + 1, photos_per_person=photos, fewest=fewest, seed=seed))
    assert small <= set(subsample(labels, people=few, photos_per_person=photos + 2, fewest=fewest, seed=seed))


def test_the_seed_decides() -> None:
    labels = np.repeat(np.arange(50), 6)
    first = subsample(labels, people=10, photos_per_person=2, seed=1)
    assert np.array_equal(first, subsample(labels, people=10, photos_per_person=2, seed=1))
    assert not np.array_equal(first, subsample(labels, people=10, photos_per_person=2, seed=2))


def test_everybody_and_every_photo_is_as_likely() -> None:
    labels = np.repeat(np.arange(5), [2, 2, 2, 2, 40])
    people = np.zeros(5)
    photos = np.zeros(40)
    for seed in range(800):
        people[np.unique(labels[subsample(labels, people=2, seed=seed)])] += 1
        photos[subsample(labels, photos_per_person=10, seed=seed)[8:] - 8] += 1
    assert np.abs(people - 320).max() < 60  # 4 standard deviations
    assert np.abs(photos - 200).max() < 50


def test_a_long_tail_falls_exponentially() -> None:
    labels = np.repeat(np.arange(10, 15), 100)
    counts = sorted(
        (int((labels[long_tail(labels, most=81, imbalance=81)] == p).sum()) for p in range(10, 15)), reverse=True
    )
    assert counts == [81, 27, 9, 3, 1]
    assert len(long_tail(labels, most=40, imbalance=1)) == 200


def test_a_long_tail_gives_most_to_whom_has_most(labels: NDArray[np.int64]) -> None:
    counts = kept(labels, long_tail(labels, most=32, imbalance=16))
    expected = np.maximum(np.rint(32 * 16.0 ** -(np.arange(8) / 7)), 1)[::-1]
    assert counts == np.minimum(expected, COUNTS).astype(int).tolist()


def test_two_levels(labels: NDArray[np.int64]) -> None:
    assert kept(labels, two_levels(labels, most=20, imbalance=5)) == [1, 2, 3, 4, 8, 13, 20, 20]
    assert kept(labels, two_levels(labels, most=20, imbalance=50, share=0.25)) == [1, 1, 3, 5, 8, 13, 20, 20]
    assert kept(labels, two_levels(labels, most=20, imbalance=5, share=0)) == [min(20, count) for count in COUNTS]
    assert max(kept(labels, two_levels(labels, most=20, imbalance=5, share=1))) == 4


def test_equals_are_drawn() -> None:
    labels = np.repeat(np.arange(10), 8)
    few = [tuple(np.bincount(labels[two_levels(labels, most=8, imbalance=8, seed=seed)]).tolist()) for seed in range(9)]
    assert len(set(few)) > 5
    assert all(sorted(counts) == [1] * 5 + [8] * 5 for counts in few)


def test_one_person_and_nobody() -> None:
    for rows in (
        long_tail(np.zeros(9, np.int64), most=4, imbalance=3),
        two_levels(np.zeros(9, np.int64), most=4, imbalance=3, share=0),
    ):
        assert len(rows) == 4
    assert len(long_tail(np.array([], np.int64), most=4, imbalance=3)) == 0
    assert len(two_levels(np.array([], np.int64), most=4, imbalance=3)) == 0


def test_wrong_arguments(labels: NDArray[np.int64]) -> None:
    for name in ("people", "photos_per_person", "fewest"):
        with pytest.raises(ValueError, match=f"{name} must be at least 1"):
            subsample(labels, **{name: 0})
    with pytest.raises(ValueError, match="labels are"):
        subsample(labels.astype(np.float64))
    with pytest.raises(ValueError, match="labels are"):
        subsample(labels[None])
    for imbalance in (0.5, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="imbalance must be"):
            long_tail(labels, most=3, imbalance=imbalance)
    with pytest.raises(ValueError, match="most must be"):
        two_levels(labels, most=0, imbalance=2)
    with pytest.raises(ValueError, match="share must be"):
        two_levels(labels, most=3, imbalance=2, share=1.5)
