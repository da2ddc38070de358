"""Networks from crops to embeddings."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from torch import nn

from mien.errors import ConfigError
from mien.training.backbones.small import Small

BACKBONES: dict[str, type[nn.Module]] = {"small": Small}


def open_backbone(name: str, *, embedding_size: int, input_size: int, **arguments: Any) -> nn.Module:
    kind = BACKBONES.get(name)
    if kind is None:
        module, _, attribute = name.partition(":")
        if not attribute:
            raise ConfigError(
                f"There is no backbone {name!r}.", hint=f"Use one of {', '.join(BACKBONES)}, or module:Class."
            )
        kind = getattr(import_module(module), attribute)
    return kind(embedding_size=embedding_size, input_size=input_size, **arguments)


def trainable_parts(network: nn.Module, trainable: str) -> Iterator[nn.Parameter]:
    if trainable == "all":
        yield from network.parameters()
    elif trainable != "none":
        raise ConfigError(f"no part {trainable!r}")
