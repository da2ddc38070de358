from pathlib import Path

import numpy as np
import pytest

from mien.evaluation import Difference, Unsupported
from mien.training.comparing import paired
from mien.training.comparing.paired import COMPARED_PAIRS, ahead
from mien.training.comparing.run_measures import STRANGERS
from mien.training.trainer.stranger_pairs import StrangerPairs

LABELS = np.arange(60).repeat(5)


def keep(folder: Path, noise: float) -> Path:
    random = np.random.default_rng(int(noise * 10))
    vectors = np.random.default_rng(1).normal(size=(60, 12))[LABELS] + noise * random.normal(size=(300, 12))
    folder.mkdir(exist_ok=True)
    np.save(folder / STRANGERS, (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32))
    return folder


def test_the_better_network_is_ahead_and_the_answer_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, poor = keep(tmp_path / "good", 0.6), keep(tmp_path / "poor", 1.2)
    pairs = StrangerPairs(LABELS, COMPARED_PAIRS)
    found = ahead(pairs, good, poor, "poor")
    assert isinstance(found, Difference)
    assert found.low > 0
    monkeypatch.delattr(paired, "compare_verification")
    assert ahead(pairs, good, poor, "poor") == found


@pytest.mark.parametrize("again", ["first", "second", "pairs", "resamples"])
def test_what_is_kept_is_of_the_same_runs_and_pairs(
    tmp_path: Path, again: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = keep(tmp_path / "first", 0.6), keep(tmp_path / "second", 1.2)
    pairs = StrangerPairs(LABELS, COMPARED_PAIRS)
    before = ahead(pairs, first, second, "second")
    if again == "pairs":
        pairs = StrangerPairs(LABELS, COMPARED_PAIRS, seed=1)
    elif again == "resamples":
        monkeypatch.setattr(paired, "RESAMPLES", 100)
    else:
        keep(tmp_path / again, 0.9)
    after = ahead(pairs, first, second, "second")
    (first / "ahead-of-second.json").unlink()
    assert before != after == ahead(pairs, first, second, "second")


def test_a_network_is_not_ahead_of_itself(tmp_path: Path) -> None:
    good = keep(tmp_path / "good", 0.6)
    found = ahead(StrangerPairs(LABELS, COMPARED_PAIRS), good, good, "good")
    assert isinstance(found, Difference)
    assert found.value == 0
    assert found.low < 0 < found.high
    assert "rule of three" in found.note


def test_pairs_are_the_same_for_all_and_each_once() -> None:
    one, again = StrangerPairs(LABELS, seed=3), StrangerPairs(LABELS, seed=3)
    np.testing.assert_array_equal(one.photos, again.photos)
    assert len(np.unique(one.photos, axis=0)) == len(one.photos)
    assert one.mated.sum() == 600
    assert ((one.people[:, 0] == one.people[:, 1]) == one.mated).all()


@pytest.mark.parametrize("people", [3])
def test_too_few_people_are_not_compared(tmp_path: Path, people: int) -> None:
    labels = LABELS[: 5 * people]
    folder = keep(tmp_path / "few", 0.6)
    np.save(folder / STRANGERS, np.load(folder / STRANGERS)[: len(labels)])
    found = ahead(StrangerPairs(labels, COMPARED_PAIRS), folder, folder, "few")
    assert isinstance(found, Unsupported)
    assert ahead(StrangerPairs(labels, COMPARED_PAIRS), folder, folder, "few") == found
