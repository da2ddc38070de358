"""Makes the backbone that a recipe names: one of ours, or a class of the user's."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch
from torch import nn

from mien.errors import ConfigError
from mien.training.arguments import check_arguments
from mien.training.backbones.registry import BACKBONES

_OF_THE_RECIPE = ("embedding_size", "input_size")


def open_backbone(name: str, *, embedding_size: int, input_size: int, **arguments: Any) -> nn.Module:
    """Make a backbone.

    Args:
        name: A name of `BACKBONES`, or ``"module:Class"`` for any module that is called with `embedding_size` and
            `input_size` by name and takes (N, 3, S, S) float crops to (N, D) float embeddings.
        embedding_size: D, at least 1.
        input_size: S, the width and height of the crops in pixels.
        arguments: The backbone's own.

    Raises:
        ConfigError: There is no such backbone, an argument is not one of its own or not of its type, or a class of
            the user's can't be imported, called, or doesn't give embeddings of that size.
    """
    known = name in BACKBONES
    make = BACKBONES[name] if known else _imported(name)
    check_arguments(f"backbone {name}", make, arguments, _OF_THE_RECIPE)
    try:
        network = make(embedding_size=embedding_size, input_size=input_size, **arguments)
    except (TypeError, ValueError) as problem:
        raise ConfigError(f"The backbone {name} can't be made: {problem}.") from problem
    if not known:
        _check_contract(name, network, embedding_size, input_size)
    return network


def _imported(name: str) -> Callable[..., nn.Module]:
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise ConfigError(
            f"There is no backbone {name!r}.",
            hint=f"Use one of {', '.join(BACKBONES)}, or module:Class for one of yours.",
        )
    try:
        made: Callable[..., nn.Module] = getattr(import_module(module), attribute)
    except ImportError as problem:
        raise ConfigError(
            f"The module {module} of the backbone {name!r} can't be imported: {problem}.",
            hint="Install it, or put the folder where it lies into the environment variable PYTHONPATH.",
        ) from problem
    except AttributeError:
        raise ConfigError(f"The module {module} has no {attribute}.", hint="Name a class of it.") from None
    return made


def _check_contract(name: str, network: nn.Module, embedding_size: int, input_size: int) -> None:
    """Run a stranger's network once, so that what doesn't fit is said before the first photo is read."""
    if not isinstance(network, nn.Module):
        raise ConfigError(f"{name} made a {type(network).__name__}, not a torch.nn.Module.")
    training = network.training
    try:
        with torch.inference_mode():
            embeddings = network.eval()(torch.zeros(2, 3, input_size, input_size))
    except Exception as problem:  # it is the user's code, which may raise anything
        raise ConfigError(
            f"The backbone {name} can't take crops of {input_size} pixels: {type(problem).__name__}: {problem}."
        ) from problem
    finally:
        network.train(training)
    shape = tuple(embeddings.shape) if isinstance(embeddings, torch.Tensor) else type(embeddings).__name__
    if shape != (2, embedding_size):
        raise ConfigError(
            f"The backbone {name} gives {shape} for 2 crops, and the recipe wants {(2, embedding_size)}.",
            hint="Set backbone.embedding_size to what it gives, or let its forward return one embedding a crop.",
        )
