"""The miners, by the name that recipes call them: a new one is a file and a line here."""

from collections.abc import Callable, Mapping

from torch import nn

from mien.errors import ConfigError
from mien.training.arguments import check_arguments
from mien.training.mining.as_laid_out import AsLaidOut
from mien.training.mining.batch_all import BatchAll
from mien.training.mining.batch_hard import BatchHard
from mien.training.mining.distance_weighted import DistanceWeighted
from mien.training.mining.easy_positive import EasyPositive
from mien.training.mining.multi_similarity_pairs import MultiSimilarityPairs
from mien.training.mining.semi_hard import HardestSemiHard, SemiHard

MINERS: Mapping[str, Callable[..., nn.Module]] = {
    "as_laid_out": AsLaidOut,
    "batch_all": BatchAll,
    "batch_hard": BatchHard,
    "distance_weighted": DistanceWeighted,
    "easy_positive": EasyPositive,
    "hardest_semi_hard": HardestSemiHard,
    "multi_similarity": MultiSimilarityPairs,
    "semi_hard": SemiHard,
}


def open_miner(name: str, **arguments: object) -> nn.Module:
    """A miner by its recipe name, or PyTorch-metric-learning's by ``pml:`` and its class name.

    Args:
        name: A key of `MINERS`, or such as ``"pml:TripletMarginMiner"``.
        arguments: The miner's own.

    Raises:
        ConfigError: There is no such miner, or an argument is not one of its own or not of its type.
        MissingExtraError: PyTorch-metric-learning is asked for and not installed.
    """
    if name.startswith("pml:"):
        from mien.training.losses.interop import open_foreign_miner

        return open_foreign_miner(name, **arguments)
    if name not in MINERS:
        raise ConfigError(
            f"There is no miner {name!r}.",
            hint=f"Use one of {', '.join(MINERS)}, or pml:Name for PyTorch-metric-learning's.",
        )
    kind = MINERS[name]
    check_arguments(f"miner {name}", kind, arguments)
    try:
        return kind(**arguments)
    except (TypeError, ValueError) as problem:
        raise ConfigError(f"The miner {name} can't be made: {problem}.") from None
