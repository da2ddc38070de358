"""PyTorch-metric-learning's losses, miners and samplers by name: ``"pml:MultiSimilarityLoss"``."""

import difflib
import inspect
from importlib import import_module
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from torch import nn
from torch.utils.data import Sampler

from mien.errors import ConfigError, MissingExtraError

PREFIX = "pml:"
PARTS = ("distances", "reducers", "regularizers", "losses", "miners")
"""Where an argument that is itself a name is looked for."""

Kind = Literal["loss", "miner", "sampler"]
_PLACES: dict[Kind, str] = {"loss": "losses", "miner": "miners", "sampler": "samplers"}


def open_foreign_loss(name: str, *, num_classes: int, embedding_size: int, **arguments: Any) -> nn.Module:
    """A loss of PyTorch-metric-learning; called as ours: ``loss(embeddings, labels, indices_tuple=None)``.

    Args:
        name: Such as ``"pml:MultiSimilarityLoss"``.
        num_classes: Given to losses that know classes.
        embedding_size: Given to losses that are built for one.
        arguments: The loss's own. A text that begins with ``pml:`` stands for an object made without arguments, such
            as ``distance = "pml:CosineSimilarity"``.

    Raises:
        ConfigError: There is no such loss, or it can't be made with these arguments.
        MissingExtraError: PyTorch-metric-learning is not installed.
    """
    loss: nn.Module = _open("loss", name, {"num_classes": num_classes, "embedding_size": embedding_size}, arguments)
    return loss


def open_foreign_miner(name: str, **arguments: Any) -> nn.Module:
    """A miner of PyTorch-metric-learning; called as ours: ``miner(embeddings, labels)``.

    Args:
        name: Such as ``"pml:TripletMarginMiner"``.
        arguments: The miner's own; names of parts as for `open_foreign_loss`.

    Raises:
        ConfigError: There is no such miner, or it can't be made with these arguments.
        MissingExtraError: PyTorch-metric-learning is not installed.
    """
    miner: nn.Module = _open("miner", name, {}, arguments)
    return miner


def open_foreign_sampler(name: str, *, labels: ArrayLike, batch_size: int, **arguments: Any) -> Sampler[int]:
    """A sampler of PyTorch-metric-learning, as it is: see `mien.training.sampling.open_sampler` for one with a seed.

    Args:
        name: Such as ``"pml:MPerClassSampler"``.
        labels: (N,) integers: whose each row is.
        batch_size: Given to samplers that know batches. An epoch has about as many rows as there are labels.
        arguments: The sampler's own.

    Raises:
        ConfigError: There is no such sampler, or it can't be made with these arguments.
        MissingExtraError: PyTorch-metric-learning is not installed.
    """
    rows = max(len(np.asarray(labels)), batch_size)
    known = {"labels": labels, "batch_size": batch_size, "length_before_new_iter": rows}
    sampler: Sampler[int] = _open("sampler", name, known, arguments)
    return sampler


def _open(kind: Kind, name: str, known: dict[str, Any], arguments: dict[str, Any]) -> Any:
    made = foreign_class(kind, name)
    taken = inspect.signature(made).parameters
    given = {key: value for key, value in known.items() if key in taken}
    given |= {key: _part(value) for key, value in arguments.items()}
    try:
        return made(**given)
    except (TypeError, ValueError, IndexError, AssertionError) as problem:
        why = str(problem).strip() or type(problem).__name__
        raise ConfigError(
            f"The {kind} {name} can't be made: {why}.",
            hint=f"Its own arguments are {', '.join(key for key in taken if key != 'kwargs') or 'none'}.",
        ) from None


def foreign_class(kind: Kind, name: str) -> Any:
    """The class of PyTorch-metric-learning that a name stands for.

    Args:
        kind: What it is.
        name: Such as ``"pml:MultiSimilarityLoss"``.

    Raises:
        ConfigError: There is no such class of that kind.
        MissingExtraError: PyTorch-metric-learning is not installed.
    """
    place = _library(_PLACES[kind], f"the {kind} {name}")
    found = getattr(place, name.removeprefix(PREFIX), None)
    if name.startswith(PREFIX) and inspect.isclass(found):
        return found
    names = [known for known in vars(place) if inspect.isclass(getattr(place, known)) and not known.startswith("Base")]
    near = difflib.get_close_matches(name.removeprefix(PREFIX), names, n=3) or names
    raise ConfigError(
        f"PyTorch-metric-learning has no {kind} {name.removeprefix(PREFIX)!r}.",
        hint=f"It has {', '.join(PREFIX + known for known in near)}.",
    )


def _part(value: Any) -> Any:
    """What a text such as ``"pml:CosineSimilarity"`` stands for; anything else as it is."""
    if not (isinstance(value, str) and value.startswith(PREFIX)):
        return value
    for part in PARTS:
        found = getattr(_library(part, value), value.removeprefix(PREFIX), None)
        if inspect.isclass(found):
            return found()
    raise ConfigError(f"PyTorch-metric-learning has no {value.removeprefix(PREFIX)!r} among its {', '.join(PARTS)}.")


def _library(place: str, purpose: str) -> Any:
    try:
        return import_module(f"pytorch_metric_learning.{place}")
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] != "pytorch_metric_learning":
            raise
        raise MissingExtraError("pml", purpose) from None
