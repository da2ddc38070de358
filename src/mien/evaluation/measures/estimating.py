from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.decisions.wording import counted
from mien.evaluation.intervals.bootstrap import Replicates, share_limits
from mien.evaluation.measures.counted import Counted
from mien.evaluation.measures.error_rates import FEWEST_ERRORS
from mien.evaluation.measures.estimate import Estimate, Measure, Unsupported

ROUNDING = 1e-18
"""The variance of measures that differ by rounding alone."""
TELL_NO_SPREAD = 2
"""So many people of a kind, as they count, or fewer: half of two is one, who differs from nobody."""
FIT_TOO_WELL = 10
"""To fewer people of a kind a map fits so well that the least Cllr's interval holds the truth 8 times in 10 only."""
TOO_FEW = "too few people: hardly a half of them has comparisons of both kinds"
NON_MATED = ("non-mated comparison", "non-mated comparisons")
_BOTH = ("mated", "non-mated")


@dataclass(frozen=True, eq=False)
class Estimating:
    """Puts values and replicates together to measures with intervals.

    Args:
        exact: Each measure by name, of the comparisons themselves.
        drawn: The same of replicates.
        counted: What was counted.
        trials: What one non-mated trial is called, and what several are.
    """

    exact: Mapping[str, NDArray[np.float64]]
    drawn: Replicates
    counted: Counted
    trials: tuple[str, str] = NON_MATED

    def number(self, name: str) -> float | None:
        """The value without an interval; None where it isn't defined."""
        return None if self.undefined(name) else float(self.exact[name])

    def measure(self, name: str, *, least: float = -np.inf) -> Measure:
        """A measure on any scale that has no value below `least`, with its percentile interval."""
        return self._of_too_few(name) or self._measure(name, bias=0.0, least=least, most=np.inf)

    def threshold(self, name: str) -> Measure:
        """A threshold that the non-mated comparisons alone decide, with its percentile interval."""
        return self._measure(name, bias=0.0, least=-np.inf, most=np.inf)

    def cost(self, name: str, *, most: float = np.inf, of_more_than: float = TELL_NO_SPREAD) -> Measure:
        """A measure from 0 to `most`, which comes out too good or too bad because it was fitted or summed over bins.

        It takes more people of each kind than `of_more_than`.
        """
        if self.undefined(name) is None and not self.drawn.variance(name) > ROUNDING:
            return Unsupported(unchanged("people"))
        return self._of_too_few(name, of_more_than) or self._measure(
            name, bias=float(self.drawn.bias(name)), least=0.0, most=most
        )

    def share(self, name: str, *, chosen: bool = False) -> Measure:
        """A share that mated and non-mated comparisons decide; too good if its threshold was `chosen` as the best."""
        bias = float(self.drawn.bias(name)) if chosen else 0.0
        return self._share(name, self.fewest, np.inf, bias=bias)

    def mated_share(self, name: str) -> Measure:
        """A share of the mated comparisons."""
        return self._share(name, self.counted.sample.mated_people, self.counted.mated, of=("mated",))

    def non_mated_share(self, name: str) -> Measure:
        """A share of the non-mated comparisons."""
        return self._share(name, self.counted.sample.non_mated_people, self.counted.non_mated, of=("non-mated",))

    def at_rate(self, name: str, rate: str, give: Callable[[str], Measure]) -> Measure:
        """What `give` gives, if the non-mated comparisons support the rate of false matches that it is measured at.

        They do if 30 of them may be false matches (Doddington et al. 2000).
        """
        count, needed = self.counted.non_mated, round(FEWEST_ERRORS / float(rate))
        if count >= needed:
            return give(name)
        return Unsupported(f"not supported by {counted(count, *self.trials)}: a rate of {rate} needs {needed:,}")

    @property
    def fewest(self) -> float:
        """As how many people the comparisons of the kind that has fewer count."""
        return min(self.counted.sample.mated_people, self.counted.sample.non_mated_people)

    def _of_too_few(self, name: str, many: float = TELL_NO_SPREAD) -> Unsupported | None:
        """Why a measure of both kinds has no interval where one is of as few people; None if neither is."""
        if self.undefined(name) or self.fewest > many:
            return self.undefined(name)
        kind = _BOTH[0] if self.counted.sample.mated_people <= many else _BOTH[1]
        return Unsupported(
            f"too few {kind} {self.trials[1].split()[-1]}, or of too few people: how they differ isn't known"
        )

    def _measure(self, name: str, bias: float, least: float, most: float) -> Measure:
        if undefined := self.undefined(name):
            return undefined
        if not self.drawn.tells(name):
            return Unsupported(TOO_FEW)
        value = float(self.exact[name])
        low, high = self.drawn.interval(name, value, self.fewest, bias=bias)
        return Estimate(value, min(max(low, least), value), max(min(high, most), value))

    def _share(
        self, name: str, fewest: float, most: float, *, bias: float = 0.0, of: Collection[str] = _BOTH
    ) -> Measure:
        if undefined := self.undefined(name, of):
            return undefined
        value = np.clip(self.exact[name], 0, 1).reshape(1)
        # Without one, a share counts as that of the fewest trials, which leaves nearly everything open.
        variance = self.drawn.variance(name).reshape(1) * (fewest > TELL_NO_SPREAD)
        low, high = share_limits(value, variance, bias=bias, fewest=fewest, most=most)
        return Estimate(float(value[0]), float(low[0]), float(high[0]))

    def undefined(self, name: str, of: Collection[str] = _BOTH) -> Unsupported | None:
        """Why a measure of comparisons of the kinds `of` isn't defined; None if it is."""
        for count, kind in zip((self.counted.mated, self.counted.non_mated), _BOTH, strict=True):
            if kind in of and not count:
                return Unsupported(f"there are no {kind} {self.trials[1].split()[-1]}")
        if not np.isfinite(self.exact[name]):
            return Unsupported("not defined: the similarities of a kind are all missing or all equal")
        return None


def unchanged(drawn: str) -> str:
    """Why a value that no draw changes has no interval.

    Args:
        drawn: What is drawn again: people, or comparisons.
    """
    return f"the same in every draw of {drawn}, which tells nothing of how far it may be from the truth"
