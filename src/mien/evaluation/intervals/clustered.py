import numpy as np
from numpy.typing import NDArray

from mien.evaluation.intervals.proportions import clopper_pearson_limits, effective_trials

Floats = NDArray[np.float64]


def clustered_shares(hits: Floats, person: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Shares of trials that belong to people, with 95 % intervals over the people.

    The variance is that of a ratio of sums over people, Σu² · S/(S − 1) with a person's influence u = Σ(x − p)/n; the
    interval is Clopper–Pearson's at the effective number of trials.

    Args:
        hits: (n, C) from 0 to 1, C kinds of hit of each trial.
        person: (n,) whose trial each is; somebody's at least, unless C is 0.

    Returns:
        The shares (C,) and the lower and upper ends of their intervals.
    """
    if not hits.size:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    index = np.unique(person, return_inverse=True)[1]
    trials, people = len(hits), int(index.max()) + 1
    share = hits.mean(axis=0)
    influence = np.zeros((people, hits.shape[1]))
    np.add.at(influence, index, hits - share)
    variance: Floats = (influence**2).sum(axis=0) / trials**2 * people / max(people - 1, 1)
    equal = trials**2 / float((np.bincount(index).astype(np.float64) ** 2).sum())
    effective = effective_trials(share, influence, variance, bounds=(equal, trials), lend=False)
    low, high = clopper_pearson_limits(share * effective, effective)
    return share, np.minimum(low, share), np.maximum(high, share)
