from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import ConfigError
from mien.synthesis import Nuisances
from mien.training.data.sources import open_source
from mien.training.recipe import Recipe, check_recipe, describe_keys, read_recipe, shipped_recipes, write_recipe

LEAST = {"data": {"sources": [{"synthetic": {"people": 10}}]}, "losses": [{"name": "cosface", "m": 0.4}]}
TEXT = """
[[data.sources]]
synthetic = {people = 10}

[[losses]]
name = "cosface"
m = 0.4
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text(TEXT)
    return path


def test_a_recipe_says_what_it_was_not_told(file: Path) -> None:
    recipe = read_recipe(file)
    assert recipe.losses[0].arguments == {"m": 0.4}
    assert (recipe.training.batch_size, recipe.backbone.name, len(recipe.stages)) == (128, "small", 1)


def test_what_is_written_is_read_back_as_the_same_recipe(file: Path, tmp_path: Path) -> None:
    recipe = read_recipe(file, ["training.patience=3", "data.leave_out=names.txt", 'title=a "quoted" title'])
    write_recipe(recipe, tmp_path / "again.toml")
    assert read_recipe(tmp_path / "again.toml") == recipe


@given(
    rate=st.floats(1e-9, 1e3, allow_nan=False),
    batch=st.integers(2, 10**6),
    title=st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
)
def test_every_value_survives_the_way_through_a_file(
    tmp_path_factory: pytest.TempPathFactory, rate: float, batch: int, title: str
) -> None:
    recipe = check_recipe(
        LEAST | {"title": title, "optimizer": {"learning_rate": rate}, "training": {"batch_size": batch}}
    )
    path = tmp_path_factory.mktemp("recipes") / "recipe.toml"
    write_recipe(recipe, path)
    assert read_recipe(path) == recipe


@pytest.mark.parametrize(
    ("change", "place", "value"),
    [
        ("loss.m=0.3", ("losses", 0, "m"), 0.3),
        ("losses.0.name=arcface", ("losses", 0, "name"), "arcface"),
        ("training.batch_size = 64", ("training", "batch_size"), 64),
        ("training.precision=bf16", ("training", "precision"), "bf16"),
        ('augmentation.flip="0.1"', ("augmentation", "flip"), "0.1"),
        ("stages=[{epochs = 2}]", ("stages", 0, "epochs"), 2.0),
        ("data.sources.0.people=7", ("data", "sources", 0, "people"), 7),
    ],
)
def test_a_change_reaches_its_place(file: Path, change: str, place: tuple[str | int, ...], value: object) -> None:
    found: object = read_recipe(file, [change]).model_dump()
    for key in place:
        found = found[key]  # type: ignore[index]
    assert found == value


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("training.batch_size", "changes nothing"),
        ("=3", "changes nothing"),
        ("training.batchsize=3", "training.batchsize: there is no such key"),
        ("losses.4.m=3", "names no place"),
        ("loss.m.x=1", "names no place"),
        ("loss.name.x=1", "'x' is not there"),
        ("training.batch_size=1", "training.batch_size"),
        ("training.batch_size=many", "training.batch_size"),
        ("data.side=1000", "data.side"),
        ("losses=[]", "losses"),
        (f"training.batch_size={'9' * 5000}", "training.batch_size"),
        (f"training.batch_size={'[' * 5000}", "training.batch_size"),
        ("validation.fmr=0.5", "validation.fmr"),
        ("data.sources.0.folder=x", "exactly one of"),
    ],
)
def test_a_wrong_change_is_refused_by_name(file: Path, change: str, says: str) -> None:
    with pytest.raises(ConfigError, match=r"recipe|change|place") as refusal:
        read_recipe(file, [change])
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    "content", ["losses = [", "\x00", "losses = 3", f"seed = {'9' * 5000}", f"losses = {'[' * 5000}"]
)
def test_a_file_that_is_no_recipe_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"bad\.toml"):
        read_recipe(path)


def test_a_miner_that_is_only_named_may_be_given_arguments(file: Path) -> None:
    miner = read_recipe(file, ["loss.miner=semi_hard", "loss.miner.margin=0.3"]).losses[0].miner
    assert miner is not None
    assert (miner.name, miner.arguments) == ("semi_hard", {"margin": 0.3})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("stages=[{epochs=inf}]", "stages.0.epochs: input should be a finite number"),
        ("loss.ramp=inf", "losses.0.ramp"),
        ("optimizer.learning_rate=nan", "optimizer.learning_rate"),
        (f"seed={10**23}", "seed"),
    ],
)
def test_numbers_that_nothing_can_be_done_with_are_refused(file: Path, change: str, says: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        read_recipe(file, [change])
    assert says in str(refusal.value)


def test_a_rate_may_be_written_as_a_number(file: Path) -> None:
    rates = [read_recipe(file, [f"validation.fmr={given}"]).validation.fmr for given in ("1e-3", '"1e-3"', "0.1")]
    assert rates == ["1e-3", "1e-3", "1e-1"]


def test_a_mistake_inside_a_list_is_not_said_to_empty_it() -> None:
    source, loss = {"synthetic": {"people": 10}}, {"name": "cosface"}
    for wrong in ({"losses": [loss | {"share": -1}]}, {"stages": [{"epochs": -1}]}, {"data": {"sources": [{"a": 1}]}}):
        with pytest.raises(ConfigError) as refusal:
            check_recipe({"data": {"sources": [source]}, "losses": [loss], **wrong})
        assert "at least 1 item" not in str(refusal.value)
    with pytest.raises(ConfigError, match=r"losses: .*at least 1 item"):
        check_recipe({"data": {"sources": [source]}, "losses": []})


def test_a_stage_s_table_says_what_it_does_not_as_the_recipe_s_does(tmp_path: Path) -> None:
    content = {
        "data": {"sources": [{"folder": "people"}]},
        "losses": [{"name": "softmax"}],
        "optimizer": {"name": "adamw", "learning_rate": 0.01},
        "stages": [{"optimizer": {"learning_rate": 0.001}}, {"optimizer": {"name": "sgd"}}, {}],
    }
    recipe = check_recipe(content)
    first, second, third = (stage.optimizer for stage in recipe.stages)
    assert first is not None
    assert second is not None
    assert (first.name, first.learning_rate) == ("adamw", 0.001)
    assert (second.name, second.learning_rate) == ("sgd", 0.01)
    assert third is None
    write_recipe(recipe, tmp_path / "saved.toml")
    assert read_recipe(tmp_path / "saved.toml") == recipe


def test_a_change_that_every_stage_overrides_is_refused(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        'losses = [{name = "arcface"}]\ndata.sources = [{folder = "people"}]\n'
        '[[stages]]\noptimizer.learning_rate = 0.1\nlosses = [{name = "cosface"}]\n'
        "[[stages]]\noptimizer.learning_rate = 0.2\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match=r"every stage has its own.*stages\.0\.optimizer\.learning_rate"):
        read_recipe(recipe, ["optimizer.learning_rate=1"])
    with pytest.raises(ConfigError, match="every stage has its own"):
        read_recipe(recipe, ["optimizer={learning_rate=5}"])
    assert read_recipe(recipe, ["optimizer.name=sgd"]) == read_recipe(recipe), "as it is anyway"
    changed = read_recipe(recipe, ["optimizer.momentum=0.5", "loss.m=0.4", "optimizer={momentum=0.5}"])
    assert [stage.optimizer.momentum for stage in changed.stages if stage.optimizer] == [0.5, 0.5]
    with pytest.raises(ConfigError, match=r"stages\.0\.losses\.0\.m"):
        read_recipe(recipe, ['stages.1.losses=[{name="softmax"}]', "loss.m=0.4"])


def test_synthetic_people_may_be_hard_to_see() -> None:
    def source(**nuisances: float) -> dict[str, Any]:
        synthetic = {"people": 2, "photos": 2, "nuisances": nuisances}
        return {"data": {"sources": [{"synthetic": synthetic}]}, "losses": [{"name": "softmax"}]}

    made = open_source(check_recipe(source(yaw=20, mask=1)).data.sources[0])
    assert made.describe()["nuisances"] == asdict(Nuisances(yaw=20, mask=1))
    assert open_source(check_recipe(source()).data.sources[0]).describe()["nuisances"] == asdict(Nuisances())
    assert next(made.photos()).source != next(open_source(check_recipe(source()).data.sources[0]).photos()).source
    for wrong, says in (({"haze": 1.0}, "no nuisances haze; there are yaw"), ({"mask": 2.0}, "mask must be in")):
        with pytest.raises(ConfigError, match=says):
            check_recipe(source(**wrong))


def test_a_missing_recipe_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no recipe"):
        read_recipe(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="can't be read"):
        read_recipe(tmp_path)


def test_all_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as refusal:
        check_recipe({"data": {"sources": [], "sidee": 1}, "losses": [{"share": -1}]})
    assert all(place in str(refusal.value) for place in ("data.sidee", "losses.0.name", "losses.0.share"))


def test_every_key_of_the_schema_is_described() -> None:
    lines = describe_keys().splitlines()
    assert not [line for line in lines if line.split("  ")[0].count("…") == 0 and len(line.split()) < 3]
    for table, field in Recipe.model_fields.items():
        assert any(line.strip("[]").startswith(table) for line in lines), field
    assert any(line.startswith("training.batch_size") and "128" in line for line in lines)


def test_a_shipped_recipe_is_read_by_its_name_unless_a_file_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_recipe(Path("quick")) == read_recipe(shipped_recipes()["quick"])
    (tmp_path / "quick").write_text(TEXT)
    assert read_recipe(Path("quick")).losses[0].arguments == {"m": 0.4}
    with pytest.raises(ConfigError, match=r"no recipe quickly\.") as refusal:
        read_recipe(Path("quickly"))
    assert "finetune, quick, scratch, student" in str(refusal.value.hint)
