from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from mien.decisions.measured import RateCurve, TailModel
from mien.evaluation.measures.error_rates import MeasuredRates
from mien.evaluation.scores.pair_scores import EDGES, PEOPLE_EDGES, PairScores

Floats = NDArray[np.float64]

BEGINS_ABOVE = 3.0
"""The tail begins at so many times the smallest rate that is counted. Where few people look alike, what is rare follows
from them and what is common does not: begun at 10 times, a tail promised 1.5 times as many false matches as came."""
HIGHEST_START = 0.03
"""False match rate where a tail begins at the latest: what is more common than that is no tail."""
FEWEST = 12
"""Exceedances, no person in two of them, that the test needs."""
MOST = 1000
"""Exceedances that the test uses."""
MODEL_ERROR = 1.4
"""By what factor the model itself is off: medians over many draws of people were by up to 1.2 (`benchmarks transfer`),
and with this its interval was right in 92 of 100 draws or more, where 100 people or more were drawn."""
_STEP = float(PEOPLE_EDGES[1] - PEOPLE_EDGES[0])
_SMALL = 1e-4


@dataclass(frozen=True, eq=False)
class FittedTail:
    """A model of the highest non-mated similarities, and the false match rates that it gives.

    Args:
        model: The generalised Pareto distribution.
        curve: Its rate on `EDGES` with its 95 % interval over people; 1, from 0 to 1, below the start.
    """

    model: TailModel
    curve: RateCurve


def fit_tail(scores: PairScores, false_match: MeasuredRates, smallest: float, *, seed: int = 0) -> FittedTail | None:
    """Fit a generalised Pareto distribution to the highest non-mated similarities, pairs of people weighing the same.

    By maximum likelihood over the bins of `PEOPLE_EDGES`. The comparisons share people, so the likelihood's own errors
    would be far too small: those of the start's rate, shape and scale come from each person's influence on them (the
    sandwich of Huber 1967, with the variance of a sum over pairs as in `false_match_rates`), and the interval of a rate
    from the three together, on a logarithmic scale with Student's quantile at Satterthwaite's degrees of freedom, and
    widened by `MODEL_ERROR`.

    An Anderson–Darling test on some of the exceedances, drawn such that no person is in two, says whether the model
    fits (p-value from 199 simulated samples). Shape and scale, which all comparisons of the tail gave, are taken as
    known in it, so that where nearly all of those are tested the p-value is somewhat too great.

    Args:
        scores: Of all pairs.
        false_match: The false match rates of `scores`.
        smallest: The smallest rate that these support by counting; the tail begins at `BEGINS_ABOVE` times it.
        seed: Of the draw and the simulation.

    Returns:
        The model; None if the rates near `smallest` say nothing of a tail, or too few people are in it.
    """
    rate = false_match.curve.value[::16]
    begin = int(np.searchsorted(-rate, -min(BEGINS_ABOVE * smallest, HIGHEST_START)))
    if begin >= len(rate) - 4 or rate[begin] < 2 * smallest:
        return None
    start = float(PEOPLE_EDGES[begin])
    by_person = scores.non_mated_by_person[:, begin:]
    shares = by_person.sum(axis=0)
    edges: Floats = np.arange(len(shares), dtype=np.float64) * _STEP
    try:
        shape_and_scale = _most_likely(shares, edges)
        weight = _influence_of_bins(shares, edges, shape_and_scale)
    except np.linalg.LinAlgError:
        return None
    shape, scale = float(shape_and_scale[0]), float(np.exp(shape_and_scale[1]))
    above, excess = _independent_excesses(scores, start, seed)
    if len(excess) < FEWEST:
        return None
    scale_above = max(scale + shape * (above - start), 1e-9)
    if shape < 0:  # what lies beyond the model's end counts as just before it: the statistic is great, but finite
        excess = np.minimum(excess, (1 - 1e-9) * scale_above / -shape)
    test = scipy.stats.goodness_of_fit(
        scipy.stats.genpareto,
        excess,
        known_params={"loc": 0, "c": shape, "scale": scale_above},
        statistic="ad",
        n_mc_samples=199,
        rng=np.random.default_rng(seed),
    )
    model = TailModel(
        start=start,
        rate=float(rate[begin]),
        shape=shape,
        scale=scale,
        exceedances=int(false_match.errors[16 * begin]),
        tested=len(excess),
        statistic=float(test.statistic),
        p_value=float(test.pvalue),
    )
    influence = by_person @ weight
    influence -= influence.mean(axis=0)
    return FittedTail(model, _curve(model, shape_and_scale, influence, _squares_of_pairs(scores, begin, weight)))


def survival(excess: Floats, shape: float, scale: float) -> Floats:
    """1 − F of the generalised Pareto distribution (Pickands 1975), at excesses of 0 or more."""
    if abs(shape) < 1e-9:
        return np.exp(-excess / scale)
    with np.errstate(divide="ignore", over="ignore"):
        return np.asarray(np.maximum(1 + shape * excess / scale, 0) ** (-1 / shape), np.float64)


def _log_shares(parameters: Floats, edges: Floats) -> Floats:
    """(B,) logarithms of the shares that the model gives the bins; the last bin is open."""
    above = survival(edges, float(parameters[0]), float(np.exp(parameters[1])))
    return np.asarray(np.log(np.maximum(above - np.append(above[1:], 0.0), 1e-300)), np.float64)


def _most_likely(shares: Floats, edges: Floats) -> Floats:
    """Shape, and logarithm of the scale."""
    weight = shares / shares.sum()
    middle = float(np.log(weight @ (edges + _STEP / 2)))

    def cost(parameters: Floats) -> float:
        return -float(weight @ _log_shares(parameters, edges))

    simplex = np.array([[0.0, middle], [-0.15, middle + 0.15], [0.15, middle - 0.1]])
    found = scipy.optimize.minimize(
        cost, simplex[0], method="Nelder-Mead", options={"initial_simplex": simplex, "xatol": 1e-6, "fatol": 1e-10}
    )
    return np.asarray(found.x, np.float64)


def _slopes(parameters: Floats, edges: Floats) -> Floats:
    """(B, 2) derivatives of `_log_shares`."""
    steps = _SMALL * np.eye(2)
    return np.stack(
        [(_log_shares(parameters + s, edges) - _log_shares(parameters - s, edges)) / (2 * _SMALL) for s in steps],
        axis=1,
    )


def _influence_of_bins(shares: Floats, edges: Floats, parameters: Floats) -> Floats:
    """(B, 3) how far a comparison in each bin pulls the logarithm of the start's rate, the shape, and log scale."""
    share = shares / shares.sum()
    steps = 10 * _SMALL * np.eye(2)
    bend = np.stack(
        [share @ (_slopes(parameters + s, edges) - _slopes(parameters - s, edges)) / (20 * _SMALL) for s in steps]
    )
    on_parameters = -_slopes(parameters, edges) @ np.linalg.inv((bend + bend.T) / 2)
    return np.asarray(np.column_stack([np.ones(len(edges)), on_parameters]) / (shares.sum() / 2), np.float64)


def _squares_of_pairs(scores: PairScores, begin: int, weight: Floats) -> Floats:
    """(3, 3) sum of the squared influences of pairs of people; 0 where not every comparison of the tail is kept."""
    highest = scores.highest_non_mated
    start = PEOPLE_EDGES[begin]
    if len(highest.similarity) < scores.non_mated.sum() and highest.similarity[-1] > start:
        return np.zeros((3, 3))
    above = int(np.searchsorted(-highest.similarity, -start, side="right"))
    people = np.sort(scores.person[highest.photos[:above]], axis=1)
    photos = np.bincount(scores.person)
    one_by_one = weight[np.searchsorted(PEOPLE_EDGES, highest.similarity[:above], side="right") - 1 - begin]
    one_by_one = one_by_one / (photos[people[:, 0]] * photos[people[:, 1]])[:, None]
    pair = np.unique(people[:, 0] * len(scores.people) + people[:, 1], return_inverse=True)[1]
    by_pair = np.stack([np.bincount(pair, one) for one in one_by_one.T], axis=1)
    return np.asarray(by_pair.T @ by_pair, np.float64)


def _curve(model: TailModel, parameters: Floats, by_person: Floats, squares: Floats) -> RateCurve:
    """The rates of the model; `by_person` (S, 3) are influences, `squares` (3, 3) those of pairs, counted twice."""
    excess = np.maximum(EDGES - model.start, 0)

    def log_rate(at: Floats) -> Floats:
        return np.log(np.maximum(survival(excess, float(at[0]), float(np.exp(at[1]))), 1e-300))

    steps = _SMALL * np.eye(2)
    slope = np.stack(
        [np.ones(len(EDGES)), *((log_rate(parameters + s) - log_rate(parameters - s)) / (2 * _SMALL) for s in steps)]
    )
    people = len(by_person)
    influence = by_person @ slope
    sums, fourths = (influence**2).sum(axis=0), (influence**4).sum(axis=0)
    twice = np.maximum(np.einsum("ig,ij,jg->g", slope, squares, slope), 0)
    # Each pair stands in two people's sums, so that half of these is the least that the variance can be.
    variance = np.maximum(people * (people - 1) / max(people - 2, 1) ** 2 * sums - twice, sums / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = 2 * sums**2 / (fourths - sums**2 / people)
    freedom = np.clip(np.nan_to_num(freedom, nan=1, posinf=people - 1), 1, max(people - 1, 1))
    drawn = np.minimum(scipy.stats.t.isf(0.025, freedom) * np.sqrt(variance), 700)
    times = np.exp(np.hypot(drawn, np.log(MODEL_ERROR)))
    below = model.start > EDGES
    value = np.where(below, 1.0, model.rate * np.exp(log_rate(parameters)))
    return RateCurve(value, np.where(below, 0.0, value / times), np.where(below, 1.0, np.minimum(value * times, 1.0)))


def _independent_excesses(scores: PairScores, start: float, seed: int) -> tuple[float, Floats]:
    """How far some of the non-mated similarities are above `start`: drawn so that no person is in two of them.

    Where not all of those are kept, above the least one that is: what is above that is a tail of the same shape.
    """
    highest = scores.highest_non_mated
    if len(highest.similarity) < scores.non_mated.sum():
        start = max(start, float(highest.similarity[-1]))
    above = int(np.searchsorted(-highest.similarity, -start, side="right"))
    people = scores.person[highest.photos[:above]]
    photos = np.bincount(scores.person)
    share = 1.0 / (photos[people[:, 0]] * photos[people[:, 1]])
    order = np.argsort(np.random.default_rng(seed).exponential(size=above) / share)
    excess = highest.similarity[order[_without_common_people(people[order])]].astype(np.float64) - start
    return start, excess[excess > 0]


def _without_common_people(people: NDArray[np.int64]) -> list[int]:
    """Indices of the first of the (K, 2) pairs of people such that no person is in two of them."""
    seen: set[int] = set()
    drawn: list[int] = []
    for at, pair in enumerate(people.tolist()):
        if seen.isdisjoint(pair):
            seen.update(pair)
            drawn.append(at)
            if len(drawn) == MOST:
                break
    return drawn
