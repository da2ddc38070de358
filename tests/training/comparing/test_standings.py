import math

import pytest

from mien.evaluation import Difference, Estimate, Unsupported
from mien.training.comparing.run_measures import MEASURES, RunFailure, RunMeasures
from mien.training.comparing.standings import differences_over_seeds, make_standing, over_seeds, ranked


def run(tmr: float, *, auc: float = 0.9, seconds: float = 10.0) -> RunMeasures:
    measures = {name: Estimate(tmr, max(tmr - 0.1, 0), min(tmr + 0.1, 1)) for name in MEASURES}
    return RunMeasures(measures | {"auc": Estimate(auc, auc, auc)}, seconds, 1000, 7)


def test_people_and_seeds_add_as_squares() -> None:
    found = over_seeds([Estimate(0.5, 0.46, 0.55), Estimate(0.6, 0.56, 0.66), Estimate(0.7, 0.65, 0.74)])
    of_seeds = 4.302652729911275 * 0.1 / math.sqrt(3)  # Student's t at 2 degrees of freedom
    assert isinstance(found, Estimate)
    assert found.value == pytest.approx(0.6)
    assert found.low == pytest.approx(0.6 - math.hypot((0.04 + 0.04 + 0.05) / 3, of_seeds))
    assert found.high == pytest.approx(0.6 + math.hypot((0.05 + 0.06 + 0.04) / 3, of_seeds))


def test_one_seed_has_its_own_interval_and_shares_stay_shares() -> None:
    assert over_seeds([Estimate(0.5, 0.4, 0.7)]) == Estimate(0.5, 0.4, 0.7)
    assert over_seeds([Estimate(0.0, 0.0, 0.0), Estimate(1.0, 1.0, 1.0)]) == Estimate(0.5, 0.0, 1.0)


def test_a_difference_may_be_negative() -> None:
    found = differences_over_seeds([Difference(-0.2, -0.3, -0.1, 0.01), Difference(-0.2, -0.3, -0.1, 0.01)])
    assert isinstance(found, Estimate)
    assert (found.value, found.low, found.high) == pytest.approx((-0.2, -0.3, -0.1))


def test_what_no_seed_supports_is_refused() -> None:
    refusal = Unsupported("too few")
    assert over_seeds([Estimate(0.5, 0.4, 0.6), refusal]) is refusal
    assert differences_over_seeds([refusal]) is refusal


def test_the_best_comes_first_and_failures_last() -> None:
    collapsed = RunFailure("training.collapsed", "The embeddings have collapsed.")
    standings = [
        make_standing("failed", "failed", "", {0: collapsed, 1: collapsed}),
        make_standing("poor", "poor", "", {0: run(0.2), 1: run(0.3)}),
        make_standing("good", "good", "", {0: run(0.8), 1: collapsed}),
        make_standing("tied", "tied", "", {0: run(0.8, auc=0.95), 1: None}),
    ]
    order = ranked(standings)
    assert [one.name for one in order] == ["tied", "good", "poor", "failed"]
    good, poor, failed = order[1:]
    assert list(good.by_seed) == [0]
    assert good.failures == {1: collapsed}
    assert poor.spread["eer"] == pytest.approx(0.1 / math.sqrt(2))
    assert (failed.measures, failed.spread, failed.peak_bytes) == ({}, {}, 0)
    assert poor.to_dict()["measures"]["eer"]["value"] == pytest.approx(0.25)
