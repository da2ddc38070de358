from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.training.recipe.schema import Schedule
from mien.training.trainer.schedule import rate_factor


def test_the_cosine_warms_up_peaks_and_ends_at_its_last() -> None:
    schedule = Schedule(name="cosine", warm_up=0.1, last=0.2)
    assert rate_factor(schedule, 0.0) == 0.0
    assert rate_factor(schedule, 0.05) == pytest.approx(0.5)
    assert rate_factor(schedule, 0.1) == pytest.approx(1.0)
    assert rate_factor(schedule, 0.55) == pytest.approx(0.6)  # half-way down from 1 to 0.2
    assert rate_factor(schedule, 1.0) == pytest.approx(0.2)


def test_steps_fall_by_their_factor() -> None:
    schedule = Schedule(name="steps", warm_up=0.0, steps=(0.5, 0.8), factor=0.1)
    assert [rate_factor(schedule, done) for done in (0, 0.49, 0.5, 0.79, 0.8, 1)] == pytest.approx(
        [1, 1, 0.1, 0.1, 0.01, 0.01]
    )


def test_a_constant_stays() -> None:
    assert {rate_factor(Schedule(name="constant", warm_up=0.0), done) for done in (0.0, 0.5, 1.0)} == {1.0}


@given(st.sampled_from(["cosine", "steps", "constant"]), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_the_factor_lies_between_0_and_1(name: str, warm_up: float, last: float, done: float) -> None:
    schedule = Schedule.model_validate({"name": name, "warm_up": warm_up, "last": last})
    assert 0 <= rate_factor(schedule, done) <= 1


def test_after_the_warm_up_it_never_rises() -> None:
    for name in ("cosine", "steps"):
        schedule = Schedule.model_validate({"name": name, "warm_up": 0.2})
        factors = [rate_factor(schedule, done) for done in np.linspace(0.2, 1, 200)]
        assert all(later <= earlier + 1e-12 for earlier, later in pairwise(factors))
