import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.evaluation import Estimate, Measure, Searches, Unsupported, identification_measures, search
from mien.evaluation.intervals.proportions import clopper_pearson


def value(measure: Measure) -> float:
    assert isinstance(measure, Estimate), measure
    return measure.value


def drawn(seed: int = 0, *, known: int = 60, strangers: int = 400, photos: int = 3, failing: int = 0) -> Searches:
    """People with some photos each: one of every known person's is enrolled, the others and strangers' are probes."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((known + strangers, 8))
    person = np.repeat(np.arange(known + strangers), photos)
    vectors = (centres[person] + 0.6 * rng.standard_normal((len(person), 8))).astype(np.float32)
    enrolled = (np.arange(len(person)) % photos == 0) & (person < known)
    probes, names = vectors[~enrolled], [f"{number:04d}" for number in person]
    probes[:failing] = np.nan
    return search(
        probes,
        [name for name, inside in zip(names, enrolled, strict=True) if not inside],
        vectors[enrolled],
        [name for name, inside in zip(names, enrolled, strict=True) if inside],
    )


def counted(searches: Searches, threshold: float) -> tuple[float, float]:
    """FPIR and FNIR at a threshold, a search at a time."""
    false, missed, strangers, mated = 0, 0, 0, 0
    for row in range(len(searches)):
        candidates = searches.candidate[row][searches.similarity[row] >= threshold].tolist()
        if searches.mate[row] < 0:
            strangers += 1
            false += bool(candidates)
        else:
            mated += 1
            missed += not candidates or candidates[0] != searches.mate[row]
    return false / strangers, missed / mated


@pytest.mark.parametrize("threshold", [0.3, 0.7, 0.9])
@pytest.mark.parametrize("failing", [0, 7])
def test_rates_at_a_threshold_by_counting_searches(threshold: float, failing: int) -> None:
    searches = drawn(failing=failing)
    measures = identification_measures(searches, threshold=threshold, resamples=20)
    fpir, fnir = counted(searches, threshold)
    assert measures.at_threshold is not None
    assert value(measures.at_threshold.fpir) == pytest.approx(fpir, abs=1e-12)
    assert value(measures.at_threshold.fnir) == pytest.approx(fnir, abs=1e-12)
    assert measures.failed == failing


def test_fnir_is_at_the_lowest_threshold_that_keeps_the_fpir() -> None:
    searches = drawn(strangers=1500, photos=3)
    measures = identification_measures(searches, resamples=20)
    for rate in ("0.01", "0.1"):
        threshold = value(measures.threshold_at_fpir[rate])
        fpir, fnir = counted(searches, threshold)
        assert fpir <= float(rate)
        assert counted(searches, np.nextafter(threshold, -1) - 1e-6)[0] > float(rate) - 2 / 4500
        assert value(measures.fnir_at_fpir[rate]) == pytest.approx(fnir, abs=1e-12)
        assert value(measures.dir_at_far[rate]) == pytest.approx(1 - fnir, abs=1e-12)
    assert measures.fnir_at_fpir["0.003"] == Unsupported(
        "not supported by 4,500 strangers' searches: a rate of 0.003 needs 10,000"
    )


def test_ranks_by_counting() -> None:
    searches = drawn(failing=3)
    measures = identification_measures(searches, resamples=20)
    mated = searches.mate >= 0
    rank = np.where(searches.mate_rank < 0, 10_000, searches.mate_rank)[mated]
    assert measures.cmc.ranks.tolist() == list(range(1, 51))
    np.testing.assert_allclose(measures.cmc.value, [(rank < at).mean() for at in range(1, 51)])
    assert value(measures.rank_1) == value(measures.precision_at_1) == pytest.approx((rank < 1).mean())
    assert value(measures.rank_5) == pytest.approx((rank < 5).mean())
    assert value(measures.rank_10) == pytest.approx((rank < 10).mean())
    assert value(measures.map_at_r) == pytest.approx((rank < 1).mean())  # one template each: R = 1
    missed = (rank >= 50) | ~(searches.mate_similarity[mated] >= 0)
    assert value(measures.investigation) == pytest.approx(missed.mean())
    assert (np.diff(measures.cmc.value) >= 0).all()
    assert ((measures.cmc.low <= measures.cmc.value) & (measures.cmc.value <= measures.cmc.high)).all()


def test_failures_are_left_out_where_asked() -> None:
    searches = drawn(failing=5)
    strict, lenient = (
        identification_measures(searches, failures_are_errors=asked, resamples=20) for asked in (True, False)
    )
    assert (strict.mated_probes, lenient.mated_probes) == (120, 115)
    assert strict.failed == lenient.failed == 5
    assert value(strict.rank_1) < value(lenient.rank_1)


def test_the_curve_goes_from_nobody_to_everybody() -> None:
    curve = identification_measures(drawn(), resamples=20).curve
    assert (curve.fpir[0], curve.fnir[0], curve.fpir[-1]) == (0, 1, 1)
    assert (np.diff(curve.thresholds) < 0).all()
    assert (np.diff(curve.fpir) >= 0).all()
    assert (np.diff(curve.fnir) <= 0).all()
    assert ((curve.fnir_low <= curve.fnir) & (curve.fnir <= curve.fnir_high)).all()


def test_one_probe_a_person_gives_clopper_pearsons_interval() -> None:
    searches = drawn(photos=2, known=300)
    measures = identification_measures(replace(searches, person=np.arange(len(searches))), resamples=2000)
    exact = clopper_pearson(round((1 - value(measures.rank_1)) * 300), 300)
    assert isinstance(measures.rank_1, Estimate)
    assert measures.rank_1.low == pytest.approx(1 - exact.high, abs=2e-3)
    assert measures.rank_1.high == pytest.approx(1 - exact.low, abs=2e-3)


@settings(max_examples=20)
@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 99))
def test_the_smallest_sets(known: int, strangers: int, seed: int) -> None:
    gallery_only = known or 1
    searches = drawn(seed, known=gallery_only, strangers=strangers, photos=2)
    if not known:
        searches = replace(searches, mate=np.full(len(searches), -1), mate_rank=np.full(len(searches), -1))
    measures = identification_measures(searches, threshold=0.5, resamples=10)
    assert isinstance(measures.rank_1, Estimate) == bool(known)
    assert isinstance(measures.fnir_at_fpir["0.01"], Unsupported)
    json.dumps(measures.to_dict(), allow_nan=False)
