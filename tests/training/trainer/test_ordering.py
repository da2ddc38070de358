from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.errors import ConfigError
from mien.training.data.preparing import PreparedData, prepare_data
from mien.training.recipe import Recipe, check_recipe
from mien.training.trainer.ordering import epoch_order

REAL = {"synthetic": {"people": 6, "photos": 5}, "aligned": True}
BESIDE = {"synthetic": {"people": 3, "photos": 4, "first": 100}, "aligned": True, "share": 0.25}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("crops")


def recipe_of(cache: Path, *sources: dict[str, Any], sampler: str = "shuffled", **photos: int) -> Recipe:
    return check_recipe(
        {
            "data": {"side": 32, "cache": str(cache), "sources": list(sources)},
            "validation": {"held_out": 0.34},
            "losses": [{"name": "softmax"}],
            "sampler": {"name": sampler, **photos},
            "training": {"batch_size": 8},
        }
    )


def order_of(recipe: Recipe) -> tuple[PreparedData, Any]:
    data = prepare_data(recipe)
    return data, epoch_order(recipe, data.train, data.shares)


@pytest.mark.parametrize(("sampler", "photos"), [("shuffled", {}), ("balanced", {}), ("pk", {"photos": 2})])
def test_a_source_fills_its_share_of_each_batch(cache: Path, sampler: str, photos: dict[str, int]) -> None:
    data, order = order_of(recipe_of(cache, REAL, BESIDE, sampler=sampler, **photos))
    ((share, rows),) = data.shares
    assert share == 0.25
    assert len(rows) == 12
    assert len(order(0)) == 20 // 6, "an epoch is over when the other source's crops have come"
    for epoch in range(8):
        assert np.isin(order(epoch), rows).sum(axis=1).tolist() == [2] * len(order(epoch))


def test_each_source_is_seen_whole_before_anything_comes_again(cache: Path) -> None:
    data, order = order_of(recipe_of(cache, REAL, BESIDE))
    ((_, rows),) = data.shares
    drawn = np.concatenate([order(epoch)[:, 6:].ravel() for epoch in range(4)])
    assert sorted(drawn[:12].tolist()) == rows.tolist()
    assert sorted(drawn[12:24].tolist()) == rows.tolist()
    assert drawn[:12].tolist() != drawn[12:24].tolist()
    for epoch in range(3):
        others = order(epoch)[:, :6].ravel()
        assert len(set(others.tolist())) == len(others)


def test_people_beside_others_are_not_held_out(cache: Path) -> None:
    data, _ = order_of(recipe_of(cache, REAL, BESIDE))
    beside = {data.train.people[label] for label in data.train.labels[data.shares[0][1]]}
    assert len(beside) == 3
    assert len(data.validation.people) == 2
    assert not beside & set(data.validation.people)


def test_two_sources_may_have_shares(cache: Path) -> None:
    second = {**BESIDE, "synthetic": {"people": 2, "photos": 3, "first": 200}, "share": 0.5}
    data, order = order_of(recipe_of(cache, REAL, BESIDE, second))
    for (_, rows), each in zip(data.shares, (2, 4), strict=True):
        assert np.isin(order(1), rows).sum(axis=1).tolist() == [each] * len(order(1))


def test_what_cannot_be_shared_is_refused(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="leave room in a batch"):
        recipe_of(cache, BESIDE)
    with pytest.raises(ConfigError, match="leave room in a batch"):
        recipe_of(cache, REAL, {**BESIDE, "share": 0.5}, {**BESIDE, "share": 0.5})
    few = recipe_of(cache, REAL, *({**BESIDE, "share": 0.01} for _ in range(8)))
    data = prepare_data(few)
    with pytest.raises(ConfigError, match="A batch of 8 can't be shared"):
        epoch_order(few, data.train, data.shares)
