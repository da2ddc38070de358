"""What a recipe gives to losses, miners, samplers and backbones is of the type that they say."""

from functools import partial
from typing import Literal

import pytest
from torch import nn

from mien.errors import ConfigError
from mien.training.arguments import check_arguments
from mien.training.backbones import open_backbone
from mien.training.losses import CrossBatchMemory
from mien.training.mining import open_miner
from mien.training.recipe import check_recipe
from mien.training.sampling import open_sampler
from mien.training.trainer.stages import make_objective, resolve_stages


def made(
    size: int,
    flag: bool = True,
    share: float | None = None,
    kind: Literal["one", "two"] = "one",
    rest: tuple[int, ...] = (),
    word: str = "",
) -> None:
    """What a recipe may name."""


@pytest.mark.parametrize(
    "arguments",
    [
        {"size": 3, "flag": False, "share": 0.5, "kind": "two", "rest": "anything", "word": "said"},
        {"size": 3, "share": 1},
        {"size": 3, "share": None},
    ],
)
def test_arguments_of_their_types_pass(arguments: dict[str, object]) -> None:
    check_arguments("thing", made, arguments)
    check_arguments("thing", partial(made, size=3), arguments)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"flag": "False"}, "The thing can't be made: flag must be true or false, not 'False'"),
        ({"flag": 1}, "flag must be true or false, not 1"),
        ({"size": 4.0}, r"size must be a whole number, not 4\.0"),
        ({"size": True}, "size must be a whole number, not True"),
        ({"share": True}, "share must be a number or nothing, not True"),
        ({"kind": "three"}, "kind must be one of one, two, not 'three'"),
        ({"word": 3}, "word must be text, not 3"),
        ({"seize": 3}, r"The thing has no seize\. It has size, share, kind, rest, word"),
        ({"hidden": 3}, "has no hidden"),
        ({"share": 0.5}, "The thing needs size"),
    ],
)
def test_others_are_refused_by_name(arguments: dict[str, object], says: str) -> None:
    of_the_run = () if "flag" in arguments else ("flag",)
    with pytest.raises(ConfigError, match=says):
        check_arguments("thing", made, arguments, of_the_run)


def test_what_takes_anything_is_given_anything_but_a_module_without_arguments_is_not() -> None:
    def open_to_all(**arguments: object) -> None: ...

    class Plain(nn.Module):
        """Its signature is nn.Module's, which takes anything."""

    check_arguments("thing", open_to_all, {"size": 3})
    with pytest.raises(ConfigError, match=r"has no size\. It has nothing to set"):
        check_arguments("thing", Plain, {"size": 3})


def test_every_door_checks_types() -> None:
    recipe = {"data": {"sources": [{"synthetic": {"people": 3}}]}, "losses": [{"name": "contrastive"}]}
    loss = {**recipe, "losses": [{"name": "contrastive", "squared": "False"}]}
    with pytest.raises(ConfigError, match="contrastive can't be made: squared must be true or false, not 'False'"):
        make_objective(resolve_stages(check_recipe(loss), 1)[0], nn.Identity(), people=2, embedding_size=4, before=None)
    with pytest.raises(ConfigError, match="normalize must be true or false"):
        open_miner("batch_hard", normalize="no")
    with pytest.raises(ConfigError, match="photos must be a whole number"):
        open_sampler("pk", labels=[0, 0, 1, 1], batch_size=4, photos=2.0)
    with pytest.raises(ConfigError, match="pretrained must be true or false"):
        open_backbone("sface", embedding_size=128, input_size=112, pretrained="no")
    with pytest.raises(ConfigError, match="contrastive can't be made: squared"):
        CrossBatchMemory(4, arguments={"squared": "no"})


@pytest.mark.parametrize(
    ("table", "argument"),
    [("losses", "num_classes"), ("losses", "embedding_size"), ("backbone", "input_size"), ("sampler", "seed")],
)
def test_what_the_run_gives_is_not_the_recipe_s_to_say(table: str, argument: str) -> None:
    said = {"name": "pml:ArcFaceLoss", argument: 3}
    recipe = {"data": {"sources": [{"synthetic": {"people": 3}}]}, "losses": [{"name": "contrastive"}]}
    with pytest.raises(ConfigError, match=rf"{table}.*: {argument} can't be set here: the run itself knows"):
        check_recipe(recipe | {table: [said] if table == "losses" else said})
