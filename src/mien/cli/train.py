"""`mien train`: a recipe in, an encoder out."""

import os
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.options import JsonOption
from mien.cli.output import ExitCode, print_json, progress_shown, say
from mien.cli.outputs import output_folder


def train(
    recipe: Annotated[
        Path | None, typer.Argument(help="What to do: a recipe (TOML), or quick, scratch, finetune or student.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", callback=output_folder, help="The run's folder; by default runs/ and the recipe's name."
        ),
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe, as in loss.m=0.4.")
    ] = None,
    keys: Annotated[bool, typer.Option("--keys", help="List every key of a recipe, and what it means.")] = False,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write events for TensorBoard too.")] = False,
    json: JsonOption = False,
) -> int:
    """Train an encoder by a recipe. Run it again to carry on where it was left."""
    from mien.errors import ConfigError, MissingExtraError

    try:
        from mien.training.recipe import describe_keys, read_recipe
        from mien.training.trainer import train as follow
        from mien.training.trainer.memory import keep_freed_memory
    except ImportError as missing:
        if missing.name and missing.name.partition(".")[0] == "mien":
            raise
        raise MissingExtraError("train", "training an encoder") from None
    if keys:
        print(describe_keys())
        return ExitCode.DONE
    if recipe is None:
        raise ConfigError("Name a recipe to follow.", hint="`mien train quick` is a first one; --keys lists all keys.")
    read = read_recipe(recipe, changes or ())
    folder = output or Path("runs") / recipe.stem
    keep_freed_memory()
    one_of_the_others = int(os.environ.get("RANK", "0")) > 0  # of torchrun's processes the first speaks for all
    with nullcontext() if one_of_the_others else progress_shown():
        result = follow(read, folder, tensorboard=tensorboard, tell=say)
    if one_of_the_others:
        return ExitCode.DONE
    if json:
        print_json(result.to_dict())
    else:
        print(result.describe())
    return ExitCode.SOME_FAILED if result.without_crop else ExitCode.DONE
