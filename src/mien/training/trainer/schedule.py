"""How the learning rate goes over the steps of a stage."""

import math

from mien.training.recipe.schema import Schedule


def rate_factor(schedule: Schedule, done: float) -> float:
    """What the highest rate is multiplied by when a share `done` in [0, 1] of a stage is over.

    After a linear warm-up, `cosine` follows last + (1 − last)·(1 + cos πt)/2 (Loshchilov and Hutter, 2017, eq. 5),
    `steps` falls by `factor` at each of its shares, `constant` stays at 1.
    """
    if done < schedule.warm_up:
        return done / schedule.warm_up
    if schedule.name == "constant":
        return 1.0
    if schedule.name == "steps":
        return float(schedule.factor ** sum(done >= share for share in schedule.steps))
    after = (done - schedule.warm_up) / (1 - schedule.warm_up) if schedule.warm_up < 1 else 1.0
    return schedule.last + (1 - schedule.last) * (1 + math.cos(math.pi * min(after, 1.0))) / 2
