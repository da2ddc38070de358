"""`mien detect`, `embed`, `match`, `calibrate`, `models`, `synth`."""

import csv
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import mien.models
from cli.conftest import Run, interrupt
from mien.errors import ConfigError
from mien.faces import FaceTable
from mien.gallery import Gallery
from mien.models.card_file import SHIPPED


def test_what_could_not_be_used_is_named_once(run: Run, faceless: Path) -> None:
    ran = run("detect", "nowhere.jpg", faceless, "--json")
    assert "  nowhere.jpg does not exist." in ran.err.splitlines()
    assert ran.err.count("nowhere.jpg") == 1


def test_detect(run: Run, people: Path, tmp_path: Path) -> None:
    folder = people / "person-0001"
    ran = run("detect", folder, "--draw", tmp_path / "drawn", "--crops", tmp_path / "crops", "--json")
    assert ran.code == 0
    photos = ran.json["photos"]
    assert len(photos) == len(list(folder.glob("*.jpg")))
    assert all(len(photo["faces"]) == 1 for photo in photos)
    assert len(list((tmp_path / "drawn").iterdir())) == len(photos)
    assert len(list((tmp_path / "crops").iterdir())) == len(photos)


@pytest.mark.parametrize("score", ["nan", "1", "0.01"])
def test_detect_refuses_a_score_that_no_face_can_have(run: Run, faceless: Path, score: str) -> None:
    ran = run("detect", faceless, "--min-score", score)
    assert ran.code == 2
    assert "Invalid value" in ran.err


def test_detect_without_a_face(run: Run, faceless: Path) -> None:
    assert run("detect", faceless).code == 1


def test_one_bad_photo_does_not_stop_the_rest(run: Run, people: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"")
    ran = run("detect", tmp_path / "bad.jpg", people / "person-0001/0001.jpg")
    assert ran.code == 5
    assert "is empty" in ran.err
    assert run("detect", tmp_path / "bad.jpg").code == 3


@pytest.mark.parametrize("name", ["long" * 62, "長い" * 41], ids=["letters", "signs"])
def test_detect_draws_photos_of_the_longest_names(run: Run, people: Path, tmp_path: Path, name: str) -> None:
    photo = tmp_path / f"{name}.jpg"
    shutil.copy(people / "person-0001/0001.jpg", photo)
    for photos in ([photo], [photo, people / "person-0001/0002.jpg"]):
        drawn, crops = tmp_path / f"drawn-{len(photos)}", tmp_path / f"crops-{len(photos)}"
        assert run("detect", *photos, "--draw", drawn, "--crops", crops).code == 0
        assert len(list(drawn.iterdir())) == len(list(crops.iterdir())) == len(photos)


def test_a_drawing_that_cannot_be_written_costs_no_result(
    run: Run, people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(pixels: object, path: Path) -> None:
        if "0001" in path.stem.split("-")[1]:
            raise ConfigError(f"The picture {path} can't be written: no space left.")

    monkeypatch.setattr("mien.photos.save_picture", save)
    ran = run("detect", people / "person-0001", "--draw", tmp_path / "drawn", "--json")
    assert ran.code == 5
    assert [Path(photo["source"]).stem for photo in ran.json["photos"]] == ["0001", "0002", "0003"]
    assert [Path(name).stem for name in ran.json["problems"]] == ["0001"]
    assert "no space left" in ran.err


def test_embed_and_carry_on(run: Run, people: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"not a picture at all")
    output = tmp_path / "faces.npz"
    first = run("embed", people / "person-0001", "-o", output, "--json")
    assert first.code == 0
    assert first.json["dimensions"] == 128
    second = run("embed", people / "person-0001", people / "person-0002", tmp_path / "bad.jpg", "-o", output)
    assert second.code == 5
    assert "3 of 7 photos are already in" in second.err
    table = FaceTable.load(output)
    assert len(table) == 6
    assert len(table.problems) == 1
    np.testing.assert_allclose(np.linalg.norm(table.embeddings, axis=1), 1, atol=1e-5)
    (tmp_path / "bad.jpg").write_bytes((people / "person-0003/0001.jpg").read_bytes())
    mended = run("embed", tmp_path / "bad.jpg", "-o", output)
    assert mended.code == 0, "a photo that could not be read is tried again"
    settings = run("embed", people / "person-0001", "-o", output, "--face", "all")
    assert settings.code == 2
    assert "other settings" in settings.err
    other = run("embed", people / "person-0001", "-o", output, "--flip")
    assert other.code == 2
    assert "was made with the encoder" in other.err
    half = table.embeddings[:, :64] / np.linalg.norm(table.embeddings[:, :64], axis=1, keepdims=True)
    replace(table, embeddings=half).save(output)
    shorter = run("embed", people / "person-0001", "-o", output)
    assert shorter.code == 2
    assert "are 64 numbers long, and those of sface 128" in shorter.err


def test_a_table_that_no_command_would_take_for_one_is_not_written(run: Run, people: Path, tmp_path: Path) -> None:
    ran = run("embed", people, "-o", tmp_path / "faces")
    assert ran.code == 2
    assert "does not end with .npz" in ran.err
    assert not list(tmp_path.glob("faces*"))


def test_embed_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = run("embed", tmp_path / "empty", "-o", tmp_path / "x.npz")
    assert ran.code == 3
    assert "no photo in" in ran.err


def test_match(run: Run, people: Path, known: Path, among_synthetic: Path, tmp_path: Path) -> None:
    output, matrix, parquet = tmp_path / "m.csv", tmp_path / "m.npy", tmp_path / "m.parquet"
    rule = ("--calibration", among_synthetic)
    ran = run("match", people, known, "-o", output, "--matrix", matrix, "--json", *rule)
    assert ran.code == 0
    assert ran.json["people"] == ran.json["gallery_size"] == len(list(known.iterdir()))
    with output.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    truth = {row["probe"]: Path(row["probe"]).parent.name for row in rows}
    enrolled = {path.stem for path in known.iterdir()}
    assert len(rows) == len(list(people.glob("*/*.jpg")))
    for row in rows:
        wanted = truth[row["probe"]] if truth[row["probe"]] in enrolled else "unknown"
        assert row["person"] == wanted, row
    similarities = np.load(matrix)
    assert similarities.shape == (len(rows), len(enrolled))
    assert float(rows[0]["similarity"]) == pytest.approx(similarities[0].max(), abs=1e-6)
    assert run("match", people, known, "-o", output, "--matrix", parquet, *rule).code == 0
    read = pq.read_table(parquet)
    assert read.column("probe").to_pylist() == [row["probe"] for row in rows]
    np.testing.assert_array_equal(read.column(1).to_numpy(), similarities[:, 0])
    assert run("match", people, known, "-o", output, "--matrix", tmp_path / "m.txt", *rule).code == 2


def test_nobody_is_known_by_a_blurred_photo(
    run: Run, people: Path, known: Path, blurred: list[Path], among_synthetic: Path, tmp_path: Path
) -> None:
    """Of two blurred faces more strangers are alike than a calibration says."""
    folder, output = tmp_path / "known", tmp_path / "m.csv"
    folder.mkdir()
    shutil.copy(blurred[0], folder / "blurred.png")
    shutil.copy(known / "person-0003.jpg", folder)
    rule = ("--calibration", among_synthetic)
    ran = run("match", blurred[1], folder, "-o", output, "--json", *rule)
    assert (ran.code, ran.json["people"]) == (5, 1)
    assert [why["code"] for why in ran.json["problems"].values()] == ["no-face.blurred"]
    assert run("match", blurred[1], folder, "-o", output, "--json", "--threshold", "0.5").json["people"] == 2
    nobody = run("match", people, blurred[0], "-o", output, *rule)
    assert nobody.code == 3
    assert "too blurred" in nobody.err
    assert "No photo of a known person can be used." in nobody.err
    shutil.copy(blurred[1], folder / "too.png")
    at_a_rate = run("cluster", folder, "--json", *rule, "--fmr", "0.5")
    assert "2 faces too blurred" in at_a_rate.json["reason"]
    named = dict(zip((Path(name).stem for name in at_a_rate.json["sources"]), at_a_rate.json["labels"], strict=True))
    assert named["blurred"] != named["too"] or named["person-0003"] == named["too"]
    by_threshold = run("cluster", folder, "--json", "--threshold", "-1")
    assert by_threshold.json["groups"] == 1


def test_calibrate_and_use_it(run: Run, tmp_path: Path) -> None:
    people, output = tmp_path / "people", tmp_path / "mine.json"
    run("synth", people, "--people", "30", "--photos", "2", "--seed", "4")
    ran = run("calibrate", "--people", people, "-o", output, "--json")
    assert ran.code == 0
    assert (ran.json["people"], ran.json["output"], ran.json["problems"]) == (30, str(output), {})
    assert ran.json["smallest_fmr"] > 0
    pair = people / "person-0001/0001.jpg", people / "person-0001/0002.jpg"
    decided = run("verify", *pair, "--calibration", output, "--fmr", "0.3", "--json")
    assert decided.code == 0
    assert decided.json["calibration"]["sha256"] == ran.json["sha256"]
    refused = run("verify", *pair, "--calibration", output, "--json")
    assert refused.code == 3, "so few people cannot support 1e-4"
    other = run("verify", *pair, "--calibration", output, "--flip")
    assert other.code == 3
    assert run("calibrate", "--people", people / "person-0001", "-o", output).code == 3
    assert run("calibrate", "-o", output).code == 2
    assert run("calibrate", "--people", people).code == 2
    assert run("calibrate", "--people", people, "--unlabelled", people, "-o", output).code == 2
    output.write_text(output.read_text(encoding="utf-8").replace("cosine", "cosinE"), encoding="utf-8")
    assert run("verify", *pair, "--calibration", output).code == 3


def test_calibrating_on_photos_without_folders_of_people_is_refused_before_the_work(
    run: Run, known: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "alone" / "Ada").mkdir(parents=True)
    (tmp_path / "alone" / "Ada" / "1.jpg").touch()
    for folder, people in ((known, "0 people"), (tmp_path / "empty", "0 people"), (tmp_path / "alone", "1 person")):
        ran = run("calibrate", "--people", folder, "-o", tmp_path / "mine.json", "--embeddings", tmp_path / "faces.npz")
        assert ran.code == 3
        assert f"has photos of {people}, and it takes two" in ran.err
        assert run("evaluate", "people", folder).err == ran.err
    assert not (tmp_path / "faces.npz").exists(), "nothing was embedded"


def test_models(run: Run) -> None:
    ran = run("models", "list", "--json")
    assert {row["name"] for row in ran.json} >= {"yunet", "sface", "dlib", "fusion"}
    assert run("models", "show", "sface", "--json").json["licence"] == "Apache-2.0"
    assert "Apache-2.0" in run("models", "show", "sface").out
    assert run("models", "check", "yunet").code == 0
    assert run("models", "show", "nope").code == 4


@pytest.mark.parametrize(
    "arguments", [("list",), ("show", "sface"), ("show", "dlib"), ("show", "fusion")], ids=" ".join
)
def test_models_are_shown_to_people(run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ran = run("models", *arguments)
    assert max(map(len, ran.out.splitlines())) <= 80
    assert not re.search(r"[{}\[\]]|'\w+':|None|False", ran.out)


def test_a_fusion_of_ones_own_is_shown(run: Run, tmp_path: Path) -> None:
    mine = (Path(mien.models.__file__).parent / "cards" / "sface.toml").read_text("utf-8")
    (tmp_path / "mine.toml").write_text(mine.replace('name = "sface"', 'name = "mine\\u001b[31m"'), "utf-8")
    fusion = 'name = "both"\ntask = "encoder"\nlicence = "MIT"\n'
    fusion += "".join(f'[[members]]\ncard = "{card}"\nweight = 0.5\n' for card in ("./mine.toml", "dlib"))
    (tmp_path / "both.toml").write_text(fusion, "utf-8")
    (member, weight), _ = run("models", "show", tmp_path / "both.toml", "--json").json["members"]
    assert (member["path"], weight) == (str(tmp_path / "mine.toml"), 0.5)
    shown = run("models", "show", tmp_path / "both.toml").out
    assert "0.5 of mine\\x1b[31m: SFace" in shown
    assert "\033" not in shown


def test_weights_from_a_file_must_be_the_right_ones(run: Run, tmp_path: Path) -> None:
    (tmp_path / "wrong.onnx").write_bytes(b"something else")
    ran = run("models", "add", "yunet", tmp_path / "wrong.onnx")
    assert ran.code == 3
    assert "wrong.onnx" in ran.err


def test_synth(run: Run, tmp_path: Path) -> None:
    ran = run("synth", tmp_path / "people", "--people", "2", "--photos", "2", "--seed", "3", "--json")
    assert ran.code == 0
    assert len(list((tmp_path / "people").glob("*/*.jpg"))) == 4
    assert run("synth", tmp_path / "people", "--people", "0").code == 2


@pytest.mark.parametrize("command", [("synth", "{}"), ("demo", "--people", "4", "-o", "{}")], ids=lambda c: c[0])
def test_made_up_people_are_not_put_beside_others(run: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "people" / "Ada").mkdir(parents=True)
    ran = run(*(word.format(tmp_path / "people") for word in command))
    assert ran.code == 2
    assert "is not empty" in ran.err
    assert [path.name for path in (tmp_path / "people").iterdir()] == ["Ada"]


def test_match_with_a_table_or_a_photo_as_gallery(run: Run, people: Path, known: Path, tmp_path: Path) -> None:
    table, output = tmp_path / "known.npz", tmp_path / "m.csv"
    run("embed", known, "-o", table)
    for gallery in (table, known / "person-0001.jpg"):
        assert run("match", people / "person-0001", gallery, "-o", output, "--threshold", "0.5").code == 0
        with output.open(encoding="utf-8") as file:
            found = [row["person"] for row in csv.DictReader(file)]
        assert "person-0001" in found
        assert set(found) <= {"person-0001", "unknown"}


def test_match_with_a_table_of_absolute_and_relative_paths(
    run: Run, known: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(known)
    table, output = tmp_path / "known.npz", tmp_path / "m.csv"
    run("embed", "person-0001.jpg", known / "person-0002.jpg", "-o", table)
    assert run("match", known / "person-0002.jpg", table, "-o", output, "--threshold", "0.5").code == 0
    with output.open(encoding="utf-8") as file:
        assert [row["person"] for row in csv.DictReader(file)] == ["person-0002"]


def test_a_photo_that_is_another_file_now_is_embedded_again(run: Run, people: Path, tmp_path: Path) -> None:
    photo, output = tmp_path / "a.jpg", tmp_path / "faces.npz"
    shutil.copy(people / "person-0001/0001.jpg", photo)
    run("embed", photo, people / "person-0003/0001.jpg", "-o", output)
    before = FaceTable.load(output)
    shutil.copy(people / "person-0002/0001.jpg", photo)
    again = run("embed", photo, "-o", output)
    assert "1 of the photos in" in again.err
    after = FaceTable.load(output)
    assert sorted(after.sources) == sorted(before.sources)
    row, now = before.sources.index(str(photo)), after.sources.index(str(photo))
    other = run("embed", people / "person-0002/0001.jpg", "-o", tmp_path / "other.npz")
    assert other.code == 0
    np.testing.assert_allclose(after.embeddings[now], FaceTable.load(tmp_path / "other.npz").embeddings[0], atol=1e-5)
    assert float(after.embeddings[now] @ before.embeddings[row]) < 0.9
    photo.unlink()
    assert "already" in run("embed", photo, "-o", output).err, "what was embedded stays when its photo goes"


def test_a_photo_named_twice_is_one_photo(run: Run, people: Path) -> None:
    photo = people / "person-0001/0001.jpg"
    assert (
        len(run("cluster", photo, photo, people / "person-0001", "--threshold", "0.4", "--json").json["sources"]) == 3
    )


@pytest.mark.parametrize("by", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_interrupted_embedding_goes_on(people: Path, tmp_path: Path, by: str) -> None:
    for number in range(40):
        shutil.copytree(people, tmp_path / "photos" / str(number))
    output = tmp_path / "faces.npz"
    interrupt("embed", tmp_path / "photos", "-o", output, "--runtime", "onnxruntime", by=by)
    kept = len(FaceTable.load(output)) if output.exists() else 0
    assert 0 < kept <= 20


def test_a_gallery_calibrates_itself(run: Run, people: Path, tmp_path: Path) -> None:
    gallery, kept = tmp_path / "gallery.db", tmp_path / "own.json"
    assert run("calibrate", "--gallery", gallery).code == 3, "nobody is in it"
    run("enroll", "--folder", people)
    ran = run("calibrate", "--gallery", gallery, "-o", kept, "--json")
    assert ran.code == 0
    assert (ran.json["people"], ran.json["whose"]) == (6, "this gallery's own people")
    decided = run("identify", people / "person-0001/0001.jpg", "--threshold", "0.5", "--json")
    assert decided.json[0]["calibration"]["sha256"] == ran.json["sha256"]
    assert "6 of this gallery's own people when it was calibrated" in decided.json[0]["reason"]
    assert "other people than yours" in run("identify", people / "person-0001/0001.jpg").out, "six support nothing"


def test_a_gallery_of_one_s_own_encoder_calibrates_itself(run: Run, people: Path, tmp_path: Path) -> None:
    gallery, kept, card = tmp_path / "gallery.db", tmp_path / "own.json", tmp_path / "mine.toml"
    shipped = (SHIPPED / "sface.toml").read_text(encoding="utf-8")
    card.write_text(shipped.replace('name = "sface"', 'name = "mine"'), encoding="utf-8")
    assert run("enroll", "--folder", people, "--encoder", card).code == 0
    assert run("calibrate", "--gallery", gallery, "--encoder", card, "-o", kept).code == 0
    assert json.loads(kept.read_text(encoding="utf-8"))["encoder"]["name"] == "mine"


def test_a_gallery_is_not_changed_where_it_can_t_be_calibrated(run: Run, people: Path, tmp_path: Path) -> None:
    gallery, kept = tmp_path / "gallery.db", tmp_path / "own.json"
    run("enroll", "--folder", people)
    for option, value, code, said in (
        ("--flip", None, 3, "holds embeddings of the encoder sface"),
        ("--face", "only", 2, "--face means nothing with --gallery"),
        ("--name", "ours", 2, "--name means nothing with --gallery"),
        ("--embeddings", tmp_path / "faces.npz", 2, "--embeddings means nothing with --gallery"),
    ):
        given = [option] if value is None else [option, value]
        ran = run("calibrate", "--gallery", gallery, "-o", kept, *given)
        assert (ran.code, said in ran.err) == (code, True), ran.err
    assert not kept.exists()
    with Gallery(gallery) as opened:
        assert opened.calibration is None
    refused = run("calibrate", "--unlabelled", people, "-o", kept, "--face", "only")
    assert (refused.code, "--face means nothing with --unlabelled" in refused.err) == (2, True)


def test_photos_without_names_are_refused_where_they_say_too_little(run: Run, people: Path, tmp_path: Path) -> None:
    ran = run("calibrate", "--unlabelled", people, "-o", tmp_path / "a.json", "--json")
    assert ran.code == 3
    assert ran.json["error"]["code"].startswith("calibration.")
    assert not (tmp_path / "a.json").exists()
