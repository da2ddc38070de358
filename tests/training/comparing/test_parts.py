from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import ConfigError
from mien.training.comparing.parts import Parts, keep_back, part_data, write_crops
from mien.training.data.crop_set import open_crops
from training.comparing.made_crops import make_crops, small_recipe


@given(labels=st.lists(st.integers(0, 6), max_size=60), share=st.floats(0, 1), seed=st.integers(0, 9))
def test_every_row_is_learnt_or_named_and_nobody_loses_all(labels: list[int], share: float, seed: int) -> None:
    learnt, named = keep_back(np.array(labels, np.int64), share, seed)
    assert sorted([*learnt.tolist(), *named.tolist()]) == list(range(len(labels)))
    for person in set(labels):
        here = labels.count(person)
        asked = sum(labels[row] == person for row in named)
        assert asked <= here - 1
        assert asked >= 1 or here == 1
        assert asked == min(max(1, round(share * here)), here - 1)


def test_the_seed_draws_who_is_kept_back() -> None:
    labels = np.arange(10).repeat(8)
    (_, one), (_, again), (_, other) = (
        keep_back(labels, 0.25, 1),
        keep_back(labels, 0.25, 1),
        keep_back(labels, 0.25, 2),
    )
    np.testing.assert_array_equal(one, again)
    assert one.tolist() != other.tolist()


def test_written_crops_are_read_back(tmp_path: Path) -> None:
    crops = make_crops(["Ann", "Bo, the second", 'C "quoted"'], 4)
    write_crops(crops, tmp_path / "crops")
    again = open_crops(tmp_path / "crops")
    np.testing.assert_array_equal(again.read(np.arange(12)), crops.read(np.arange(12)))
    np.testing.assert_array_equal(again.labels, crops.labels)
    np.testing.assert_allclose(again.landmarks, crops.landmarks, atol=1e-3)
    assert (again.people, again.photos, again.sha256) == (crops.people, crops.photos, crops.sha256)
    with pytest.raises(ValueError, match="only crops of 112 pixels are kept, not of 64"):
        write_crops(crops.shrunk(64), tmp_path / "small")


def test_data_is_parted_once(tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path)
    parts = part_data(recipe, tmp_path / "data")
    learnt, named, strangers = (open_crops(part) for part in (parts.learnt, parts.named, parts.strangers))
    assert set(learnt.people) == set(named.people) == {f"known {number}" for number in range(8)}
    assert set(strangers.people) == {f"other {number}" for number in range(8)}
    assert not set(learnt.photos) & set(named.photos)
    assert (len(learnt), len(named), len(strangers)) == (40, 8, 48)
    (tmp_path / "known" / "crops.u8").unlink()
    assert (
        part_data(recipe, tmp_path / "data")
        == parts
        == Parts(*map((tmp_path / "data").joinpath, ("learnt", "named", "strangers")))
    )


def test_an_interrupted_parting_is_made_again(tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path)
    (tmp_path / "data.partial" / "learnt").mkdir(parents=True)
    (tmp_path / "data.partial" / "learnt" / "crops.u8").write_bytes(b"half")
    parts = part_data(recipe, tmp_path / "data")
    assert len(open_crops(parts.learnt)) == 40
    assert not (tmp_path / "data.partial").exists()


def test_people_with_one_photo_each_cannot_be_named(tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path, photos=1)
    with pytest.raises(ConfigError, match="Nobody to validate with has two photos"):
        part_data(recipe, tmp_path / "data")
    write_crops(make_crops(["Ann", "Bo"], 2), tmp_path / "validated")
    recipe = small_recipe(tmp_path, validation={"sources": [{"crops": str(tmp_path / "validated")}]})
    with pytest.raises(ConfigError, match="Nobody to learn from has two photos"):
        part_data(recipe, tmp_path / "data")
