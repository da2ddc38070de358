import numpy as np
from numpy.typing import NDArray
from scipy import stats

from mien.decisions.measured import TailModel
from mien.evaluation.measures.error_rates import MeasuredRates
from mien.evaluation.scores.pair_scores import EDGES, PairScores

STARTS = (1e-2, 1e-3, 1e-4, 1e-5)
"""False match rates at which a tail may begin, the longest tail first."""
FEWEST = 50
"""Exceedances, no person in two of them, that a fit needs."""
MOST = 1000
"""Exceedances that a fit uses; more would only make the bootstrap slow."""


def fit_tail(scores: PairScores, false_match: MeasuredRates, *, seed: int = 0) -> TailModel | None:
    """Fit a generalised Pareto distribution to the highest non-mated similarities.

    Comparisons that share a person depend on each other. So the fit and its test see only some of them, drawn at random
    such that no person is in two. The tail begins at the first of `STARTS` where an Anderson–Darling test with
    parametric bootstrap (99 samples) does not reject the fit at 5 %; if all are rejected, at the last one tried, and
    its p-value says so.

    Args:
        scores: Of all pairs; a tail longer than its `highest_non_mated` is not tried.
        false_match: The false match rates of `scores`.
        seed: Of the draw and the bootstrap.

    Returns:
        The model; None if no tail has enough comparisons.
    """
    highest = scores.highest_non_mated
    all_kept = len(highest.similarity) == scores.non_mated.sum()
    model = None
    for rate in STARTS:
        at = int(np.searchsorted(-false_match.curve.value, -rate))
        if at == len(EDGES) or not (all_kept or EDGES[at] > highest.similarity[-1]):
            continue
        start = float(EDGES[at])
        exceedances = int(np.searchsorted(-highest.similarity, -start, side="right"))
        rng = np.random.default_rng(seed)
        apart = _without_common_people(scores.person[highest.photos[:exceedances]], rng)
        excess = highest.similarity[apart].astype(np.float64) - start
        excess = excess[excess > 0]
        if len(excess) < FEWEST:
            break
        test = stats.goodness_of_fit(
            stats.genpareto, excess, known_params={"loc": 0}, statistic="ad", n_mc_samples=99, rng=rng
        )
        shape, _, scale = (float(number) for number in test.fit_result.params)
        model = TailModel(
            start=start,
            rate=float(false_match.curve.value[at]),
            shape=shape,
            scale=scale,
            exceedances=exceedances,
            tested=len(excess),
            statistic=float(test.statistic),
            p_value=float(test.pvalue),
        )
        if model.p_value >= 0.05:
            break
    return model


def _without_common_people(people: NDArray[np.int64], rng: np.random.Generator) -> list[int]:
    """Indices of some of the (K, 2) pairs of people, drawn at random, such that no person is in two of them."""
    seen: set[int] = set()
    drawn: list[int] = []
    for at in rng.permutation(len(people)):
        pair = set(people[at].tolist())
        if seen.isdisjoint(pair):
            seen |= pair
            drawn.append(int(at))
            if len(drawn) == MOST:
                break
    return drawn
