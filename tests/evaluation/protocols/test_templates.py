from pathlib import Path

import numpy as np
import pytest

from embedded_people import embedded, vectors
from mien.errors import ConfigError, InputError
from mien.evaluation import PROTOCOLS, Settings
from mien.evaluation.protocols.templates import pool

QUICK = Settings(resamples=20)


def test_a_video_weighs_as_much_as_a_photo() -> None:
    photo, frame = vectors(["a", "b"])
    media = ["photo", *["video"] * 5]
    pooled = pool(np.array([photo, *[frame] * 5]), np.full(6, 0.9, np.float32), media)
    np.testing.assert_allclose(pooled, (photo + frame) / np.linalg.norm(photo + frame), atol=1e-6)


def test_quality_weighs_photos_and_media() -> None:
    a, b, c = vectors(["a", "b", "c"]).astype(np.float64)
    quality = np.array([1, 0.5, 0.6], np.float32)
    pooled = pool(np.array([a, b, c], np.float32), quality, ["video", "video", "photo"])
    video = (a + 0.5 * b) / 1.5
    expected = 0.75 * video + 0.6 * c
    np.testing.assert_allclose(pooled, expected / np.linalg.norm(expected), atol=1e-6)


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """Ten subjects, two templates each, the second of a video of three frames and a photo."""
    lines = ["template,subject,media,photo"]
    for who in range(10):
        lines.append(f"{who}a,s{who},m{who},{who}/0.jpg")
        lines += [f"{who}b,s{who},v{who},{who}/{frame}.jpg" for frame in (1, 2, 3)]
        lines.append(f"{who}b,s{who},n{who},{who}/4.jpg")
    (tmp_path / "templates.csv").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "0").mkdir()
    (tmp_path / "0/0.jpg").touch()
    return tmp_path / "templates.csv"


def people() -> dict[str, str]:
    return {f"{who}/{photo}.jpg": f"s{who}" for who in range(10) for photo in range(5)}


def test_every_template_with_every_other(listed: Path) -> None:
    protocol = PROTOCOLS["templates"](listed)
    evaluation = protocol.evaluate(embedded(people(), without=["3/0.jpg", "4/1.jpg"]), QUICK)
    assert evaluation.verification is not None
    assert (evaluation.verification.mated, evaluation.verification.non_mated) == (9, 19 * 18 // 2 - 9)
    assert evaluation.data.facts["templates"] == 20
    assert evaluation.data.facts["templates without a face"] == 1
    assert evaluation.data.facts["media"] == 30
    assert (evaluation.data.photos, evaluation.data.photos_without_face) == (50, 2)
    assert all(error.first in protocol.photos for error in evaluation.worst), "errors are shown by photos"


def test_listed_pairs_of_templates(listed: Path) -> None:
    pairs = listed.with_name("pairs.csv")
    pairs.write_text("first,second\n" + "\n".join(f"{a}a,{b}b" for a in range(10) for b in range(10)), "utf-8")
    protocol = PROTOCOLS["templates"](listed, pairs=pairs)
    photos = embedded(people())
    rows = list(protocol.answers(photos, QUICK))
    assert len(rows) == 100
    assert [row["mated"] for row in rows] == [int(a == b) for a in range(10) for b in range(10)]
    at = {name: row for row, name in enumerate(photos.names)}
    expected = pool(
        photos.embeddings[[at[f"3/{n}.jpg"] for n in (1, 2, 3, 4)]],
        photos.quality[[at[f"3/{n}.jpg"] for n in (1, 2, 3, 4)]],
        ["v", "v", "v", "n"],
    )
    similarity = float(photos.embeddings[at["0/0.jpg"]].astype(np.float64) @ expected)
    assert float(rows[3]["score"]) == pytest.approx(similarity, abs=1e-6)
    evaluation = protocol.evaluate(photos, QUICK)
    assert evaluation.protocol == "templates"
    assert evaluation.data.people == 10


def test_searches_among_templates(listed: Path) -> None:
    gallery, probes = listed.with_name("gallery.csv"), listed.with_name("probes.csv")
    gallery.write_text("template\n1b\n" + "\n".join(f"{who}b" for who in range(7)), encoding="utf-8")
    probes.write_text("template\n" + "\n".join(f"{who}a" for who in (*range(10), 9)), encoding="utf-8")
    protocol = PROTOCOLS["templates"](listed, gallery=gallery, probes=probes)
    evaluation = protocol.evaluate(embedded(people(), noise=0.2), QUICK)
    found = evaluation.identification
    assert found is not None
    assert (found.gallery_people, found.mated_probes, found.stranger_probes) == (7, 7, 3)
    assert found.gallery_templates == 7, "named twice is there once"
    assert found.rank_1.to_dict()["value"] == 1
    answers = list(protocol.answers(embedded(people(), noise=0.2), Settings(threshold=0.9)))
    assert [row["person"] for row in answers] == [*(f"s{who}" for who in range(7)), *["unknown"] * 3]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("template,subject,media\n1,2,3\n", "should name the columns"),
        ("template,subject,media,photo\n1,a,m,x.jpg\n1,b,m,y.jpg\n", "Line 3"),
        ("template,subject,media,photo\n", "no rows"),
    ],
)
def test_broken_lists(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        PROTOCOLS["templates"](tmp_path / "t.csv")


def test_templates_that_share_a_photo_are_not_compared(listed: Path) -> None:
    pairs, gallery, probes = (listed.with_name(f"{name}.csv") for name in ("pairs", "gallery", "probes"))
    pairs.write_text("first,second\n1a,1b\n2a,2a\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"Line 3 of .*pairs.csv.* 2a and 2a .* both have the photo 2/0\.jpg"):
        PROTOCOLS["templates"](listed, pairs=pairs)
    gallery.write_text("template\n1a\n2a\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"Line 2 of .*gallery.csv.* both have the photo 1/0\.jpg"):
        PROTOCOLS["templates"](listed, gallery=gallery, probes=gallery)
    with listed.open("a", encoding="utf-8") as file:
        file.write("\n1c,s1,m1,1/0.jpg\n")
    with pytest.raises(ConfigError, match=r"Line 52 of .*templates.csv.* 1c and 1a .* both have the photo 1/0\.jpg"):
        PROTOCOLS["templates"](listed)
    pairs.write_text("first,second\n1a,1b\n1b,1c\n1a,2b\n", encoding="utf-8")
    assert PROTOCOLS["templates"](listed, pairs=pairs).photos, (
        "templates that share a photo may be compared with others"
    )
    probes.write_text("template\n1b\n1c\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"Line 3 of .*probes.csv.* 1c and 1a .*"):
        PROTOCOLS["templates"](listed, gallery=gallery, probes=probes)


def test_templates_that_are_not_there(listed: Path) -> None:
    pairs = listed.with_name("pairs.csv")
    pairs.write_text("first,second\n1a,1b\n99x,1a\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"Line 3 .* no template 99x"):
        PROTOCOLS["templates"](listed, pairs=pairs)
    with pytest.raises(ConfigError, match="go together"):
        PROTOCOLS["templates"](listed, gallery=pairs)
    with pytest.raises(
        InputError, match=r"None of the 50 photos in the list .*templates\.csv is in .*nowhere, such as 0/0\.jpg"
    ):
        PROTOCOLS["templates"](listed, photos=listed.with_name("nowhere"))
