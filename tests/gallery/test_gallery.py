from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest

import mien.gallery
from fake_recognizer import DIMENSIONS, FakeRecognizer, embedding, portrait, save_people
from mien.decisions.wording import rate_words
from mien.errors import CalibrationError, ConfigError, GalleryError, MienError, NoFaceError, PhotoError
from mien.gallery import Enrolment, Gallery, tables
from mien.gallery.enrolling import Draft
from mien.photos import PhotoSource


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gallery.db"


@pytest.fixture
def gallery(path: Path) -> Iterator[Gallery]:
    with Gallery(path, recognizer=FakeRecognizer.make()) as opened:
        yield opened


def embedded(gallery: Gallery) -> list[str]:
    return cast(FakeRecognizer, gallery.recognizer).embedded


def test_all_names_what_the_front_door_holds() -> None:
    assert mien.gallery.__all__ == sorted(mien.gallery.__all__)
    assert all(hasattr(mien.gallery, name) for name in mien.gallery.__all__)


def test_an_empty_gallery_knows_nobody_and_is_still_true(gallery: Gallery) -> None:
    assert len(gallery) == 0
    assert gallery
    assert gallery.people() == []
    assert gallery.encoder_name is None
    assert gallery.search(np.zeros((0, DIMENSIONS))) == []
    assert gallery.search([embedding(1)]) == [[]]
    [answer] = gallery.identify(portrait(1))
    assert answer.decision == "unknown"
    assert answer.candidates == ()


class TestEnroll:
    def test_one_person_from_several_photos(self, gallery: Gallery) -> None:
        enrolment = gallery.enroll("Ann", [portrait(1, 0), portrait(1, 1)])
        assert enrolment.person == "Ann"
        assert enrolment.new
        assert [record.box for record in enrolment.added] == [(40, 40, 20, 20)] * 2
        assert enrolment.warnings == ()
        [person] = gallery.people()
        assert (person.name, person.templates) == ("Ann", 2)
        assert gallery.show("Ann").templates == enrolment.added
        assert gallery.encoder_name == "fake"
        assert len(gallery) == 1

    def test_more_photos_of_somebody_who_is_there(self, gallery: Gallery) -> None:
        gallery.enroll("Ann", portrait(1))
        enrolment = gallery.enroll("Ann", portrait(1, 1))
        assert not enrolment.new
        assert enrolment.lookalikes == ()  # one isn't one's own lookalike
        assert gallery.people()[0].templates == 2

    def test_every_kind_of_source(self, gallery: Gallery, tmp_path: Path) -> None:
        file = tmp_path / "ann.png"
        file.write_bytes(portrait(1, 2))
        pixels = np.zeros((4, 8, 3), np.uint8)
        pixels[0, :2] = [(1, 3, 0), (1, 0, 0)]
        enrolment = gallery.enroll("Ann", [file, str(file), portrait(1, 4), pixels])
        assert [record.source for record in enrolment.added] == [str(file), "<bytes>", "<array>"]
        assert enrolment.known == (str(file),)
        assert len({record.photo_sha256 for record in enrolment.added}) == 3

    def test_an_open_file_is_no_photo_and_not_several(self, gallery: Gallery) -> None:
        with io.BytesIO(portrait(1)) as file:
            for photos, kind in ((file, "BytesIO"), ([file], "BytesIO"), (bytearray(portrait(1)), "bytearray")):
                with pytest.raises(TypeError, match=f"opened from a path, bytes.*, not from {kind}"):
                    gallery.enroll("Ann", photos)  # type: ignore[arg-type]
        assert "Ann" not in gallery

    def test_twice_changes_nothing_and_embeds_nothing(self, gallery: Gallery) -> None:
        gallery.enroll("Ann", [portrait(1, 0), portrait(1, 1)])
        before = gallery.show("Ann")
        again = gallery.enroll("Ann", [portrait(1, 0), portrait(1, 1)])
        assert again.added == ()
        assert again.known == ("<bytes>", "<bytes>")
        assert gallery.show("Ann") == before
        assert len(embedded(gallery)) == 2

    def test_a_bad_photo_given_twice_is_not_known(self, gallery: Gallery) -> None:
        with pytest.raises(MienError):
            gallery.enroll("Ann", [portrait(0), portrait(0)])
        assert "Ann" not in gallery

    def test_nobody_is_known_by_a_blurred_photo(self, path: Path, people: Path, blurred: list[Path]) -> None:
        """Of two blurred faces more strangers are alike than a calibration says."""
        with Gallery(path) as gallery:
            with pytest.raises(NoFaceError, match="too blurred") as refused:
                gallery.enroll("Ann", blurred[0])
            assert refused.value.code == "no-face.blurred"
            assert "Ann" not in gallery
            enrolment = gallery.enroll("Ann", [people / "person-0001/0001.jpg", blurred[0]])
            assert [each.source for each in enrolment.skipped] == [str(blurred[0])]
            assert gallery.show("Ann").templates == enrolment.added

    def test_bad_photos_are_skipped_with_their_reasons(self, gallery: Gallery, tmp_path: Path) -> None:
        broken = tmp_path / "broken.jpg"
        broken.write_bytes(b"no picture")
        enrolment = gallery.enroll("Ann", [broken, tmp_path / "missing.jpg", portrait(0), portrait(1)])
        assert len(enrolment.added) == 1
        codes = {skipped.source: skipped.problem.code for skipped in enrolment.skipped}
        assert codes.pop("<bytes>") == "no-face"
        assert codes == {str(broken): "photo.not-a-picture", str(tmp_path / "missing.jpg"): "photo.missing"}
        assert len(enrolment.warnings) == 3
        assert {entry["code"] for entry in enrolment.to_dict()["skipped"]} == {*codes.values(), "no-face"}

    @pytest.mark.skipif(os.name == "nt", reason="a sparse file needs its space there")
    def test_a_huge_file_is_refused_before_it_is_read(self, gallery: Gallery, tmp_path: Path) -> None:
        huge = tmp_path / "huge.jpg"
        huge.write_bytes(b"\xff\xd8\xff\xe0" + bytes(1000))
        os.truncate(huge, 1 << 40)  # sparse: a terabyte that takes no space, and an hour to hash
        with pytest.raises(PhotoError) as caught:
            gallery.enroll("Ann", huge)
        assert caught.value.code == "photo.too-large"

    def test_what_is_enrolled_is_what_was_hashed(self, path: Path, tmp_path: Path) -> None:
        file = tmp_path / "ann.png"
        file.write_bytes(portrait(1))

        class SlowRecognizer(FakeRecognizer):
            def faces(self, source: PhotoSource) -> mien.Faces:
                file.write_bytes(portrait(2))  # between the look at what is known and the work
                return super().faces(source)

        with Gallery(path, recognizer=cast(mien.Recognizer, SlowRecognizer())) as gallery:
            [template] = gallery.enroll("Ann", file).added
            assert template.photo_sha256 == hashlib.sha256(portrait(1)).hexdigest()
            assert template.source == str(file)
            assert gallery.search([embedding(1)])[0][0].similarity == pytest.approx(1)

    def test_nothing_usable_is_an_error_and_leaves_nobody(self, gallery: Gallery, tmp_path: Path) -> None:
        with pytest.raises(PhotoError):
            gallery.enroll("Ann", tmp_path / "missing.jpg")
        with pytest.raises(NoFaceError):
            gallery.enroll("Ann", [portrait(0)])
        with pytest.raises(GalleryError, match="None of the 2 photos of Ann") as caught:
            gallery.enroll("Ann", [portrait(0), tmp_path / "missing.jpg"])
        assert caught.value.code == "gallery.no-usable-photo"
        with pytest.raises(GalleryError, match="No photo of Ann"):
            gallery.enroll("Ann", [])
        assert len(gallery) == 0
        assert gallery.encoder_name is None

    def test_nobody_to_enrol_makes_no_file(self, path: Path, tmp_path: Path) -> None:
        with Gallery(path) as gallery, pytest.raises(PhotoError):
            gallery.enroll("Ann", tmp_path / "missing.jpg")
        assert not path.exists()

    def test_a_photo_with_several_faces_is_never_silently_reduced(self, gallery: Gallery) -> None:
        enrolment = gallery.enroll("Ann", portrait(1, 0, 2, 3))
        assert gallery.search([embedding(1)])[0][0].similarity == pytest.approx(1)
        assert any("of 3 faces" in note for note in enrolment.notes)
        with pytest.raises(NoFaceError, match="3 faces"):
            gallery.enroll("Bob", portrait(2, 0, 3, 4), face="only")
        with pytest.raises(ConfigError):
            gallery.enroll("Bob", portrait(2), face="all")

    def test_a_face_known_under_another_name_is_reported(self, gallery: Gallery) -> None:
        gallery.enroll("Ann", portrait(1))
        gallery.enroll("Carl", portrait(3))
        enrolment = gallery.enroll("Bob", [portrait(2), portrait(1, 1)])
        [lookalike] = enrolment.lookalikes
        assert lookalike.person == "Ann"
        assert lookalike.similarity == pytest.approx(float(embedding(1) @ embedding(1, 1)), abs=1e-6)
        # an FPIR of 1 % with two templates: FMR 1 − 0.99^(1/2) a comparison
        assert lookalike.threshold == pytest.approx(0.2 - np.log10(1 - 0.99**0.5) / 10, abs=2e-3)
        assert lookalike.fmr.value == pytest.approx(10 ** (2 - 10 * lookalike.similarity), rel=0.05)
        assert enrolment.warnings == (lookalike.reason,)
        assert "Bob looks like Ann" in lookalike.reason
        assert f"in {rate_words(lookalike.fmr.value)} of comparisons (95 % interval" in lookalike.reason
        assert len(gallery) == 3

    def test_a_known_face_can_be_refused(self, gallery: Gallery) -> None:
        gallery.enroll("Ann", portrait(1))
        with pytest.raises(GalleryError, match="looks like Ann") as caught:
            gallery.enroll("Bob", [portrait(2), portrait(1, 1)], on_duplicate="refuse")
        assert caught.value.code == "gallery.duplicate"
        assert [person.name for person in gallery.people()] == ["Ann"]
        assert gallery.search([embedding(2)])[0][0].person == "Ann"
        with pytest.raises(ConfigError):
            gallery.enroll("Bob", portrait(2), on_duplicate="ignore")  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match="no face policy 'bogus'"):
            gallery.enroll("Bob", [portrait(2), portrait(3)], face="bogus")  # type: ignore[arg-type]

    def test_without_a_calibration_it_says_that_lookalikes_were_not_checked(self, path: Path) -> None:
        with Gallery(path, recognizer=FakeRecognizer.make(calibrated=False)) as gallery:
            assert gallery.enroll("Ann", portrait(1)).warnings == ()
            enrolment = gallery.enroll("Bob", portrait(1, 1))
        assert enrolment.lookalikes == ()
        assert "was not checked" in enrolment.warnings[0]

    def test_another_encoder_is_refused(self, gallery: Gallery, path: Path) -> None:
        gallery.enroll("Ann", portrait(1))
        with Gallery(path, recognizer=FakeRecognizer.make("0" * 64)) as other:
            for refused in (lambda: other.enroll("Bob", portrait(2)), lambda: other.identify(portrait(1))):
                with pytest.raises(GalleryError, match="can't be compared") as caught:
                    refused()
                assert caught.value.code == "gallery.other-encoder"
            assert [person.name for person in other.people()] == ["Ann"]  # needs no encoder
            with pytest.raises(GalleryError, match="another encoder"):
                other.search(np.eye(1, 3))
            other.forget("Ann")
            other.enroll("Bob", portrait(2))  # an empty gallery is free
            assert other.identify(portrait(2))[0].person == "Bob"
        with pytest.raises(GalleryError, match="can't be compared"):
            gallery.identify(portrait(1))


@pytest.mark.parametrize("named", ["mine", "{card}", "yunet", "../sface"])
def test_a_gallery_opens_no_card_but_mien_s_own(path: Path, tmp_path: Path, named: str) -> None:
    card = tmp_path / "evil.toml"
    card.write_text("not = 'a card'", encoding="utf-8")
    name = named.format(card=card)
    with Gallery(path, recognizer=FakeRecognizer.make()) as gallery:
        gallery.enroll("Ann", portrait(1))
        with gallery._database.writing() as connection:
            tables.set_encoder(connection, name, "f" * 64, DIMENSIONS)
    with Gallery(path) as gallery, pytest.raises(GalleryError) as caught:
        gallery.identify(portrait(1))
    assert caught.value.code == "gallery.other-encoder"
    assert repr(name) in caught.value.message
    assert "--encoder" in caught.value.hint


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            "Zoë", "李小龍", "محمد", "O'Brien", "Robert'); DROP TABLE person;--", "%", "_", "a/b\\c", "-", "x" * 200,
            "👩\u200d🚀", "NULL", "..", '"', "نیم\u200cفاصله",
        ],
    )  # fmt: skip
    def test_odd_ones_work_everywhere(self, gallery: Gallery, name: str) -> None:
        gallery.enroll("Ann", portrait(1))
        gallery.enroll(name, portrait(2))
        assert gallery.identify(portrait(2, 1))[0].person == name
        assert gallery.show(name).name == name
        gallery.rename(name, "Bob")
        gallery.rename("Bob", name)
        assert gallery.forget(name).templates == 1
        assert [person.name for person in gallery.people()] == ["Ann"]

    def test_one_name_however_it_was_typed(self, gallery: Gallery) -> None:
        gallery.enroll("Zoë", portrait(1))
        assert not gallery.enroll("  Zoe\u0308 ", portrait(1, 1)).new
        assert gallery.show("Zoe\u0308").name == "Zoë"
        assert gallery.enroll("zoë", portrait(2)).new  # case differs

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "  ",
            "\t",
            "a\nb",
            "a\0b",
            "a\x1b[31mb",
            "a\u202eb",
            "\u200d",
            "a\u200bb",
            "\ud800a",
            "x" * 201,
            "a\u2028b",
        ],
    )
    def test_refused(self, gallery: Gallery, name: str) -> None:
        with pytest.raises(ConfigError) as caught:
            gallery.enroll(name, portrait(1))
        assert caught.value.code == "config.person-name"
        str(caught.value).encode()  # can be printed
        assert len(gallery) == 0
        assert name not in gallery

    @pytest.mark.parametrize("name", [None, 7, b"Ann", ["Ann"]])
    def test_nobody_is_called_by_what_is_no_text(self, gallery: Gallery, name: object) -> None:
        gallery.enroll("Ann", portrait(1))
        assert name not in gallery


class TestIdentify:
    def test_each_face_gets_its_answer(self, gallery: Gallery) -> None:
        gallery.enroll("Ann", [portrait(1), portrait(1, 1)])
        gallery.enroll("Bob", portrait(2))
        answers = gallery.identify(portrait(1, 5, 9, 2))
        assert [answer.decision for answer in answers] == ["match", "unknown", "match"]
        assert [answer.person for answer in answers] == ["Ann", None, "Bob"]
        assert [answer.box for answer in answers] == [(40, 40, 20, 20), (-10, 40, 20, 20), (90, 40, 20, 20)]
        best = max(float(embedding(1, 5) @ embedding(1, variant)) for variant in (0, 1))
        assert answers[0].similarity == pytest.approx(best, abs=1e-6)
        assert answers[0].gallery_size == 3
        assert [candidate.person for candidate in answers[0].candidates] == ["Ann", "Bob"]
        keys = ["box", "decision", "person", "similarity", "threshold", "fpir", "candidates"]
        assert set(keys) <= set(answers[0].to_dict())
        assert answers[0].to_dict()["box"] == [40.0, 40.0, 20.0, 20.0]

    def test_policies_top_and_threshold(self, gallery: Gallery) -> None:
        gallery.enroll("Ann", portrait(1))
        gallery.enroll("Bob", portrait(2))
        [answer] = gallery.identify(portrait(1, 5, 9, 2), face="central", top=1)
        assert answer.person == "Ann"
        assert len(answer.candidates) == 1
        assert gallery.identify(portrait(1, 5), threshold=0.9999)[0].decision == "unknown"
        with pytest.raises(ValueError, match="top"):
            gallery.identify(portrait(1), top=0)

    def test_two_who_are_too_close_are_ambiguous_whatever_top_is(self, gallery: Gallery) -> None:
        gallery.enroll("Ann", portrait(1))
        gallery.enroll("Anna", portrait(1, 1))
        assert gallery.identify(portrait(1, 2), top=1)[0].decision == "ambiguous"

    def test_no_face_is_unusable_and_no_photo_an_error(self, gallery: Gallery, tmp_path: Path) -> None:
        gallery.enroll("Ann", portrait(1))
        [answer] = gallery.identify(portrait(0))
        assert answer.decision == "unusable"
        assert answer.box is None
        assert answer.to_dict()["box"] is None
        assert gallery.identify(portrait(1, 0, 2), face="only")[0].decision == "unusable"
        with pytest.raises(PhotoError):
            gallery.identify(tmp_path / "missing.jpg")

    def test_rates_that_cannot_be_supported_are_refused(self, gallery: Gallery) -> None:
        gallery.enroll("Ann", portrait(1))
        with pytest.raises(CalibrationError):
            gallery.identify(portrait(1), fpir=1e-9)

    def test_without_calibration_a_threshold_is_needed(self, path: Path) -> None:
        with Gallery(path, recognizer=FakeRecognizer.make(calibrated=False)) as gallery:
            gallery.enroll("Ann", portrait(1))
            with pytest.raises(CalibrationError):
                gallery.identify(portrait(1))
            for answer in gallery.identify(portrait(1), threshold=0.5) + gallery.identify(portrait(0), threshold=0.5):
                assert answer.person == ("Ann" if answer.decision == "match" else None)
                assert answer.to_dict()["calibration"] is None
                assert answer.to_dict()["encoder"] == gallery.recognizer.named_encoder.to_dict()


class TestSearch:
    def test_candidates_by_best_template(self, gallery: Gallery) -> None:
        gallery.enroll("Ann", [portrait(1), portrait(1, 1)])
        gallery.enroll("Bob", portrait(2))
        [first, second] = gallery.search(np.stack([embedding(1, 1), embedding(2)]), top=1)
        assert [(c.person, round(c.similarity, 5)) for c in first + second] == [("Ann", 1.0), ("Bob", 1.0)]

    @pytest.mark.parametrize(
        "probes", [embedding(1), np.ones((1, DIMENSIONS)), np.full((1, DIMENSIONS), np.nan), np.zeros((1, DIMENSIONS))]
    )
    def test_what_is_no_embedding_is_refused(self, gallery: Gallery, probes: np.ndarray) -> None:
        with pytest.raises(ValueError, match="embeddings must"):
            gallery.search(probes)


class TestFolder:
    def test_everybody_with_bad_photos_listed(self, gallery: Gallery, tmp_path: Path) -> None:
        folder = save_people(tmp_path / "people", 5, photos=2)
        (folder / "Person 002" / "bad.jpg").write_bytes(b"\xff\xd8\xff nothing")
        (folder / "Person 003" / "nobody.png").write_bytes(portrait(0))
        for name in ("0.png", "1.png"):
            (folder / "Person 004" / name).unlink()
        (folder / "Person 004" / "bad.png").write_bytes(b"")
        results = {result.person: result for result in gallery.enroll_folder(folder)}
        assert len(results) == 5
        assert {name: len(result.added) for name, result in results.items()} == {
            "Person 001": 2, "Person 002": 2, "Person 003": 2, "Person 004": 0, "Person 005": 2
        }  # fmt: skip
        assert [len(result.skipped) for result in results.values()] == [0, 1, 1, 1, 0]
        assert len(gallery) == 4
        assert [gallery.identify(portrait(k, 9))[0].person for k in (1, 2, 3, 5)] == [
            f"Person {k:03}" for k in (1, 2, 3, 5)
        ]

    def test_again_goes_on_where_it_was(self, gallery: Gallery, tmp_path: Path) -> None:
        folder = save_people(tmp_path / "people", 3)
        gallery.enroll_folder(folder)
        (folder / "Person 002" / "new.png").write_bytes(portrait(2, 7))
        (folder / "Person 004").mkdir()
        (folder / "Person 004" / "0.png").write_bytes(portrait(4))
        results = gallery.enroll_folder(folder)
        assert [len(result.added) for result in results] == [0, 1, 0, 1]
        assert [len(result.known) for result in results] == [1, 1, 1, 0]
        assert len(embedded(gallery)) == 5

    def test_what_is_done_stays_when_interrupted(self, path: Path, tmp_path: Path) -> None:
        folder = save_people(tmp_path / "people", 6)

        class Interrupted(FakeRecognizer):
            def faces(self, source: object) -> mien.Faces:
                if len(self.embedded) == 4:
                    raise KeyboardInterrupt
                return super().faces(source)  # type: ignore[arg-type]

        with Gallery(path, recognizer=cast(mien.Recognizer, Interrupted())) as gallery:
            with pytest.raises(KeyboardInterrupt):
                gallery.enroll_folder(folder)
            assert [person.name for person in gallery.people()] == ["Person 001", "Person 002", "Person 003"]
        with Gallery(path, recognizer=FakeRecognizer.make()) as gallery:
            gallery.enroll_folder(folder)
            assert len(gallery) == 6
            assert len(embedded(gallery)) == 3

    @pytest.mark.parametrize(("people", "kept"), [(1, ""), (2, "1 person was enrolled"), (4, "3 people were enrolled")])
    def test_an_error_says_how_many_were_enrolled(
        self, gallery: Gallery, tmp_path: Path, people: int, kept: str
    ) -> None:
        folder = save_people(tmp_path / "people", people)
        commit, last = gallery._commit, f"Person {people:03}"

        def fill_up(draft: Draft, *, refuse: bool) -> Enrolment:
            if draft.name == last:
                raise GalleryError("The disk is full.", hint="Free some space.")
            return commit(draft, refuse=refuse)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gallery, "_commit", fill_up)
            with pytest.raises(GalleryError, match="disk is full") as caught:
                gallery.enroll_folder(folder)
        assert len(gallery) == people - 1
        assert caught.value.hint.startswith(f"Free some space. {kept}".strip())
        assert ("enrolled" in caught.value.hint) == bool(kept)

    def test_lookalikes_within_one_run(self, gallery: Gallery, tmp_path: Path) -> None:
        folder = save_people(tmp_path / "people", 2)
        (folder / "Person 003").mkdir()
        (folder / "Person 003" / "0.png").write_bytes(portrait(1, 5))
        results = gallery.enroll_folder(folder, on_duplicate="refuse")
        assert [result.refused for result in results] == [False, False, True]
        assert results[2].lookalikes[0].person == "Person 001"
        assert len(gallery) == 2

    @pytest.mark.skipif(os.name == "nt", reason="such folder names don't exist on Windows")
    def test_folders_whose_name_is_no_name(self, gallery: Gallery, tmp_path: Path) -> None:
        folder = save_people(tmp_path / "people", 1)
        for name in (b"line\nbreak", b"caf\xe9", "Zoë".encode(), "Zoe\u0308".encode()):
            place = folder / os.fsdecode(name)
            place.mkdir()
            (place / "0.png").write_bytes(portrait(7, len(name)))
        results = gallery.enroll_folder(folder)
        assert [person.name for person in gallery.people()] == ["Person 001", "Zoë"]
        assert gallery.people()[1].templates == 2
        refused = [skipped for result in results for skipped in result.skipped]
        assert [skipped.problem.code for skipped in refused] == ["config.person-name"] * 2

    def test_a_file_name_that_is_no_unicode(self, gallery: Gallery, tmp_path: Path) -> None:
        photo = tmp_path / os.fsdecode(b"caf\xe9.png")
        photo.write_bytes(portrait(1))
        gallery.enroll("Ann", photo)
        assert gallery.show("Ann").templates[0].source.endswith("caf\\xe9.png")


class TestRename:
    def test_keeps_the_templates(self, gallery: Gallery) -> None:
        gallery.enroll("Ann", portrait(1))
        assert gallery.identify(portrait(1, 1))[0].person == "Ann"
        gallery.rename("Ann", " Anna ")
        assert gallery.identify(portrait(1, 1))[0].person == "Anna"
        gallery.rename("Anna", "Anna")

    def test_refusals(self, gallery: Gallery) -> None:
        gallery.enroll("Ann", portrait(1))
        gallery.enroll("Bob", portrait(2))
        for old, new, code in (("Ann", "Bob", "gallery.name-taken"), ("Carl", "Dan", "gallery.unknown-person")):
            with pytest.raises(GalleryError) as caught:
                gallery.rename(old, new)
            assert caught.value.code == code
        with pytest.raises(ConfigError):
            gallery.rename("Ann", "")
        assert [person.name for person in gallery.people()] == ["Ann", "Bob"]


class TestMerge:
    def test_the_templates_of_one_become_the_others(self, gallery: Gallery) -> None:
        gallery.enroll("Ann", [portrait(1), portrait(1, 1)])
        gallery.enroll("Anna", [portrait(1, 1), portrait(1, 2)])
        gallery.enroll("Bob", portrait(2))
        assert gallery.identify(portrait(1))[0].decision == "ambiguous"
        photos = [each.photo_sha256 for name in ("Anna", "Ann") for each in gallery.show(name).templates]
        details = gallery.merge("Ann", " Anna ")
        assert [each.photo_sha256 for each in details.templates] == list(dict.fromkeys(photos))
        assert details == gallery.show("Anna")
        assert [(person.name, person.templates) for person in gallery.people()] == [("Anna", 3), ("Bob", 1)]
        [answer] = gallery.identify(portrait(1))
        assert answer.person == "Anna"
        assert answer.similarity == pytest.approx(1)
        assert [candidate.person for candidate in answer.candidates] == ["Anna", "Bob"]

    def test_another_reader_sees_it(self, gallery: Gallery, path: Path) -> None:
        gallery.enroll("Ann", portrait(1))
        gallery.enroll("Anna", portrait(1, 1))
        with Gallery(path, recognizer=FakeRecognizer.make()) as other:
            assert other.identify(portrait(1))[0].decision == "ambiguous"
            gallery.merge("Ann", "Anna")
            assert other.identify(portrait(1))[0].person == "Anna"

    def test_refusals(self, gallery: Gallery) -> None:
        gallery.enroll("Ann", portrait(1))
        with pytest.raises(ConfigError, match="one person already"):
            gallery.merge("Ann", " Ann")
        for name, into in (("Ann", "Bob"), ("Bob", "Ann")):
            with pytest.raises(GalleryError, match="'Bob'"):
                gallery.merge(name, into)
        assert [person.name for person in gallery.people()] == ["Ann"]


class TestForget:
    def test_the_person_is_gone_and_the_receipt_says_so(self, gallery: Gallery) -> None:
        gallery.enroll("Ann", [portrait(1), portrait(1, 1)])
        gallery.enroll("Bob", portrait(2))
        receipt = gallery.forget("Ann")
        assert (receipt.person, receipt.templates, receipt.erased) == ("Ann", 2, True)
        assert receipt.to_dict()["forgotten"].endswith("+00:00")
        assert gallery.identify(portrait(1))[0].decision == "unknown"
        assert [person.name for person in gallery.people()] == ["Bob"]
        assert "Ann" not in gallery
        assert " Bob " in gallery, "names are cleaned as everywhere"
        for call in (gallery.forget, gallery.show):
            with pytest.raises(GalleryError) as caught:
                call("Ann")
            assert caught.value.code == "gallery.unknown-person"
        assert gallery.enroll("Ann", portrait(1)).new

    @pytest.mark.parametrize("others", [0, 300])
    def test_no_byte_is_left(self, gallery: Gallery, path: Path, others: int) -> None:
        gallery.enroll("Somebody Before", portrait(999))
        gallery.enroll("Ann Unusual-Name", [portrait(1, variant) for variant in range(40)])
        for person in range(2, others + 2):
            gallery.enroll(f"Person {person}", portrait(person))
        secrets = [
            b"Ann Unusual-Name",
            *(embedding(1, variant)[k : k + 3].tobytes() for variant in range(40) for k in (0, 62, 125)),
        ]
        files = [path, Path(f"{path}-wal")]
        assert all(any(secret in file.read_bytes() for file in files) for secret in secrets)
        assert gallery.forget("Ann Unusual-Name").erased
        assert not any(secret in file.read_bytes() for secret in secrets for file in files)
        gallery.close()
        assert not any(secret in path.read_bytes() for secret in secrets)

    def test_the_same_photo_under_another_name_stays_and_does_not_confuse_the_proof(self, gallery: Gallery) -> None:
        gallery.enroll("Ann", portrait(1))
        gallery.enroll("Bob", portrait(1))
        assert gallery.forget("Ann").erased
        assert gallery.identify(portrait(1))[0].person == "Bob"


def test_closed_means_closed(gallery: Gallery) -> None:
    with gallery:
        gallery.enroll("Ann", portrait(1))
    gallery.close()
    for call in (gallery.people, lambda: len(gallery), lambda: gallery.enroll("Bob", portrait(2))):
        with pytest.raises(ValueError, match="closed"):
            call()
