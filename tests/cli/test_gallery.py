"""`mien enroll`, `identify`, `people`."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from cli.conftest import Run
from mien.gallery import Gallery


def test_from_one_photo_to_forgotten(
    run: Run, people: Path, group: Path, faceless: Path, among_synthetic: Path
) -> None:
    enrolled = run("enroll", "Ada", people / "person-0001/0001.jpg", "--json")
    assert enrolled.code == 0
    assert len(enrolled.json[0]["added"]) == 1
    assert run("enroll", "Bo", people / "person-0002/0001.jpg").code == 0

    found = run("identify", people / "person-0001/0002.jpg", "--json", "--calibration", among_synthetic)
    assert found.code == 0
    (face,) = found.json
    assert face["decision"] == "match"
    assert face["person"] == "Ada"
    assert len(face["box"]) == 4
    assert face["similarity"] >= face["threshold"]
    assert face["fpir"] > 0
    assert face["candidates"][0]["person"] == "Ada"

    central = run("identify", group, "--face", "central", "--json", "--calibration", among_synthetic)
    assert central.json[0]["notes"] == [f"{group}: the most central of 2 faces was taken"]
    assert central.json[0]["notes"][0] in central.err

    stranger = run("identify", people / "person-0004/0001.jpg", "--json", "--calibration", among_synthetic)
    assert stranger.code == 1
    assert stranger.json[0]["decision"] == "unknown"
    assert stranger.json[0]["person"] is None
    nobody = run("identify", faceless, "--json")
    assert nobody.code == 3
    assert nobody.json[0]["decision"] == "unusable"
    missing = run("identify", "missing.jpg", "--json")
    assert (missing.code, missing.json[0]["encoder"]) == (3, face["encoder"])

    assert [row["name"] for row in run("people", "list", "--json").json] == ["Ada", "Bo"]
    assert run("people", "rename", "Ada", "Ada Lovelace").code == 0
    assert run("people", "show", "Ada Lovelace").code == 0
    assert run("people", "show", "Ada").code == 3
    taken = run("people", "rename", "Bo", "Ada Lovelace")
    assert taken.code == 3
    assert "mien people merge Bo 'Ada Lovelace'" in taken.err
    merged = run("people", "merge", "Bo", "Ada Lovelace", "--json")
    assert (merged.code, merged.json["name"], len(merged.json["templates"])) == (0, "Ada Lovelace", 2)
    forgotten = run("people", "forget", "Ada Lovelace", "--json")
    assert forgotten.code == 0
    assert forgotten.json["erased"] is True
    assert run("identify", people / "person-0001/0002.jpg", "--calibration", among_synthetic).code == 1


def test_a_folder_of_people_and_again(run: Run, people: Path) -> None:
    first = run("enroll", "--folder", people)
    assert first.code == 0
    again = run("enroll", "--folder", people, "--json")
    assert again.code == 0
    assert not any(person["added"] for person in again.json)
    assert all(person["known"] for person in again.json)


def test_a_face_known_under_another_name_is_reported(run: Run, people: Path) -> None:
    assert run("enroll", "Ada", people / "person-0001/0001.jpg").code == 0
    warned = run("enroll", "Eve", people / "person-0001/0002.jpg")
    assert warned.code == 0
    assert "Ada" in warned.err
    refused = run("enroll", "Mallory", people / "person-0001/0003.jpg", "--on-duplicate", "refuse")
    assert refused.code == 3
    assert "Ada" in refused.err or "Eve" in refused.err


def test_a_group_photo_gives_an_answer_for_each_face(
    run: Run, people: Path, group: Path, among_synthetic: Path
) -> None:
    run("enroll", "Ada", people / "person-0001/0002.jpg")
    found = run("identify", group, "--json", "--calibration", among_synthetic)
    assert sorted(face["decision"] for face in found.json) == ["match", "unknown"]
    assert found.code == 0


def test_a_folder_of_one_photo_is_told_as_a_folder_is(run: Run, people: Path, tmp_path: Path) -> None:
    run("enroll", "Ada", people / "person-0001/0002.jpg")
    photo = tmp_path / "folder" / "a.jpg"
    photo.parent.mkdir()
    shutil.copy(people / "person-0001/0001.jpg", photo)
    [line] = run("identify", photo.parent, "--json").out.splitlines()
    told = json.loads(line)
    assert told["photo"] == str(photo)
    assert told["faces"] == run("identify", photo, "--json").json


def test_one_bad_photo_does_not_stop_the_rest(run: Run, people: Path, tmp_path: Path) -> None:
    run("enroll", "Ada", people / "person-0001/0002.jpg")
    ran = run("identify", tmp_path / "missing.jpg", people / "person-0001/0001.jpg", "--json")
    assert ran.code == 5
    first, second = map(json.loads, ran.out.splitlines())
    assert first["faces"][0]["decision"] == "unusable"
    assert second["faces"][0]["person"] == "Ada"
    stranger, strictly = people / "person-0002/0001.jpg", ("--threshold", "0.99")
    assert run("identify", stranger, *strictly).code == 1
    assert run("identify", tmp_path / "missing.jpg", stranger, *strictly).code == 5
    assert run("identify", tmp_path / "missing.jpg", tmp_path / "gone.jpg").code == 3


def test_a_photo_that_needs_an_extra_does_not_stop_the_rest(
    run: Run, people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    heic = tmp_path / "phone.heic"
    heic.write_bytes(b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf")
    run("enroll", "Ada", people / "person-0001/0002.jpg")
    ran = run("identify", heic, people / "person-0001/0001.jpg", "--json")
    assert ran.code == 5
    first, second = map(json.loads, ran.out.splitlines())
    assert "mien[heif]" in first["faces"][0]["reason"]
    assert second["faces"][0]["person"] == "Ada"


def test_compacting(run: Run, people: Path) -> None:
    run("enroll", "Ada", people / "person-0001/0002.jpg")
    run("people", "forget", "Ada")
    assert run("people", "compact", "--json").json == {"compacted": True}


def test_wrong_usage(run: Run, people: Path, tmp_path: Path) -> None:
    assert run("enroll").code == 2
    assert run("enroll", "Ada").code == 2
    assert run("enroll", "Ada", people / "person-0001/0001.jpg", "--folder", people).code == 2
    assert run("people", "show", "Nobody").code == 3
    assert run("identify", tmp_path / "missing.jpg", "--json").code == 3
    assert run("people", "list", "--gallery", "oracle://x").code == 2
    (tmp_path / "text.db").write_text("hello", encoding="utf-8")
    assert run("people", "list", "--gallery", tmp_path / "text.db").code == 3


@pytest.mark.parametrize(
    "command",
    [
        ("people", "list"),
        ("people", "show", "Ada"),
        ("people", "rename", "Ada", "Bo"),
        ("people", "merge", "Ada", "Bo"),
        ("people", "forget", "Ada"),
        ("identify", "{photo}"),
        ("calibrate",),
    ],
    ids=" ".join,
)
def test_only_enrolling_makes_a_gallery(run: Run, people: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    typo, empty = tmp_path / "typo.db", tmp_path / "empty.db"
    empty.touch()
    arguments = [word.format(photo=people / "person-0001/0001.jpg") for word in command]
    for gallery, why in ((typo, "does not exist"), (empty, "is empty")):
        ran = run(*arguments, "--gallery", gallery)
        assert ran.code == 3
        assert f"There is no gallery at {gallery}: the file {why}." in ran.err
        assert ran.out == ""
    assert sorted(tmp_path.iterdir()) == [empty]
    assert empty.stat().st_size == 0


def test_a_gallery_is_made_for_the_first_who_can_be_enrolled(
    run: Run, people: Path, faceless: Path, tmp_path: Path
) -> None:
    gallery, folder = tmp_path / "new.db", tmp_path / "people"
    (folder / "Ada").mkdir(parents=True)
    shutil.copy(faceless, folder / "Ada")
    for arguments in (("Ada", tmp_path / "missing.jpg"), ("Ada", faceless), ("--folder", folder)):
        assert run("enroll", *arguments, "--gallery", gallery).code == 3
        assert not gallery.exists()
    assert run("identify", faceless, "--gallery", gallery).code == 3
    shutil.copy(people / "person-0001/0001.jpg", folder / "Ada")
    assert run("enroll", "--folder", folder, "--gallery", gallery).code == 5
    assert [row["name"] for row in run("people", "list", "--gallery", gallery, "--json").json] == ["Ada"]
    ran = run("enroll", "Ada", people / "person-0001/0001.jpg", "--gallery", tmp_path / "missing" / "new.db")
    assert ran.code == 3
    assert "can't be opened" in ran.err


def test_looking_for_the_default_gallery_makes_no_folder(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIEN_GALLERY", "")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert run("people", "list").code == 3
    assert not (tmp_path / "data").exists()


def test_a_gallery_of_people_unlike_the_calibration_s_is_told_so(run: Run, tmp_path: Path) -> None:
    assert run("synth", tmp_path / "many", "--people", "40", "--photos", "1").code == 0
    assert run("enroll", "--folder", tmp_path / "many").code == 0
    probe = tmp_path / "many/person-0001/0001.jpg"
    told = run("identify", probe, "--fpir", "0.1")
    assert "drifted: where " in told.err
    assert told.err.count("calibrate on photos of such people") == 1
    [face] = run("identify", probe, "--fpir", "0.1", "--json").json
    assert face["notes"][0] in told.err
    assert "drifted" not in run("identify", probe, "--threshold", "0.5").err


def test_forgetting_that_is_interrupted_says_what_is_left_to_do(
    run: Run, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Gallery) -> bool:
        raise KeyboardInterrupt

    run("enroll", "Ada", people / "person-0001/0001.jpg")
    monkeypatch.setattr(Gallery, "compact", interrupted)
    forgotten = run("people", "forget", "Ada")
    assert forgotten.code == 130
    assert "Ada is deleted, but" in forgotten.err
    assert "mien people compact" in forgotten.err
    assert run("people", "list", "--json").json == []


def test_an_interruption_before_anything_was_forgotten_claims_nothing(
    run: Run, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Gallery, __: str) -> None:
        raise KeyboardInterrupt

    run("enroll", "Ada", people / "person-0001/0001.jpg")
    monkeypatch.setattr(Gallery, "forget", interrupted)
    forgotten = run("people", "forget", "Ada")
    assert forgotten.code == 130
    assert "deleted" not in forgotten.err
