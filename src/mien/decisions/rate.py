import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """An error rate as it was measured, with its two-sided 95 % interval.

    Args:
        value: The measured rate, in [0, 1].
        low: Lower end of the interval, in [0, value].
        high: Upper end of the interval, in [value, 1].

    Raises:
        ValueError: If not 0 ≤ low ≤ value ≤ high ≤ 1.
    """

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.value <= self.high <= 1:
            raise ValueError(f"not a rate with its interval: {self.value} in [{self.low}, {self.high}]")

    def best_of(self, comparisons: int) -> "Rate":
        """The rate at which the best of `comparisons` is wrong, at most: the union bound min(1, k·rate)."""
        return Rate(*(min(1.0, comparisons * rate) for rate in (self.value, self.low, self.high)))

    def any_of(self, comparisons: int) -> "Rate":
        """The rate at which at least one of `comparisons` independent ones is wrong: 1 − (1 − rate)^k."""
        return Rate(*(_any_of(rate, comparisons) for rate in (self.value, self.low, self.high)))

    def to_dict(self) -> dict[str, float]:
        """The rate as JSON-ready data: value, low, high."""
        return {"value": self.value, "low": self.low, "high": self.high}


def _any_of(rate: float, comparisons: int) -> float:
    return 1.0 if rate == 1 else -math.expm1(comparisons * math.log1p(-rate))
