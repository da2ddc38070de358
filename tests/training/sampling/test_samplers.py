import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.errors import ConfigError
from mien.training import sampling
from mien.training.mining import AsLaidOut, find_triplets, write_triplets
from mien.training.sampling import (
    SAMPLERS,
    Balanced,
    ClassAware,
    EpochSampler,
    PeopleAndPhotos,
    Shuffled,
    SquareRoot,
    TripletSampler,
    open_sampler,
)
from mien.training.sampling.balanced import quotas_of
from mien.training.sampling.decks import deal, rows_of_people

Labels = NDArray[np.int64]
COUNTS = [40, 21, 12, 9, 8, 5, 3, 2, 2, 1]
UNEVEN = np.random.default_rng(0).permutation(np.repeat(np.arange(10) * 7 - 3, COUNTS))
"""103 photos of ten people, one of whom has 40 and one a single one."""
PHOTOS_OF = Counter(UNEVEN.tolist())

BY_NAME = [name for name in SAMPLERS if name != "triplets"]
MAKE: dict[str, Callable[..., EpochSampler]] = {
    **SAMPLERS,
    "triplets": lambda labels, batch_size, seed=0: TripletSampler(labels, batch_size, random_triplets(labels), seed),
}


def random_triplets(labels: Labels) -> NDArray[np.int64]:
    return find_triplets(np.random.default_rng(0).normal(size=(len(labels), 4)), labels, negatives="random")


def people_of(rows: NDArray[np.int64], labels: Labels = UNEVEN) -> NDArray[np.int64]:
    return labels[rows]


@pytest.mark.parametrize("name", MAKE)
def test_an_epoch_is_batches_of_rows(name: str) -> None:
    sampler = MAKE[name](UNEVEN, 12)
    order = sampler.epoch_order(0)
    assert order.shape == (sampler.batches, 12) == (len(sampler) // 12, 12)
    assert 0 <= order.min() <= order.max() < len(UNEVEN)
    assert list(sampler) == order.ravel().tolist()
    assert list(sampler) == sampler.epoch_order(1).ravel().tolist() != order.ravel().tolist()
    assert name == "triplets" or sampler.batches == len(UNEVEN) // 12


@pytest.mark.parametrize("name", MAKE)
def test_an_epoch_depends_on_seed_and_number_alone(name: str) -> None:
    sampler = MAKE[name](UNEVEN, 12, seed=5)
    orders = [sampler.epoch_order(epoch) for epoch in (0, 1, 2)]
    other = MAKE[name](UNEVEN, 12, seed=5)
    assert np.array_equal(other.epoch_order(2), orders[2])
    assert np.array_equal(other.epoch_order(0), orders[0])
    assert not np.array_equal(orders[0], orders[1])
    assert not np.array_equal(MAKE[name](UNEVEN, 12, seed=6).epoch_order(0), orders[0])


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("given", [0, 1, 30, 95, 96, 97, 200])
def test_it_resumes_bit_for_bit(name: str, given: int) -> None:
    def draw(sampler: EpochSampler, count: int) -> list[int]:
        rows: list[int] = []
        while len(rows) < count:
            for row in sampler:
                rows.append(row)
                if len(rows) == count:
                    break
        return rows

    whole = draw(MAKE[name](UNEVEN, 12, seed=2), given + 150)
    sampler = MAKE[name](UNEVEN, 12, seed=2)
    assert draw(sampler, given) == whole[:given]
    state = json.loads(json.dumps(sampler.state_dict()))
    resumed = MAKE[name](UNEVEN, 12, seed=2)
    resumed.load_state_dict(state)
    assert draw(resumed, 150) == whole[given:]


def test_a_state_of_other_data_is_refused() -> None:
    state = ClassAware(UNEVEN, 12, seed=2).state_dict()
    others: list[tuple[str, EpochSampler]] = [
        ("seed", ClassAware(UNEVEN, 12, seed=3)),
        ("batch_size", ClassAware(UNEVEN, 10, seed=2)),
        ("labels", ClassAware(UNEVEN[::-1], 12, seed=2)),
        ("kind", SquareRoot(UNEVEN, 12, seed=2)),
    ]
    for key, other in others:
        with pytest.raises(ValueError, match=f"a sampler whose {key} is"):
            other.load_state_dict(state)


def test_in_a_loader_with_workers_the_state_after_what_was_learnt_from() -> None:
    program = Path(__file__).parent / "loader_with_workers.py"
    done = subprocess.run(
        [sys.executable, program], check=False, capture_output=True, text=True, start_new_session=True
    )
    assert done.returncode == 0, done.stderr


def test_p_people_and_k_photos() -> None:
    sampler = PeopleAndPhotos(UNEVEN, 12, photos=3)
    for epoch in range(20):
        for batch in sampler.epoch_order(epoch):
            assert set(Counter(people_of(batch).tolist()).values()) == {3}, "nobody twice"
            for person, rows in (
                (person, batch[people_of(batch) == person]) for person in set(people_of(batch).tolist())
            ):
                enough = PHOTOS_OF[person] >= 3
                assert len(set(rows.tolist())) == (3 if enough else 2)


def test_people_come_equally_often_and_photos_too() -> None:
    labels = np.repeat(np.arange(30), 10)
    sampler = PeopleAndPhotos(labels, 20, photos=5)
    order = sampler.epoch_order(0)
    assert sorted(order.ravel().tolist()) == list(range(300)), "even data is seen whole"
    sampler = PeopleAndPhotos(UNEVEN, 8, photos=2)
    people = Counter(people_of(np.concatenate([sampler.epoch_order(epoch) for epoch in range(30)])).ravel().tolist())
    assert set(people) == {person for person in PHOTOS_OF if PHOTOS_OF[person] > 1}
    assert max(people.values()) < 1.1 * min(people.values())


def test_people_with_few_photos() -> None:
    everybody = PeopleAndPhotos(UNEVEN, 30, photos=3, fewest=1).epoch_order(0)
    assert len(set(people_of(everybody).ravel().tolist())) == 10
    single = everybody[people_of(everybody) == PHOTOS_OF.most_common()[-1][0]]
    assert len(set(single.tolist())) == 1
    with pytest.raises(ConfigError, match="need 10 people with 2 photos or more, but there are 9"):
        PeopleAndPhotos(UNEVEN, 30, photos=3)


def test_everybody_in_turn() -> None:
    sampler = ClassAware(UNEVEN, 10)
    order = sampler.epoch_order(3)
    assert all(len(set(people_of(batch).tolist())) == 10 for batch in order)
    assert set(Counter(people_of(order).ravel().tolist()).values()) == {10}
    of_most = order[people_of(order) == PHOTOS_OF.most_common(1)[0][0]]
    assert len(set(of_most.tolist())) == 10, "no photo again before all others"
    uneven = Counter(people_of(ClassAware(UNEVEN, 12).epoch_order(0)).ravel().tolist())
    assert set(uneven.values()) == {9, 10}


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_shares_are_powers_of_counts(power: float) -> None:
    sampler = SquareRoot(UNEVEN, 12) if power == 0.5 else Balanced(UNEVEN, 12, power)
    people, counts = np.unique(UNEVEN, return_counts=True)
    shares = counts**power / (counts**power).sum() * len(sampler)
    drawn = np.zeros(10)
    for epoch in range(400):
        order = sampler.epoch_order(epoch)
        here = np.array([(people_of(order) == person).sum() for person in people])
        assert (np.abs(here - shares) < 1 + 1e-9).all(), "rounded up or down"
        drawn += here
        rows = np.unique(order, return_counts=True)[1]
        assert power != 1 or rows.max() <= 2
    np.testing.assert_allclose(drawn / 400, shares, atol=0.15)


def test_batches_are_mixed() -> None:
    people = people_of(Balanced(UNEVEN, 12).epoch_order(0))
    assert all(len(set(batch.tolist())) > 4 for batch in people)


def test_triplets_stay_whole() -> None:
    embeddings = torch.randn(len(UNEVEN), 4)
    triplets = find_triplets(embeddings, UNEVEN, negatives="random", positives=2)
    sampler = TripletSampler(UNEVEN, 12, triplets)
    order = sampler.epoch_order(0)
    known = {tuple(triplet) for triplet in triplets.tolist()}
    seen = [tuple(triplet) for triplet in order.reshape(-1, 3).tolist()]
    assert set(seen) <= known
    assert len(set(seen)) == len(seen) == len(triplets) // 4 * 4
    labels = torch.from_numpy(UNEVEN)
    a, p, n = AsLaidOut()(embeddings[order[0]], labels[order[0]])
    assert (labels[order[0]][a] == labels[order[0]][p]).all()
    assert (labels[order[0]][a] != labels[order[0]][n]).all()


@pytest.mark.parametrize(
    ("triplets", "batch_size", "why"),
    [
        ([[0, 1]], 3, r"must be \(T, 3\)"),
        ([[0, 1, 2]], 4, "multiple of 3"),
        ([[0, 1, 2]], 6, "1 triplets don't fill a batch of 6"),
        ([[0, 1, 4]], 3, "rows 0 … 4 of 4"),
        ([[0, 1, 2], [0, 2, 3]], 3, r"triplet 1 is of people \[5, 6, 6\]"),
        ([[0, 1, 1]], 3, r"triplet 0 is of people \[5, 5, 5\]"),
    ],
)
def test_triplets_that_are_none(triplets: list[list[int]], batch_size: int, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        TripletSampler([5, 5, 6, 6], batch_size, triplets)


def test_triplets_of_a_file_by_name(tmp_path: Path) -> None:
    triplets, names = random_triplets(UNEVEN), [f"{row}.jpg" for row in range(len(UNEVEN))]
    write_triplets(tmp_path / "triplets.csv", triplets, names)
    given = {"labels": UNEVEN, "seed": 3, "names": names, "file": str(tmp_path / "triplets.csv")}
    sampler = open_sampler("triplets", batch_size=12, **given)  # type: ignore[arg-type]
    assert np.array_equal(sampler.epoch_order(1), TripletSampler(UNEVEN, 12, triplets, 3).epoch_order(1))
    with pytest.raises(ConfigError, match=r"triplets can't be made: batch_size must be a multiple of 3"):
        open_sampler("triplets", batch_size=8, **given)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="there is no photo"):
        open_sampler("triplets", batch_size=12, **{**given, "names": names[:2]})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="triplets needs file"):
        open_sampler("triplets", labels=UNEVEN, batch_size=12)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20), st.integers(0, 200), st.integers(0, 99))
@settings(max_examples=60)
def test_quotas_are_whole_and_sum_up(counts: list[int], total: int, seed: int) -> None:
    shares = np.array(counts, float)
    quotas = np.array(quotas_of(shares, total, np.random.default_rng(seed)))
    assert quotas.sum() == total
    assert (np.abs(quotas - shares / shares.sum() * total) < 1 + 1e-9).all()


@given(st.integers(1, 30), st.integers(1, 12), st.integers(1, 8))
@settings(max_examples=60)
def test_every_photo_is_dealt_once_before_any_comes_again(photos: int, hands: int, size: int) -> None:
    dealt = deal(np.arange(photos) + 100, hands, size, np.random.default_rng(0))
    assert dealt.shape == (hands, size)
    for hand in dealt - 100:
        often = np.bincount(hand, minlength=photos)
        assert often.max() - often.min() <= 1
    line = dealt.ravel().tolist()
    for start in range(0, len(line), photos):
        deck = line[start : start + photos]
        assert len(deck) == len(set(deck) & set(range(100, 100 + photos)))


def test_what_is_left_of_a_deck_is_dealt_too() -> None:
    sampler = PeopleAndPhotos(np.repeat([0, 1], [7, 41]), 8, photos=4)  # six hands of each person
    for epoch in range(20):
        often = np.bincount(sampler.epoch_order(epoch).ravel(), minlength=48)
        assert sorted(often[:7].tolist()) == [3, 3, 3, 3, 4, 4, 4]
        assert often[7:].max() == 1


def test_rows_of_people() -> None:
    assert [rows.tolist() for rows in rows_of_people(np.array([7, -1, 7, 2]))] == [[1], [3], [0, 2]]


@pytest.mark.parametrize("name", BY_NAME)
def test_a_set_smaller_than_a_batch(name: str) -> None:
    labels = [0, 0, 1, 1]
    order = open_sampler(name, labels=labels, batch_size=8).epoch_order(0)
    assert order.shape == (1, 8)
    assert Counter(order.ravel().tolist()) == {0: 2, 1: 2, 2: 2, 3: 2}


def test_samplers_by_name() -> None:
    sampler = open_sampler("pk", labels=UNEVEN, batch_size=12, seed=4, photos=3)
    assert isinstance(sampler, PeopleAndPhotos)
    assert (sampler.seed, sampler.photos, sampler.batch_size) == (4, 3, 12)
    with pytest.raises(
        ConfigError, match=r"no sampler 'p×k'\. Use one of balanced, class_aware, pk, shuffled, square_root, triplets"
    ):
        open_sampler("p×k", labels=UNEVEN, batch_size=12)
    with pytest.raises(ConfigError, match=r"square_root has no power\. It has nothing to set"):
        open_sampler("square_root", labels=UNEVEN, batch_size=12, power=1)
    with pytest.raises(ConfigError, match=r"pk can't be made: photos \(5 a person\) must divide batch_size \(12\)"):
        open_sampler("pk", labels=UNEVEN, batch_size=12, photos=5)
    with pytest.raises(ConfigError, match="Make the batch smaller"):
        open_sampler("pk", labels=UNEVEN, batch_size=80)


@pytest.mark.parametrize("labels", [[], [[1, 2]], [0.5, 1.0], ["a", "b"]])
def test_labels_that_are_none(labels: list[object]) -> None:
    with pytest.raises(ValueError, match="labels must be a row of integers"):
        ClassAware(labels, 2)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (ClassAware, {"batch_size": 0}),
        (ClassAware, {"seed": -1}),
        (Balanced, {"power": 1.5}),
        (Balanced, {"power": -0.1}),
        (PeopleAndPhotos, {"photos": 1}),
        (PeopleAndPhotos, {"fewest": 0}),
    ],
)
def test_arguments_outside_their_range_are_refused(make: Callable[..., EpochSampler], wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        make(UNEVEN, **{"batch_size": 12, **wrong})


def test_the_front_door_is_sorted_and_opens() -> None:
    assert all(hasattr(sampling, name) for name in sampling.__all__)
    in_order = sorted(sampling.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    assert sampling.__all__ == in_order


def test_shuffled_rows_come_once_an_epoch_or_as_often_as_fills_a_batch() -> None:
    rows = Shuffled(UNEVEN, 12, seed=4).epoch_order(3).ravel().tolist()
    assert rows == np.random.default_rng([4, 3]).permutation(103)[:96].tolist(), "as in runs that were begun before"
    (batch,) = Shuffled(np.arange(5), 12).epoch_order(0).tolist()
    assert batch == [*batch[:5], *batch[:5], *batch[:2]]
    assert sorted(batch[:5]) == [0, 1, 2, 3, 4]
