from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.evaluation.intervals.bootstrap import Replicates, replicates
from mien.evaluation.intervals.proportions import CONFIDENCE
from mien.evaluation.measures.counted import Counted, count_listed
from mien.evaluation.measures.estimate import Unsupported
from mien.evaluation.measures.estimating import NON_MATED, ROUNDING, TOO_FEW, Estimating, unchanged
from mien.evaluation.measures.identification import FPIRS, STRANGERS, count_searches, search_rates
from mien.evaluation.measures.roc import Roc
from mien.evaluation.measures.verification import RATES, verification_values
from mien.evaluation.scores.comparisons import Comparisons
from mien.evaluation.scores.searches import Searches

Values = Callable[[Roc], Mapping[str, NDArray[np.float64]]]

_COMPARED = (
    "auc",
    "eer",
    "accuracy",
    "average_precision",
    "precision_at_recall_095",
    "recall_at_precision_095",
    "d_prime",
    "min_cllr",
)

_NO_SHARES = ("d_prime", "min_cllr")
"""Those of them that are not bounded by how many comparisons two encoders decide differently."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How much greater a measure is for the first of two encoders, on the same comparisons.

    Args:
        value: First less second.
        low: Lower end of its two-sided 95 % interval.
        high: Upper end.
        p_value: How often replicates would differ at least so much if the encoders were equally good.
        note: What else there is to say of it: that no draw of people tells the encoders apart, as where neither errs.
    """

    value: float
    low: float
    high: float
    p_value: float
    note: str = ""

    def to_dict(self) -> dict[str, float | str]:
        """The difference as JSON-ready data: value, low, high, p_value; and note, where there is one."""
        found: dict[str, float | str] = {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "p_value": self.p_value,
        }
        return found | ({"note": self.note} if self.note else {})


def compare_verification(
    first: Comparisons,
    second: Comparisons,
    *,
    failures_are_errors: bool = False,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Difference | Unsupported]:
    """Compare two encoders on the same comparisons: every replicate draws the same people for both.

    Args:
        first: The comparisons by one encoder.
        second: The same comparisons, row for row, by another.
        failures_are_errors: As for `verification_measures`; by default a comparison that either failed is left out for
            both.
        resamples: Bootstrap replicates.
        seed: Of the draws.

    Returns:
        First less second of auc, eer, accuracy, average_precision, precision_at_recall_095, recall_at_precision_095,
        d_prime, min_cllr and "tar_at_far 1e-1" … "tar_at_far 1e-6"; the p-value is two-sided.

    Raises:
        ValueError: If the comparisons are not the same.
    """
    same_people = first.people is second.people or (
        first.people is not None and second.people is not None and np.array_equal(first.people, second.people)
    )
    if not (np.array_equal(first.mated, second.mated) and same_people):
        raise ValueError("two encoders can only be compared on the same comparisons, row for row")
    people = np.arange(len(first))[:, None] if first.people is None else first.people
    use = ~(np.isnan(first.similarity) | np.isnan(second.similarity)) | failures_are_errors
    one, other = (
        count_listed(scores.similarity[use], scores.mated[use], people[use], failures_are_errors=failures_are_errors)
        for scores in (first, second)
    )
    rates: dict[str, str | None] = {f"tar_at_far {rate}": rate for rate in RATES}
    return _differences(
        one,
        other,
        verification_values,
        dict.fromkeys(_COMPARED, None) | rates,
        trials=NON_MATED,
        drawn_again="comparisons" if first.people is None else "people",
        resamples=resamples,
        seed=seed,
    )


def compare_identification(
    first: Searches, second: Searches, *, failures_are_errors: bool = True, resamples: int = 1000, seed: int = 0
) -> dict[str, Difference | Unsupported]:
    """Compare two encoders on the same searches: every replicate draws the same people for both.

    Args:
        first: The searches by one encoder.
        second: The same probes in the same gallery, row for row, by another; some photos may have given a template to
            one of them only.
        failures_are_errors: As for `identification_measures`; otherwise a probe that either failed is left out for
            both.
        resamples: Bootstrap replicates.
        seed: Of the draws.

    Returns:
        First less second of "fnir_at_fpir 0.003", "fnir_at_fpir 0.01", "fnir_at_fpir 0.1" and rank_1.

    Raises:
        ValueError: If the searches are not the same.
    """
    if not (np.array_equal(first.mate >= 0, second.mate >= 0) and np.array_equal(first.person, second.person)):
        raise ValueError("two encoders can only be compared on the same searches, row for row")
    use = ~(np.isnan(first.similarity[:, 0]) | np.isnan(second.similarity[:, 0])) | failures_are_errors
    one, other = (count_searches(searches, use) for searches in (first, second))
    rates: dict[str, str | None] = {f"fnir_at_fpir {rate}": rate for rate in FPIRS}
    return _differences(
        one,
        other,
        search_rates,
        {"rank_1": None} | rates,
        trials=STRANGERS,
        drawn_again="people",
        resamples=resamples,
        seed=seed,
    )


def _differences(
    one: Counted,
    other: Counted,
    values: Values,
    asked: Mapping[str, str | None],
    *,
    trials: tuple[str, str],
    drawn_again: str,
    resamples: int,
    seed: int,
) -> dict[str, Difference | Unsupported]:
    """The differences of the measures `asked`, each with the false match rate that it is at, if it is at one."""

    def drawn(counted: Counted) -> Replicates:
        return replicates(counted.sample, lambda counts: values(counted.curves(counts)), resamples=resamples, seed=seed)

    exact_one, exact_other = values(one.roc), values(other.roc)
    apart = drawn(one).minus(drawn(other))
    give = Estimating({name: exact_one[name] - exact_other[name] for name in asked}, apart, one, trials)

    people = min(one.sample.mated_people, one.sample.non_mated_people)

    def difference(name: str, rate: str | None) -> Difference | Unsupported:
        measure = give.measure(name) if rate is None else give.at_rate(name, rate, give.measure)
        if isinstance(measure, Unsupported):
            return measure
        if not apart.tells(name):
            return Unsupported(TOO_FEW)
        if not apart.variance(name) > ROUNDING:
            return _in_every_draw(name, measure.value, people, drawn_again, resamples)
        low, high, p_value = apart.about(measure.value, name, people)
        most = np.inf if name == "d_prime" else 1.0
        return Difference(measure.value, max(low, -most), min(high, most), p_value)

    return {name: difference(name, rate) for name, rate in asked.items()}


def _in_every_draw(name: str, value: float, n: float, drawn: str, resamples: int) -> Difference | Unsupported:
    """A difference that no draw changes, as of two encoders that make no errors.

    That is no proof that there is none. What was not seen among n is, with 95 % confidence, less than 1 − 0.05^(1/n) of
    all, or about 3/n: the rule of three. A share can't differ by more than what is decided differently.
    """
    if name in _NO_SHARES:
        return Unsupported(unchanged(drawn))
    n = max(n, 1.0)
    bound = 1 - (1 - CONFIDENCE) ** (1 / n)
    return Difference(
        value,
        max(value - bound, -1.0),
        min(value + bound, 1.0),
        p_value=1.0 if abs(value) <= bound else 1 / (1 + resamples),
        note=f"the same in every draw of {drawn}, so by the rule of three for {n:,.0f} of them",
    )
