"""The parts of a network from its input to its output, so that a recipe can let some of them move and not others."""

from collections.abc import Iterator

from torch import nn

from mien.errors import ConfigError


def parts_of(network: nn.Module) -> dict[str, nn.Module]:
    """A network's parts by name, from the input to the output.

    They are the modules directly below it that learn anything, in the order in which they were assigned to it; all of
    our backbones assign theirs by depth.
    """
    return {name: module for name, module in network.named_children() if any(True for _ in module.parameters())}


def trainable_parts(network: nn.Module, trainable: str) -> Iterator[nn.Parameter]:
    """The parameters that may move where a recipe says what is trainable.

    Args:
        network: A backbone.
        trainable: ``"all"``; ``"none"``; ``"head"``: the last part, which makes the embedding; ``"last"``: the last
            two parts; or names of parts (or of modules within them, as in ``"level4.0"``), comma-separated.

    Raises:
        ConfigError: The network has no such part.
    """
    if trainable == "all":
        return network.parameters()
    parts = parts_of(network)
    named = {"none": [], "head": list(parts)[-1:], "last": list(parts)[-2:]}
    names = named[trainable] if trainable in named else [name.strip() for name in trainable.split(",")]
    modules = dict(network.named_modules())
    unknown = [name for name in names if not name or name not in modules]
    if unknown:
        raise ConfigError(
            f"The backbone has no part {', '.join(map(repr, unknown))} that could be trainable.",
            hint=f"Its parts are {', '.join(parts)}; or say all, last, head or none.",
        )
    chosen = dict.fromkeys(parameter for name in names for parameter in modules[name].parameters())
    return iter(chosen)
