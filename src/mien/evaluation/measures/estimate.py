from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measure as it came out, with its two-sided 95 % interval.

    Unlike a `Rate` it may lie outside [0, 1] (d′, Cllr, a difference of two encoders).

    Args:
        value: The measure.
        low: Lower end of the interval.
        high: Upper end of the interval.

    Raises:
        ValueError: If not low ≤ value ≤ high.
    """

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.value <= self.high:
            raise ValueError(f"not a measure within its interval: {self.value} in [{self.low}, {self.high}]")

    def to_dict(self) -> dict[str, float]:
        """The measure as JSON-ready data: value, low, high."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A measure that the data is too small to give.

    Args:
        reason: Why, as a sentence: "not supported by 3,000 comparisons: …".
    """

    reason: str

    def to_dict(self) -> dict[str, str]:
        """The refusal as JSON-ready data: unsupported."""
        return {"unsupported": self.reason}


Measure = Estimate | Unsupported
