import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_calibration import exactly_known, made_calibration
from mien.decisions import Verification, verify
from mien.errors import CalibrationError, NoFaceError

CALIBRATION = made_calibration()
EXACT = exactly_known(CALIBRATION)


def test_above_the_threshold_is_a_match_and_below_it_none() -> None:
    match, no_match = verify(0.6, CALIBRATION), verify(0.2, CALIBRATION)
    assert (match.decision, no_match.decision) == ("match", "no_match")
    assert match.threshold == pytest.approx(0.4)
    assert match.fmr == CALIBRATION.threshold(1e-4).fmr
    assert match.reason == (
        "match: similarity 0.6000 is above 0.4000, the threshold for a false match rate of 1e-4 "
        "(95 % interval 8.3e-5 to 1.2e-4), measured on 4,490,000 comparisons of 1,000 people (nobody)"
    )
    assert no_match.reason.startswith("no match: similarity 0.2000 is below 0.4000, the threshold for")


@given(st.floats(-1, 1), st.floats(1e-6, 0.5))
def test_inside_the_thresholds_own_interval_it_is_ambiguous(similarity: float, fmr: float) -> None:
    threshold = CALIBRATION.threshold(fmr)
    decision = verify(similarity, CALIBRATION, fmr=fmr).decision
    if similarity > threshold.high:
        assert decision == "match"
    elif similarity < threshold.low:
        assert decision == "no_match"
    else:
        assert decision == "ambiguous"


def test_ambiguous_says_why() -> None:
    assert "lies between 0.3923 and 0.4081, and the threshold is known no better" in verify(0.4, CALIBRATION).reason


def test_a_threshold_that_is_known_exactly_leaves_no_room() -> None:
    threshold = EXACT.threshold(1e-4).similarity
    assert verify(threshold, EXACT).decision == "match"
    assert verify(math.nextafter(threshold, 0), EXACT).decision == "no_match"


def test_a_given_threshold_decides_and_its_rate_is_stated() -> None:
    found = verify(0.3, CALIBRATION, threshold=0.3)
    assert found.decision == "match"
    assert found.fmr is not None
    assert found.fmr.value == pytest.approx(1e-3)
    assert "at 0.3000, the threshold given for a false match rate of 0.1 %" in found.reason
    assert verify(0.2999, CALIBRATION, threshold=0.3).decision == "no_match"


def test_a_given_threshold_needs_no_calibration_but_then_no_rate_is_known() -> None:
    found = verify(0.3, None, threshold=0.2)
    assert (found.decision, found.fmr, found.probability) == ("match", None, None)
    assert "no calibration says how often that is wrong" in found.reason
    assert found.to_dict()["fmr_interval"] is None


def test_the_best_of_several_is_held_to_a_smaller_rate() -> None:
    single, best = verify(0.45, EXACT, fmr=1e-3), verify(0.45, EXACT, fmr=1e-3, comparisons=10)
    assert [single.threshold, best.threshold] == pytest.approx([0.3, 0.4])
    assert best.fmr is not None
    assert best.fmr.value == pytest.approx(1e-3)
    assert "most alike of 10 pairs of faces" in best.reason
    assert best.probability is not None
    assert single.probability is not None
    odds = [p / (1 - p) for p in (single.probability, best.probability)]
    assert odds[0] / odds[1] == pytest.approx(10)


def test_a_rate_that_is_not_supported_is_refused() -> None:
    with pytest.raises(CalibrationError):
        verify(0.9, CALIBRATION, fmr=1e-7)
    with pytest.raises(CalibrationError):
        verify(0.9, CALIBRATION, fmr=1e-6, comparisons=2)


def test_a_rate_that_is_not_supported_for_so_many_pairs_is_refused_with_one_that_is() -> None:
    with pytest.raises(CalibrationError) as caught:
        verify(0.9, CALIBRATION, fmr=1e-3, comparisons=2000)
    assert "0.1 % for the most alike of 2,000 pairs needs one of 5e-7 a pair" in caught.value.message
    assert caught.value.hint.startswith("Ask for 0.2 % or more, or make a calibration")
    assert verify(0.9, CALIBRATION, fmr=2e-3, comparisons=2000).decision == "match"
    with pytest.raises(CalibrationError) as caught:
        verify(0.9, CALIBRATION, comparisons=2_000_000)
    assert caught.value.hint == "Make a calibration of more people with `mien calibrate`."


@pytest.mark.parametrize(
    ("similarity", "options"),
    [
        (math.nan, {}),
        (1.5, {}),
        (0.5, {"threshold": math.nan}),
        (0.5, {"fmr": math.nan}),
        (0.5, {"fmr": 2, "comparisons": 4}),
        (0.5, {"prior": 0}),
        (0.5, {"prior": math.nan}),
        (0.5, {"comparisons": 0}),
    ],
)
def test_numbers_out_of_range_are_mistakes(similarity: float, options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"between|best of"):
        verify(similarity, CALIBRATION, **options)  # type: ignore[arg-type]


def test_without_calibration_and_threshold_there_is_nothing_to_decide_with() -> None:
    with pytest.raises(ValueError, match="calibration or a threshold"):
        verify(0.5, None)


def test_without_mated_comparisons_there_is_no_probability() -> None:
    assert verify(0.9, made_calibration(mated=False)).probability is None


def test_unusable_carries_the_problem() -> None:
    found = Verification.unusable(NoFaceError("No face in a.jpg.", hint="Take another photo."), CALIBRATION)
    assert found.decision == "unusable"
    assert found.reason == "unusable: No face in a.jpg. Take another photo."
    assert found.to_dict()["problem"]["code"] == "no-face"
    assert found.similarity is None


def test_it_has_no_truth_value() -> None:
    with pytest.raises(TypeError, match=r"\.decision"):
        bool(verify(0.9, CALIBRATION))


def test_as_json() -> None:
    said = json.loads(json.dumps(verify(0.5, CALIBRATION).to_dict()))
    assert list(said) == [
        "decision", "reason", "similarity", "threshold", "threshold_interval", "fmr", "fmr_interval", "probability",
        "prior", "comparisons", "calibration", "encoder", "problem", "notes",
    ]  # fmt: skip
    assert said["fmr_interval"] == pytest.approx([1e-4 / 1.2, 1.2e-4])
    assert said["calibration"] == {
        "name": "made-up", "sha256": CALIBRATION.sha256, "mated": 5000, "non_mated": 4_490_000,
        "people": 1000, "whose": None,
    }  # fmt: skip
    assert said["encoder"] == {"name": "made-up", "sha256": "e" * 64}
