import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_calibration import made_calibration
from mien.decisions import Identification, identify
from mien.errors import CalibrationError, PhotoError

CALIBRATION = made_calibration()
galleries = st.dictionaries(st.text(max_size=3), st.floats(-1, 1), min_size=1, max_size=6)


def test_one_person_above_the_threshold_is_the_match() -> None:
    found = identify([("Ada", 0.6), ("Bo", 0.1)], 100, CALIBRATION)
    assert (found.decision, found.person, found.similarity) == ("match", "Ada", 0.6)
    assert found.threshold == pytest.approx(CALIBRATION.threshold(1 - 0.99**0.01).similarity)
    assert found.fpir is not None
    assert found.fpir.value == pytest.approx(0.01)
    assert found.reason == (
        "match: Ada has similarity 0.6000, at or above 0.3998, the threshold at which 1 % of strangers "
        "(95 % interval 0.83 % to 1.2 %) would match somebody in this gallery of 100 photos, as measured on "
        "4,490,000 comparisons of 1,000 people (nobody)"
    )


def test_nobody_above_the_threshold_is_unknown() -> None:
    found = identify([("Ada", 0.3), ("Bo", 0.1)], 100, CALIBRATION)
    assert (found.decision, found.person) == ("unknown", None)
    assert [candidate.person for candidate in found.candidates] == ["Ada", "Bo"]
    assert found.reason.startswith("unknown: the most alike of the gallery, Ada, has similarity 0.3000, below 0.3998")


def test_an_empty_gallery_knows_nobody() -> None:
    found = identify([], 0, CALIBRATION)
    assert (found.decision, found.threshold) == ("unknown", None)
    assert "nobody is enrolled" in found.reason


def test_two_people_less_than_ten_times_apart_are_ambiguous() -> None:
    step = math.log(10) / 20  # of the similarity, by which the likelihood ratio grows tenfold
    close = identify([("Ada", 0.5 + 0.99 * step), ("Bo", 0.5)], 100, CALIBRATION)
    apart = identify([("Ada", 0.5 + 1.01 * step), ("Bo", 0.5)], 100, CALIBRATION)
    assert (close.decision, close.person) == ("ambiguous", None)
    assert "Ada (0.6140) and Bo (0.5000)" in close.reason
    assert "9.8 times" in close.reason
    assert (apart.decision, apart.person) == ("match", "Ada")
    assert apart.reason.startswith("match: Ada (0.6163) is 10 times likelier than Bo (0.5000); both at or above 0.3998")


def test_a_tie_is_ambiguous() -> None:
    found = identify([("Ada", 0.6), ("Bo", 0.6)], 2, CALIBRATION)
    assert found.decision == "ambiguous"
    assert "both alike enough, and neither is likelier; both at or above" in found.reason


def test_where_both_ratios_are_capped_nothing_says_who_is_likelier() -> None:
    assert identify([("Ada", 1.0), ("Bo", 0.85)], 2, CALIBRATION).decision == "ambiguous"


@given(galleries, st.integers(0, 1000), st.floats(0.01, 0.5))
def test_nobody_below_the_threshold_is_ever_named(gallery: dict[str, float], more: int, fpir: float) -> None:
    found = identify(list(gallery.items()), len(gallery) + more, CALIBRATION, fpir=fpir)
    assert found.threshold is not None
    above = {person for person, similarity in gallery.items() if similarity >= found.threshold}
    if found.decision == "match":
        assert found.person in above
        assert gallery[found.person] == max(gallery.values())
    else:
        assert found.person is None
    assert (found.decision == "unknown") == (not above)
    assert found.decision != "ambiguous" or len(above) > 1


@given(galleries)
def test_the_order_of_the_candidates_does_not_matter(gallery: dict[str, float]) -> None:
    people = list(gallery.items())
    assert identify(people, 10, CALIBRATION).to_dict() == identify(people[::-1], 10, CALIBRATION).to_dict()


def test_the_threshold_follows_the_gallery() -> None:
    small, large = (identify([("Ada", 0.43)], size, CALIBRATION) for size in (10, 1000))
    assert (small.decision, large.decision) == ("match", "unknown")


def test_a_rate_that_is_not_supported_at_this_size_is_refused() -> None:
    with pytest.raises(CalibrationError, match="gallery of 100,000"):
        identify([("Ada", 0.9)], 100_000, CALIBRATION)


def test_a_given_threshold_decides() -> None:
    found = identify([("Ada", 0.3)], 100, CALIBRATION, threshold=0.3)
    assert (found.decision, found.threshold) == ("match", 0.3)
    assert found.fpir is not None
    assert found.fpir.value == pytest.approx(1 - (1 - 1e-3) ** 100)


def test_without_calibration_two_above_a_given_threshold_stay_ambiguous() -> None:
    found = identify([("Ada", 0.9), ("Bo", 0.4)], 5, None, threshold=0.3)
    assert (found.decision, found.fpir) == ("ambiguous", None)
    assert "no calibration says which is likelier" in found.reason
    assert identify([("Ada", 0.9), ("Bo", 0.2)], 5, None, threshold=0.3).person == "Ada"


def test_without_mated_comparisons_two_above_the_threshold_stay_ambiguous() -> None:
    assert identify([("Ada", 0.9), ("Bo", 0.6)], 5, made_calibration(mated=False)).decision == "ambiguous"


def test_where_the_rate_s_calibration_cannot_tell_two_apart_another_may() -> None:
    own, other = (
        replace(made_calibration(mated=False), name="own"),
        replace(CALIBRATION, whose="other people than yours"),
    )
    found = identify([("Ada", 0.7), ("Bo", 0.5)], 5, own, likelihood=other)
    assert (found.decision, found.person) == ("match", "Ada")
    assert (found.calibration, found.likelihood) == (own, other)
    assert found.fpir == identify([("Ada", 0.7)], 5, own).fpir
    assert "55 times likelier than Bo (0.5000) (by 1,000 people of nobody, other people than yours)" in found.reason
    close = identify([("Ada", 0.6), ("Bo", 0.5)], 5, own, likelihood=other)
    assert close.decision == "ambiguous"
    assert "7.4 times likelier (by 1,000 people of nobody, other people than yours)" in close.reason
    assert "people of nobody" not in identify([("Ada", 0.7)], 5, own, likelihood=other).reason
    assert identify([("Ada", 0.7)], 5, CALIBRATION, likelihood=other).likelihood is CALIBRATION


@pytest.mark.parametrize(
    ("candidates", "size"),
    [([("Ada", math.nan)], 5), ([("Ada", 0.1), ("Ada", 0.2)], 5), ([("Ada", 0.1)], 0), ([], 5), ([("Ada", 7)], 1)],
)
def test_senseless_candidates_are_mistakes(candidates: list[tuple[str, float]], size: int) -> None:
    with pytest.raises(ValueError, match=r"cosine|twice|gallery of"):
        identify(candidates, size, CALIBRATION)
    with pytest.raises(ValueError, match="calibration or a threshold"):
        identify([("Ada", 0.5)], 1, None)


def test_unusable_carries_the_problem() -> None:
    found = Identification.unusable(PhotoError("a.jpg is empty."), CALIBRATION)
    assert (found.decision, found.person) == ("unusable", None)
    assert found.to_dict()["problem"]["message"] == "a.jpg is empty."


def test_it_has_no_truth_value() -> None:
    with pytest.raises(TypeError, match=r"\.decision"):
        bool(identify([("Ada", 0.9)], 1, CALIBRATION))


def test_as_json() -> None:
    said = json.loads(json.dumps(identify([("Ada", 0.6), ("Bo", 0.1)], 100, CALIBRATION).to_dict()))
    assert list(said) == [
        "decision", "reason", "person", "similarity", "threshold", "fpir", "fpir_interval", "gallery_size",
        "candidates", "calibration", "likelihood", "encoder", "problem",
    ]  # fmt: skip
    assert said["candidates"][1] == {"person": "Bo", "similarity": 0.1, "log_likelihood_ratio": pytest.approx(-2)}
