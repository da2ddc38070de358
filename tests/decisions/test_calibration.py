import json
import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from made_calibration import GRID, exactly_known, made_calibration
from mien.decisions import (
    Calibration,
    LikelihoodMap,
    RateCurve,
    TailModel,
    calibration,
    calibration_file,
    shipped_calibration,
)
from mien.decisions.calibration import SHIPPED, posterior
from mien.errors import CalibrationError

CALIBRATION = made_calibration()
similarities = st.floats(-1, 1)
rates = st.floats(1e-6, 0.99)


def test_rates_are_those_of_the_grid_and_linear_between() -> None:
    assert CALIBRATION.fmr(0.2).value == pytest.approx(1e-2)
    assert CALIBRATION.fmr(0.205).value == pytest.approx((10**-2 + 10**-2.1) / 2)
    assert CALIBRATION.fmr(0.2).high == pytest.approx(1.2e-2)
    assert CALIBRATION.fnmr(0.3).value == pytest.approx(0.09)


@given(similarities, similarities)
def test_rates_never_run_the_wrong_way(one: float, other: float) -> None:
    low, high = sorted((one, other))
    for pick in ("value", "low", "high"):
        assert getattr(CALIBRATION.fmr(low), pick) >= getattr(CALIBRATION.fmr(high), pick)
        assert getattr(CALIBRATION.fnmr(low), pick) <= getattr(CALIBRATION.fnmr(high), pick)
    assert CALIBRATION.log_likelihood_ratio(low) <= CALIBRATION.log_likelihood_ratio(high)
    assert CALIBRATION.probability(low, 0.1) <= CALIBRATION.probability(high, 0.1)


@given(rates)
def test_the_threshold_of_a_rate_has_that_rate(fmr: float) -> None:
    threshold = CALIBRATION.threshold(fmr)
    assert threshold.fmr.value == pytest.approx(fmr, rel=1e-6)
    assert CALIBRATION.fmr(threshold.similarity) == threshold.fmr


@given(st.floats(0.01, 0.59))
def test_the_rate_of_a_threshold_has_that_threshold(similarity: float) -> None:
    assert CALIBRATION.threshold(CALIBRATION.fmr(similarity).value).similarity == pytest.approx(similarity, abs=1e-9)


@given(rates, rates)
def test_a_smaller_rate_has_no_lower_threshold(one: float, other: float) -> None:
    small, great = sorted((one, other))
    assert CALIBRATION.threshold(small).similarity >= CALIBRATION.threshold(great).similarity


@given(st.floats(1e-6, 0.8))
def test_the_interval_of_a_threshold_holds_each_similarity_whose_rate_may_be_the_asked_one(fmr: float) -> None:
    threshold = CALIBRATION.threshold(fmr)
    assert threshold.low <= threshold.similarity <= threshold.high
    for similarity in (threshold.low - 1e-6, threshold.high + 1e-6):
        rate = CALIBRATION.fmr(similarity)
        assert not rate.low * (1 + 1e-9) < fmr < rate.high * (1 - 1e-9)
    for similarity in (threshold.low + 1e-6, threshold.high - 1e-6):
        rate = CALIBRATION.fmr(similarity)
        assert rate.low <= fmr <= rate.high


def test_a_step_has_its_threshold_at_its_upper_end() -> None:
    fmr = np.where(GRID < 0.5, 1, np.where(GRID < 0.75, 1e-2, 1e-4))
    stepped = exactly_known(replace(CALIBRATION, false_match=RateCurve(fmr, fmr, fmr)))
    assert stepped.threshold(1e-2).similarity == pytest.approx(0.5)
    assert stepped.threshold(1e-4).similarity == pytest.approx(0.75)
    assert stepped.fmr(stepped.threshold(5e-3).similarity).value == pytest.approx(5e-3)


@pytest.mark.parametrize("best_of", [0, -1])
def test_the_most_alike_of_no_pairs_is_a_mistake(best_of: int) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        CALIBRATION.threshold(0.1, best_of=best_of)


@pytest.mark.parametrize("fmr", [0, 1, -0.1, 2, math.nan])
def test_a_rate_outside_0_to_1_is_a_mistake(fmr: float) -> None:
    with pytest.raises(ValueError, match="false match rate"):
        CALIBRATION.threshold(fmr)


def test_a_rate_that_the_data_cannot_support_is_refused_with_what_can_be_asked() -> None:
    with pytest.raises(CalibrationError) as caught:
        CALIBRATION.threshold(1e-8)
    assert caught.value.code == "calibration.unsupported-rate"
    assert "1e-8 is not supported" in caught.value.message
    assert "4,490,000 non-mated comparisons of 1,000 people (nobody) support 1e-6 or more" in caught.value.message
    assert "1e-6 or more" in caught.value.hint
    assert CALIBRATION.threshold(1e-6).similarity == pytest.approx(0.6)


def test_a_calibration_that_supports_nothing_refuses_every_rate() -> None:
    nothing = made_calibration(smallest_fmr=None)
    with pytest.raises(CalibrationError, match="support none"):
        nothing.threshold(0.5)
    with pytest.raises(CalibrationError, match="support none"):
        nothing.threshold_for_fpir(0.5, 1)
    assert nothing.fmr(0.2).value == pytest.approx(1e-2)


@given(st.floats(1e-3, 0.9), st.integers(1, 1000))
def test_the_threshold_for_a_gallery_keeps_the_rate_of_the_whole_search(fpir: float, size: int) -> None:
    threshold = CALIBRATION.threshold_for_fpir(fpir, size)
    assert 1 - (1 - threshold.fmr.value) ** size == pytest.approx(fpir, rel=1e-6)
    assert CALIBRATION.fpir(threshold.similarity, size).value == pytest.approx(fpir, rel=1e-6)
    assert threshold.similarity <= CALIBRATION.threshold_for_fpir(fpir, size + 1).similarity


def test_a_gallery_of_one_is_a_verification() -> None:
    assert CALIBRATION.threshold_for_fpir(0.01, 1).similarity == pytest.approx(CALIBRATION.threshold(0.01).similarity)


def test_a_gallery_too_large_for_the_rate_is_refused_and_what_is_named_instead_works() -> None:
    with pytest.raises(CalibrationError) as caught:
        CALIBRATION.threshold_for_fpir(0.01, 1_000_000)
    assert "gallery of 1,000,000" in caught.value.message
    assert "64 % or more at this size" in caught.value.hint
    assert "1 % in a gallery of 10,050 or fewer" in caught.value.hint
    CALIBRATION.threshold_for_fpir(0.64, 1_000_000)
    CALIBRATION.threshold_for_fpir(0.01, 10_050)
    with pytest.raises(CalibrationError):
        CALIBRATION.threshold_for_fpir(0.01, 10_051)


def test_no_rate_of_all_strangers_is_named_instead() -> None:
    with pytest.raises(CalibrationError) as caught:
        made_calibration(smallest_fmr=1e-3).threshold_for_fpir(0.01, 10_000)
    assert caught.value.hint.startswith("Ask for 1 % in a gallery of 10 or fewer, or make a calibration")


@pytest.mark.parametrize(("fpir", "size"), [(0, 5), (1, 5), (math.nan, 5), (0.1, 0), (0.1, -1)])
def test_a_gallery_or_rate_out_of_range_is_a_mistake(fpir: float, size: int) -> None:
    with pytest.raises(ValueError, match=r"lies between|no threshold"):
        CALIBRATION.threshold_for_fpir(fpir, size)


@pytest.mark.parametrize("similarity", [math.nan, math.inf, 1.1, -2])
def test_what_is_no_cosine_is_a_mistake(similarity: float) -> None:
    for ask in (CALIBRATION.fmr, CALIBRATION.fnmr, CALIBRATION.log_likelihood_ratio, CALIBRATION.probability):
        with pytest.raises(ValueError, match="cosine"):
            ask(similarity)


def test_a_rounding_error_beyond_1_is_forgiven() -> None:
    assert CALIBRATION.fmr(1.0000002) == CALIBRATION.fmr(1.0)


def test_probability_is_bayes_rule() -> None:
    ratio = math.exp(20 * 0.25 - 4)
    assert CALIBRATION.log_likelihood_ratio(0.25) == pytest.approx(1)
    assert CALIBRATION.probability(0.25, prior=0.2) == pytest.approx(0.2 * ratio / (0.2 * ratio + 0.8))
    assert CALIBRATION.probability(1.0, prior=1e-300) == pytest.approx(math.exp(12) * 1e-300)
    for prior in (0, 1, math.nan):
        with pytest.raises(ValueError, match="prior"):
            CALIBRATION.probability(0.2, prior)


def test_without_mated_comparisons_only_the_false_match_rate_is_known() -> None:
    strangers = made_calibration(mated=False)
    assert strangers.threshold(1e-3).similarity == pytest.approx(0.3)
    for ask in (strangers.fnmr, strangers.log_likelihood_ratio, strangers.probability):
        with pytest.raises(CalibrationError, match="no two photos of one person"):
            ask(0.3)
    assert Calibration.from_json(json.dumps(strangers.to_dict())) == strangers


def test_curves_that_are_no_error_rates_are_refused() -> None:
    curve = CALIBRATION.false_match
    with pytest.raises(ValueError, match="outside"):
        RateCurve(curve.value, curve.high, curve.high)
    with pytest.raises(ValueError, match="monotone"):
        replace(CALIBRATION, false_match=RateCurve(*(part[::-1] for part in (curve.value, curve.low, curve.high))))
    with pytest.raises(ValueError, match="grid"):
        replace(CALIBRATION, similarity=GRID[1:])
    for ratios in ([1.0, 0.0], [1.0]):
        with pytest.raises(ValueError, match="ratios"):
            LikelihoodMap("logistic", np.array([0.0, 1.0]), np.array(ratios), {})


# --- the file ---------------------------------------------------------------------------------------------------------

tails = st.none() | st.builds(
    TailModel,
    *(st.floats(-1, 1) for _ in range(4)),
    *(st.integers(0, 10**9) for _ in range(2)),
    *(st.floats(0, 1) for _ in range(2)),
)
calibrations = st.builds(
    replace,
    st.sampled_from([CALIBRATION, made_calibration(mated=False), made_calibration(smallest_fmr=None)]),
    name=st.text(max_size=20),
    protocol=st.text(max_size=20),
    smallest_fmr=st.none() | st.floats(1e-12, 1, exclude_max=True),
    tail=tails,
    score=st.dictionaries(st.text(max_size=5), st.booleans() | st.integers() | st.text(max_size=5)),
)


@settings(max_examples=30)
@given(calibrations)
def test_the_json_form_keeps_everything_and_the_hash(calibration: Calibration) -> None:
    again = Calibration.from_json(json.dumps(calibration.to_dict()))
    assert again.sha256 == calibration.sha256
    assert again == calibration
    assert hash(again) == hash(calibration)
    assert again.to_dict() == calibration.to_dict()


def test_a_saved_file_can_be_loaded_and_reordered_keys_do_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "ein Maß.json"
    CALIBRATION.save(file)
    assert Calibration.load(file) == CALIBRATION
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(dict(reversed(content.items())), indent=3), encoding="utf-8")
    assert Calibration.load(str(file)).sha256 == CALIBRATION.sha256


def test_a_name_that_is_no_unicode_is_kept(tmp_path: Path) -> None:
    named = replace(CALIBRATION, name="people of a folder called \udcff")
    named.save(tmp_path / "a.json")
    assert Calibration.load(tmp_path / "a.json") == named != CALIBRATION


def test_whose_people_they_are_is_no_part_of_the_file(tmp_path: Path) -> None:
    shown = replace(CALIBRATION, whose="this gallery's own people")
    shown.save(tmp_path / "a.json")
    assert shown == CALIBRATION
    assert Calibration.load(tmp_path / "a.json").whose == ""
    claimed = {**calibration_file.content_of(CALIBRATION), "whose": "this gallery's own people"}
    (tmp_path / "b.json").write_text(json.dumps({**claimed, "sha256": calibration_file.hash_of(claimed)}))
    assert _code_of(tmp_path / "b.json") == "calibration.not-a-calibration"


def test_a_rate_that_is_modelled_is_supported_and_kept(tmp_path: Path) -> None:
    farther = replace(CALIBRATION, smallest_modelled_fmr=1e-7)
    farther.save(tmp_path / "a.json")
    assert Calibration.load(tmp_path / "a.json").smallest_modelled_fmr == 1e-7
    assert farther.sha256 != CALIBRATION.sha256
    assert farther.threshold(2e-7).similarity > CALIBRATION.threshold(1e-6).similarity
    assert farther.supports(1e-7)
    assert not farther.supports(0.99e-7)
    with pytest.raises(CalibrationError, match="support 1e-7 or more"):
        farther.threshold(5e-8)
    with pytest.raises(CalibrationError) as caught:
        farther.threshold_for_fpir(0.01, 1_000_000)
    assert "gallery of 100,503 or fewer" in (caught.value.hint or "")


def test_a_file_from_before_rates_were_modelled_keeps_its_hash() -> None:
    assert "smallest_modelled_fmr" not in CALIBRATION.to_dict()
    shipped = next(SHIPPED.iterdir()).read_text(encoding="utf-8")
    assert Calibration.from_json(shipped).sha256 == json.loads(shipped)["sha256"]


def test_the_shipped_one_says_that_it_is_of_others() -> None:
    identity = json.loads((SHIPPED / "sface-lfw.json").read_text())["encoder"]
    known = shipped_calibration(identity["identity"])
    assert known.summary()["whose"] == "other people than yours"
    assert known.source_words(0.5).endswith("people (lfw), other people than yours")


def test_another_content_has_another_hash() -> None:
    assert replace(CALIBRATION, smallest_fmr=2e-6) != CALIBRATION
    assert CALIBRATION != "a calibration"


def _code_of(file: Path) -> str:
    with pytest.raises(CalibrationError) as caught:
        Calibration.load(file)
    assert str(file) in caught.value.message
    assert caught.value.hint
    return caught.value.code


@pytest.mark.parametrize(
    "text", ["", "no JSON", "[1, 2]", "{}", '{"schema": 3}', '{"a": NaN}', '{"a": 1e999}', "[" * 10**5]
)
def test_a_file_that_is_something_else(tmp_path: Path, text: str) -> None:
    file = tmp_path / "some.json"
    file.write_text(text, encoding="utf-8")
    assert _code_of(file) == "calibration.not-a-calibration"


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    file = tmp_path / "some.json"
    file.write_bytes(b"\xff\xd8\xff\xe0")
    assert _code_of(file) == "calibration.not-a-calibration"


def test_a_file_that_is_missing_or_none(tmp_path: Path) -> None:
    assert _code_of(tmp_path / "missing.json") == "calibration.unreadable"
    assert _code_of(tmp_path) == "calibration.unreadable"
    os.mkfifo(tmp_path / "pipe.json")
    assert _code_of(tmp_path / "pipe.json") == "calibration.unreadable"


def test_a_file_of_another_schema(tmp_path: Path) -> None:
    file = tmp_path / "some.json"
    file.write_text(json.dumps({**CALIBRATION.to_dict(), "schema": "mien.calibration/2"}), encoding="utf-8")
    assert _code_of(file) == "calibration.schema"


@pytest.mark.parametrize("change", [{"smallest_fmr": 1e-9}, {"sha256": "0" * 64}, {"sha256": None}, {"more": 1}])
def test_an_altered_file(tmp_path: Path, change: dict[str, object]) -> None:
    file = tmp_path / "some.json"
    file.write_text(json.dumps({**CALIBRATION.to_dict(), **change}), encoding="utf-8")
    assert _code_of(file) == "calibration.altered"


def test_a_file_whose_hash_fits_and_whose_content_does_not(tmp_path: Path) -> None:
    from mien.decisions.calibration_file import hash_of

    content = {key: value for key, value in CALIBRATION.to_dict().items() if key not in {"sha256", "encoder"}}
    file = tmp_path / "some.json"
    file.write_text(json.dumps({**content, "sha256": hash_of(content)}), encoding="utf-8")
    assert _code_of(file) == "calibration.not-a-calibration"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("data.people", "many"),
        ("data.people", -1),
        ("data.non_mated", None),
        ("data.mated", 1.5),
        ("data.photos", True),
        ("data.name", 3),
        ("encoder.identity", None),
        ("smallest_fmr", "x"),
        ("smallest_fmr", 0),
        ("smallest_fmr", 2),
        ("smallest_modelled_fmr", -1e-3),
        ("similarity", [0.0] * len(GRID)),
        ("similarity", [*GRID[:-1].tolist(), 7.0]),
        ("name", ["a"]),
        ("encoder", None),
        ("data", None),
        ("false_match", None),
        ("smallest_modelled_fmr", 1),
        ("smallest_modelled_fmr", True),
        ("false_match.high", [1]),
        ("false_match.low", [[0.0]]),
        ("false_match.value", [10**400]),
        ("likelihood.log_likelihood_ratio", [None] * 2),
    ],
    ids=str,
)
def test_a_value_that_makes_no_sense(tmp_path: Path, key: str, value: object) -> None:
    content = {name: value for name, value in CALIBRATION.to_dict().items() if name != "sha256"}
    *outer, last = key.split(".")
    (content[outer[0]] if outer else content)[last] = value
    file = tmp_path / "some.json"
    file.write_text(json.dumps({**content, "sha256": calibration_file.hash_of(content)}), encoding="utf-8")
    assert _code_of(file) == "calibration.not-a-calibration"


def test_an_interrupted_save_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    CALIBRATION.save(tmp_path / "some.json")

    def interrupted(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replace(CALIBRATION, name="other").save(tmp_path / "some.json")
    assert Calibration.load(tmp_path / "some.json") == CALIBRATION
    assert [file.name for file in tmp_path.iterdir()] == ["some.json"]


def test_embeddings_of_another_encoder_are_refused() -> None:
    CALIBRATION.require_encoder("e" * 64)
    with pytest.raises(CalibrationError, match="another one") as caught:
        CALIBRATION.require_encoder("f" * 64)
    assert caught.value.code == "calibration.other-encoder"


def test_no_calibration_is_shipped_for_an_unknown_encoder() -> None:
    with pytest.raises(CalibrationError) as caught:
        shipped_calibration("0" * 64)
    assert caught.value.code == "calibration.none-for-encoder"
    assert "mien calibrate" in caught.value.hint


def test_the_shipped_calibration_is_found_by_its_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    CALIBRATION.save(tmp_path / "b.json")
    other = replace(CALIBRATION, encoder=replace(CALIBRATION.encoder, identity="f" * 64))
    other.save(tmp_path / "a.json")
    monkeypatch.setattr(calibration, "SHIPPED", tmp_path)
    assert shipped_calibration("e" * 64) == CALIBRATION
    assert shipped_calibration("f" * 64) == other


def test_each_shipped_calibration_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    CALIBRATION.save(tmp_path / "a.json")
    monkeypatch.setattr(calibration, "SHIPPED", tmp_path)
    for _ in range(2):  # also for an encoder that none is for
        with pytest.raises(CalibrationError, match="made-up"):
            shipped_calibration("0" * 64)
        monkeypatch.setattr(calibration_file, "read", None)
    assert shipped_calibration("e" * 64) == CALIBRATION


def test_it_shows_itself_in_a_line() -> None:
    shown = "made-up for made-up: 5,000 mated and 4,490,000 non-mated comparisons of 1,000 people"
    assert (str(CALIBRATION), repr(CALIBRATION)) == (shown, f"<Calibration {shown}>")
    assert (CALIBRATION.people, CALIBRATION.photos) == (1000, 3000)
    assert "and 1 non-mated comparison of" in str(replace(CALIBRATION, data=replace(CALIBRATION.data, non_mated=1)))


@pytest.mark.parametrize("prior", [1e-300, 1e-9, 0.3, 0.5, 1 - 1e-9])
@pytest.mark.parametrize("ratio", [-math.inf, -900.0, -40.0, -0.1, 0.0, 3.0, 40.0, 900.0, math.inf])
def test_a_probability_is_that_of_bayes_rule(ratio: float, prior: float) -> None:
    assert posterior(ratio, prior) == pytest.approx(expit(ratio + logit(prior)), rel=1e-9, abs=1e-300)
