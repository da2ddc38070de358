"""The samplers, by the name that recipes call them: a new one is a file and a line here."""

import inspect
from collections.abc import Callable, Mapping, Sequence

from numpy.typing import ArrayLike

from mien.errors import ConfigError
from mien.training.arguments import check_arguments
from mien.training.losses.interop import foreign_class
from mien.training.sampling.balanced import Balanced, SquareRoot
from mien.training.sampling.class_aware import ClassAware
from mien.training.sampling.epoch_sampler import EpochSampler
from mien.training.sampling.people_and_photos import PeopleAndPhotos
from mien.training.sampling.shuffled import Shuffled
from mien.training.sampling.triplet_sampler import open_triplet_sampler

SAMPLERS: Mapping[str, Callable[..., EpochSampler]] = {
    "balanced": Balanced,
    "class_aware": ClassAware,
    "pk": PeopleAndPhotos,
    "shuffled": Shuffled,
    "square_root": SquareRoot,
    "triplets": open_triplet_sampler,
}

_OF_THE_RUN = ("labels", "names", "batch_size", "seed")


def check_sampler(name: str, arguments: Mapping[str, object]) -> None:
    """See that there is such a sampler with such arguments, before there are photos to draw from.

    Raises:
        ConfigError: There is none, or an argument is missing, not one of its own, or not of its type.
        MissingExtraError: PyTorch-metric-learning is asked for and not installed.
    """
    if name.startswith("pml:"):
        foreign_class("sampler", name)
    elif name in SAMPLERS:
        check_arguments(f"sampler {name}", SAMPLERS[name], arguments, _OF_THE_RUN)
    else:
        raise ConfigError(
            f"There is no sampler {name!r}.",
            hint=f"Use one of {', '.join(SAMPLERS)}, or pml:Name for PyTorch-metric-learning's.",
        )


def open_sampler(
    name: str,
    *,
    labels: ArrayLike,
    batch_size: int,
    seed: int = 0,
    names: Sequence[str] = (),
    **arguments: object,
) -> EpochSampler:
    """A sampler by its recipe name, or PyTorch-metric-learning's by ``pml:`` and its class name.

    Args:
        name: A key of `SAMPLERS`, or such as ``"pml:MPerClassSampler"``.
        labels: (N,) integers: whose each row is.
        batch_size: Rows a batch.
        seed: 0 or more.
        names: (N,) what a triplet file calls each row; only ``"triplets"`` needs them.
        arguments: The sampler's own.

    Raises:
        ConfigError: There is no such sampler, an argument is not one of its own or not of its type, or it can't draw
            from these people.
        MissingExtraError: PyTorch-metric-learning is asked for and not installed.
    """
    if name.startswith("pml:"):
        from mien.training.sampling.foreign import ForeignSampler

        return ForeignSampler(name, labels, batch_size, seed, **arguments)
    check_sampler(name, arguments)
    kind = SAMPLERS[name]
    if "names" in inspect.signature(kind).parameters:
        arguments["names"] = names
    try:
        return kind(labels=labels, batch_size=batch_size, seed=seed, **arguments)
    except (TypeError, ValueError) as problem:
        raise ConfigError(f"The sampler {name} can't be made: {problem}.") from None
