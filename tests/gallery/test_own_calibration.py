import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from scipy import stats

from fake_recognizer import FakeRecognizer, calibration, embedding, portrait, save_people
from mien.decisions import Calibration, EncoderIdentity, LikelihoodMap, RateCurve
from mien.errors import CalibrationError, GalleryError
from mien.evaluation import PairScores, drift_of_people, score_all_pairs
from mien.evaluation.measures.error_rates import MeasuredRates, false_match_rates
from mien.gallery import Gallery, own_calibration, sqlite, tables
from mien.gallery.index import Index
from mien.recognizer import Recognizer


class Shipped(FakeRecognizer):
    """A recognizer whose calibration is the shipped one."""

    @property
    def calibration(self) -> Calibration:
        return replace(super().calibration, whose="other people than yours")


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_people(tmp_path_factory.mktemp("people"), 120, photos=2)


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery(tmp_path / "gallery.db", recognizer=cast(Recognizer, Shipped())) as opened:
        yield opened


def test_enough_people_calibrate_their_gallery_by_themselves(gallery: Gallery, people: Path) -> None:
    gallery.enroll_folder(people)
    own = gallery.calibration
    assert own is not None
    assert (own.people, own.photos, own.mated) == (120, 240, 120)
    assert own.encoder.identity == "f" * 64
    [known] = gallery.identify(portrait(7, 9), fpir=0.2)
    [stranger] = gallery.identify(portrait(500), fpir=0.2)
    assert (known.decision, known.person, stranger.decision) == ("match", "Person 007", "unknown")
    assert known.calibration == own
    assert "measured on 120 of this gallery's own people when it was calibrated (28,560 comparisons)" in known.reason
    assert known.to_dict()["calibration"]["whose"] == "this gallery's own people"


def test_two_names_of_one_person_are_no_longer_counted_as_two_people(gallery: Gallery, people: Path) -> None:
    gallery.enroll_folder(people)
    gallery.merge("Person 001", "Person 002")
    own = gallery.calibration
    assert own is not None
    assert (own.people, own.photos) == (119, 240)


def test_a_calibration_that_counted_one_person_as_two_is_dropped_where_no_other_can_be_made(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        gallery.enroll(f"Person {number}", portrait(number))
    gallery.calibrate()
    gallery.merge("Person 1", "Person 2")  # one person is left
    assert gallery.calibration is None
    for number in (3, 4):
        gallery.enroll(f"Person {number}", portrait(number))
    gallery.calibrate()

    def fail(*_: object) -> None:
        raise GalleryError("The disk is full.")

    monkeypatch.setattr(own_calibration, "measure", fail)
    gallery.merge("Person 3", "Person 4")
    assert gallery.calibration is None
    assert [found.calibration for found in gallery.identify(portrait(2), threshold=0.5)] == [OTHERS]


def test_fewer_people_are_judged_by_others_and_it_says_so(gallery: Gallery, people: Path, tmp_path: Path) -> None:
    gallery.enroll_folder(save_people(tmp_path / "few", 99))
    assert gallery.calibration is None
    [known] = gallery.identify(portrait(7, 9))
    assert known.reason.endswith("comparisons of 1,000 people (invented), other people than yours")
    gallery.enroll("The hundredth", portrait(100))
    assert gallery.calibration is not None


def test_a_rate_that_its_own_people_cannot_support_is_taken_from_others(gallery: Gallery, people: Path) -> None:
    gallery.enroll_folder(people)
    [rare] = gallery.identify(portrait(7, 9), fpir=1e-3)
    assert rare.calibration == calibration("f" * 64)
    assert rare.threshold == pytest.approx(calibration("f" * 64).threshold_for_fpir(1e-3, 240).similarity)
    assert rare.reason.endswith(
        "people (invented), other people than yours; the 120 of this gallery's own people that it was calibrated "
        "on are too few for 0.1 %"
    )
    with pytest.raises(CalibrationError, match="invented"):
        gallery.identify(portrait(7, 9), fpir=1e-5)


OTHERS = replace(calibration("f" * 64), whose="other people than yours")


def more_alike(times: float, smallest: float) -> Calibration:
    """The same, of people who match so many times as often, with a rate that they support by counting alone."""
    rate = np.minimum(1, times * OTHERS.false_match.value)
    return replace(
        OTHERS,
        false_match=RateCurve(rate, rate / 2, np.minimum(1, 2 * rate)),
        smallest_fmr=smallest,
        whose="this gallery's own people",
    )


def test_a_threshold_of_others_is_never_lower_than_one_that_its_own_people_support() -> None:
    own = more_alike(100, 1e-4)
    rule = own_calibration.rule_for(own, OTHERS, 0.01, 500)
    assert rule.calibration is own
    assert rule.threshold == pytest.approx(own.threshold(1e-4).similarity)
    assert rule.threshold is not None
    assert rule.threshold > OTHERS.threshold_for_fpir(0.01, 500).similarity
    assert rule.note.endswith("too few for 1 %, and this is the threshold of the smallest rate that they support")
    assert own_calibration.rule_for(own, OTHERS, 0.1, 500) == own_calibration.Rule(own)


def test_where_its_own_people_surely_match_more_often_their_rate_is_stated() -> None:
    threshold = OTHERS.threshold_for_fpir(0.01, 500).similarity
    contradicting, agreeing = more_alike(10, 0.05), more_alike(1.5, 0.05)
    rule = own_calibration.rule_for(contradicting, OTHERS, 0.01, 500)
    assert (rule.calibration, rule.threshold) == (contradicting, threshold)
    assert rule.note.endswith("and this is the threshold of 1,000,000 comparisons of 1,000 people (invented), other "
                              "people than yours")  # fmt: skip
    rule = own_calibration.rule_for(agreeing, OTHERS, 0.01, 500)
    assert (rule.calibration, rule.threshold) == (OTHERS, None)


def test_two_alike_are_told_apart_by_others_where_each_has_one_photo(
    gallery: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ratios = LikelihoodMap("logistic", np.array([-0.4, 0.8]), np.array([-12.0, 12.0]), {})
    known = replace(OTHERS, likelihood=ratios)
    monkeypatch.setattr(Shipped, "calibration", known)
    gallery.enroll_folder(save_people(tmp_path / "single", 120))
    assert gallery.calibration is not None
    assert gallery.calibration.likelihood is None
    [found] = gallery.identify(portrait(7, 9), threshold=-0.5)
    assert found.candidates[1].similarity > -0.5
    assert (found.decision, found.person) == ("match", "Person 007")
    assert (found.calibration, found.likelihood) == (gallery.calibration, known)
    assert found.to_dict()["likelihood"]["whose"] == "other people than yours"


def test_what_the_user_brings_goes_first(gallery: Gallery, people: Path) -> None:
    gallery.enroll_folder(people)
    with Gallery(gallery.path, recognizer=FakeRecognizer.make()) as other:
        assert other.calibration is not None
        [known] = other.identify(portrait(7, 9), fpir=0.2)
    assert known.calibration == calibration("f" * 64)


def test_an_encoder_without_a_calibration_is_calibrated_by_the_gallery(tmp_path: Path, people: Path) -> None:
    with Gallery(tmp_path / "a.db", recognizer=FakeRecognizer.make(calibrated=False)) as gallery:
        gallery.enroll_folder(people)
        [known] = gallery.identify(portrait(7, 9), fpir=0.2)
        assert known.decision == "match"
        with pytest.raises(CalibrationError, match=r"120 people \(a.db\) support 1.1e-4 or more"):
            gallery.identify(portrait(7, 9), fpir=1e-4)


def test_it_is_measured_again_only_when_much_has_changed(gallery: Gallery, tmp_path: Path) -> None:
    gallery.enroll_folder(save_people(tmp_path / "first", 100))
    first = gallery.calibration
    for number in range(101, 121):
        gallery.enroll(f"Person {number:03}", portrait(number))
    assert gallery.calibration == first
    gallery.enroll("Person 121", portrait(121))
    second = gallery.calibration
    assert second is not None
    assert second.people == 121
    gallery.enroll_folder(save_people(tmp_path / "people", 145))
    assert gallery.calibration == second, "145 are less than a fifth more than 121"


def test_it_is_measured_again_when_many_were_forgotten(gallery: Gallery) -> None:
    for number in range(1, 9):
        gallery.enroll(f"Person {number}", portrait(number))
    gallery.calibrate()
    for number, left in ((1, 8), (2, 6)):
        gallery.forget(f"Person {number}")
        own = gallery.calibration
        assert own is not None
        assert own.people == left


def test_it_can_be_asked_for_and_survives_the_file(gallery: Gallery) -> None:
    with pytest.raises(CalibrationError, match="takes two"):
        gallery.calibrate()
    for number in range(1, 8):
        gallery.enroll(f"Person {number}", portrait(number))
    own = gallery.calibrate()
    assert own.people == 7
    assert own.whose == "this gallery's own people"
    with Gallery(gallery.path, recognizer=gallery.recognizer) as again:
        assert again.calibration == own


def test_its_file_may_have_any_name(tmp_path: Path) -> None:
    file = tmp_path / "\udcff.db"
    try:
        file.touch()
    except OSError:
        pytest.skip("this file system takes only names that are Unicode")
    with Gallery(file, recognizer=cast(Recognizer, Shipped())) as gallery:
        gallery.enroll("Ann", portrait(1))
        gallery.enroll("Bob", portrait(2))
        gallery.calibrate()
        assert gallery.calibration is not None
        assert gallery.calibration.name == "the people of \udcff.db"


def test_nobody_writes_between_measuring_and_writing(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2):
        gallery.enroll(f"Person {number}", portrait(number))
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.1)
    measure = own_calibration.measure

    def interrupted(*arguments: Any) -> Calibration:
        with Gallery(gallery.path, recognizer=gallery.recognizer) as other, pytest.raises(GalleryError) as caught:
            other.forget("Person 1")
        assert caught.value.code == "gallery.locked"
        return measure(*arguments)

    monkeypatch.setattr(own_calibration, "measure", interrupted)
    assert gallery.calibrate().people == 2


@pytest.mark.parametrize("measured", ["measure", "doubles"])
def test_searches_go_on_while_it_is_measured(gallery: Gallery, monkeypatch: pytest.MonkeyPatch, measured: str) -> None:
    for number in (1, 2):
        gallery.enroll(f"Person {number}", portrait(number))
    really = getattr(own_calibration, measured)

    def measure(*arguments: Any) -> Any:
        assert not gallery._lock.locked()
        assert gallery.identify(portrait(1))[0].person == "Person 1"
        return really(*arguments)

    monkeypatch.setattr(own_calibration, measured, measure)
    gallery.calibrate()
    gallery.doubles()


def test_no_search_comes_between_looking_and_drawing(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2, 3):
        gallery.enroll(f"Person {number}", portrait(number))
    assert gallery.identify(portrait(2))[0].person == "Person 2"
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.1)
    really = Gallery._refuse_other_encoder

    def refuse(self: Gallery, connection: Any) -> None:
        really(self, connection)
        monkeypatch.setattr(Gallery, "_refuse_other_encoder", really)
        with Gallery(gallery.path, recognizer=gallery.recognizer) as other:
            other.forget("Person 2")
        if not gallery._lock.locked():  # a search in another thread, which sees a later state, need not wait
            gallery.identify(portrait(1))

    monkeypatch.setattr(Gallery, "_refuse_other_encoder", refuse)
    assert gallery.doubles() == []
    assert gallery.identify(portrait(2))[0].person is None


def test_one_of_another_encoder_decides_nothing(gallery: Gallery) -> None:
    for number in (1, 2):
        gallery.enroll(f"Person {number}", portrait(number))
    other = replace(gallery.calibrate(), encoder=EncoderIdentity("other", "0" * 64))
    with gallery._database.writing() as connection:
        tables.set_calibration(connection, json.dumps(other.to_dict()))
    for [found] in (gallery.identify(portrait(1), fpir=0.2), gallery.identify(portrait(1), threshold=0.5)):
        assert found.calibration == OTHERS


def test_forgetting_everybody_forgets_it_too(gallery: Gallery) -> None:
    for number in (1, 2):
        gallery.enroll(f"Person {number}", portrait(number))
    gallery.calibrate()
    for number in (1, 2):
        assert gallery.forget(f"Person {number}").erased
    assert gallery.calibration is None


@pytest.mark.parametrize("content", ["{}", "altered", "no JSON"])
def test_a_damaged_one_is_told_as_the_gallery_s_and_can_be_measured_anew(gallery: Gallery, content: str) -> None:
    for number in (1, 2):
        gallery.enroll(f"Person {number}", portrait(number))
    good = json.dumps(gallery.calibrate().to_dict())
    with gallery._database.writing() as connection:
        tables.set_calibration(
            connection, good.replace('"mated": 0', '"mated": 9') if content == "altered" else content
        )
    with pytest.raises(GalleryError, match="its own calibration is not as mien wrote it") as caught:
        gallery.identify(portrait(1))
    assert str(gallery.path) in caught.value.message
    assert gallery.calibrate() == gallery.calibration


def test_a_gallery_from_before_there_were_calibrations(gallery: Gallery) -> None:
    with gallery._database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE calibration")
    assert gallery.calibration is None
    for number in (1, 2):
        gallery.enroll(f"Person {number}", portrait(number))
    assert gallery.calibrate() == gallery.calibration


def test_one_face_under_two_names_is_told(gallery: Gallery) -> None:
    for number in range(1, 20):
        gallery.enroll(f"Person {number:02}", [portrait(number, 0), portrait(number, 1)])
    assert gallery.doubles() == []
    gallery.enroll("Somebody", portrait(3, 0))
    assert [(double.first, double.second) for double in gallery.doubles()] == [("Person 03", "Somebody")]


def test_an_empty_gallery_has_no_doubles(gallery: Gallery) -> None:
    assert gallery.doubles() == []


def test_a_sample_has_as_many_people_as_possible() -> None:
    index = Index()
    index._ids = np.arange(100)
    index._owners = np.repeat(np.arange(10), 10)[np.random.default_rng(0).permutation(100)]
    index._matrix = index._owners[:, None].astype(np.float32)
    embeddings, owners = index.sample(25)
    assert np.bincount(owners).min() == 2
    assert np.bincount(owners).max() == 3
    assert (embeddings[:, 0] == owners).all()
    assert len(index.sample(1000)[1]) == 100
    assert len(set(index.sample(7)[1].tolist())) == 7


def test_what_is_typical_is_where_a_quarter_of_the_mated_are_missed() -> None:
    invented = calibration("f" * 64)
    assert own_calibration.typical_similarity(None) is None
    assert own_calibration.typical_similarity(invented) is None
    rises = np.linspace(0, 1, len(invented.similarity))
    rising = replace(invented, false_non_match=type(invented.false_match)(rises, rises, rises))
    assert own_calibration.typical_similarity(rising) == pytest.approx(-0.5, abs=2e-3)


def stating(shift: float) -> Recognizer:
    """States the rates of similarities that have the spread of the fake embeddings, and their mean or another."""

    class Stating(FakeRecognizer):
        @property
        def calibration(self) -> Calibration:
            known = calibration(self.encoder_identity)
            rate = stats.norm.sf(known.similarity, shift, 1 / np.sqrt(128))
            curve = RateCurve(rate, 0.9 * rate, np.minimum(1, 1.1 * rate))
            return replace(known, false_match=curve, whose="other people than yours")

    return cast(Recognizer, Stating())


@pytest.mark.parametrize(("shift", "drifted"), [(0.0, False), (-0.1, True)])
def test_people_who_are_more_alike_than_the_calibration_says_are_noticed(
    tmp_path: Path, shift: float, drifted: bool
) -> None:
    with Gallery(tmp_path / "gallery.db", recognizer=stating(shift)) as gallery:
        gallery.enroll_folder(save_people(tmp_path / "some", 60))
        found = gallery.drift(fpir=0.2)
        answers = gallery.identify(portrait(7, 9, 8), fpir=0.2)
        [by_threshold] = gallery.identify(portrait(7, 9), threshold=0.5)
    assert found is not None
    assert found.people == 60
    assert found.drifted == drifted
    assert len(answers) == 2
    for answer in answers:
        assert answer.to_dict()["notes"] == list(answer.notes)
        assert [note.startswith(f"{found.reason}. So the stated") for note in answer.notes] == [True] * drifted
    assert by_threshold.notes == ()


def test_people_are_compared_again_only_when_the_gallery_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []

    def counting(scores: PairScores) -> MeasuredRates:
        compared.append(len(scores.people))
        return false_match_rates(scores)

    monkeypatch.setattr("mien.evaluation.calibrating.drift.false_match_rates", counting)
    with Gallery(tmp_path / "gallery.db", recognizer=stating(-0.1)) as gallery:
        gallery.enroll_folder(save_people(tmp_path / "some", 30))
        for _ in range(3):
            gallery.identify(portrait(7, 9), fpir=0.2)
        assert compared == [30]
        gallery.enroll("Somebody", portrait(31))
        assert gallery.identify(portrait(7, 9), fpir=0.2)[0].notes
        assert "31 people" in gallery.identify(portrait(7, 9), fpir=0.2)[0].notes[0]
        assert compared == [30, 31]


@pytest.mark.parametrize(("shift", "drifted"), [(0.0, False), (0.1, True)])
def test_a_gallery_with_a_calibration_of_its_own_is_not_compared_again(
    tmp_path: Path, people: Path, shift: float, drifted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognizer = stating(shift)
    with Gallery(tmp_path / "gallery.db", recognizer=recognizer) as gallery:
        gallery.enroll_folder(people)
        vectors = np.stack([embedding(person, variant) for person in range(1, 121) for variant in range(2)])
        whose = np.repeat(range(120), 2).astype(str).tolist()
        anew = drift_of_people(recognizer.calibration, score_all_pairs(vectors, whose))
        monkeypatch.setattr(own_calibration, "score_all_pairs", None)
        found = gallery.drift(fpir=0.001)
    assert found is not None
    assert found.people == 120
    assert found.drifted == anew.drifted == drifted
    assert found.rates[0].ratio.value == pytest.approx(anew.rates[0].ratio.value, rel=1e-2)


def test_too_few_people_and_a_gallery_of_its_own_calibration_have_no_drift(gallery: Gallery, tmp_path: Path) -> None:
    gallery.enroll_folder(save_people(tmp_path / "few", 19))
    assert gallery.drift() is None
    gallery.enroll_folder(save_people(tmp_path / "many", 120))
    assert gallery.drift(fpir=0.2) is None
