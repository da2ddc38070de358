import base64
import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from html_page import Page
from made_calibration import made_calibration
from mien.decisions import Clustering, cluster
from mien.evaluation.reports import contact_sheet


def crops_of(colours: list[int]) -> list[NDArray[np.uint8]]:
    return [np.full((40, 30, 3), colour, np.uint8) for colour in colours]


def grouped(labels: list[int]) -> Clustering:
    return cluster(np.eye(max(labels, default=0) + 1)[labels], made_calibration())


def test_every_face_is_there_in_its_group() -> None:
    labels = [2, 0, 1, 0, 1, 0, 3]
    page = Page(
        contact_sheet(grouped(labels), crops_of([30 * n for n in range(7)]), [f"/in/{n}.jpg" for n in "abcdefg"])
    )
    assert [caption.strip() for caption in page.text["figcaption"]] == [f"{n}.jpg" for n in "bdfceag"]
    assert page.all("figcaption")[0]["title"] == "/in/b.jpg"
    assert [image["alt"] for image in page.all("img")] == [f"Face in {n}.jpg" for n in "bdfceag"]
    shades = []
    for image in page.all("img"):
        kind, data = str(image["src"]).split(",")
        assert kind == "data:image/jpeg;base64"
        decoded = Image.open(io.BytesIO(base64.b64decode(data)))
        assert decoded.size == (30, 40)
        shades.append(int(np.asarray(decoded).mean()))
    np.testing.assert_allclose(shades, [30, 90, 150, 60, 120, 0, 180], atol=2)
    assert [" ".join(heading.split()) for heading in page.text["h2"]] == ["1 3 faces", "2 2 faces", "Alone 2 faces"]
    assert page.text["h1"] == ["Which of these 7 faces belong together?"]


def test_it_says_what_the_groups_stand_for() -> None:
    clustering = grouped([0, 0, 1])
    text = contact_sheet(clustering, crops_of([0, 0, 0]), ["a", "b", "c"])
    assert "<b>1e-4</b>" in text
    assert "<b>0.400</b>" in text
    assert clustering.reason in text
    assert "Method: graph." in text
    assert "encoder made-up" in text


def test_without_a_rate_it_claims_none() -> None:
    text = contact_sheet(cluster(np.eye(3), threshold=0.5), crops_of([0, 0, 0]), ["a", "b", "c"])
    assert "no calibration says" in text
    assert "false match rate" not in text
    text = contact_sheet(cluster(np.eye(3), method="kmeans", people=3), crops_of([0, 0, 0]), ["a", "b", "c"])
    assert "Method: kmeans." in text
    assert "similarity or more" not in text


def test_names_of_files_are_only_text() -> None:
    names = ["<script>alert(1)</script>.jpg", '"onerror="alert(1)', "{{ 7 * 7 }}", "a&b<b>'", "C:\\photos\\me.jpg"]
    text = contact_sheet(grouped([0, 0, 1, 2, 3]), crops_of([0] * 5), names)
    page = Page(text)
    assert not page.all("script")
    assert {key for image in page.all("img") for key in image} == {"src", "alt", "decoding"}
    assert {key for caption in page.all("figcaption") for key in caption} == {"title"}
    assert [caption["title"] for caption in page.all("figcaption")] == names
    assert page.text["figcaption"][-1].strip() == "me.jpg"
    assert "49" not in page.text["figcaption"][2]


def test_nothing_is_loaded_from_elsewhere() -> None:
    text = contact_sheet(grouped([0, 0]), crops_of([0, 0]), ["a", "b"])
    assert "http" not in text
    assert "url(" not in text


@pytest.mark.parametrize(("labels", "heading"), [([], "No faces"), ([0], "One face")])
def test_none_and_one(labels: list[int], heading: str) -> None:
    clustering = cluster(np.ones((len(labels), 4)), made_calibration())
    page = Page(contact_sheet(clustering, crops_of([0] * len(labels)), ["a"] * len(labels)))
    assert page.text["h1"] == [heading]
    assert len(page.all("img")) == len(labels)


def test_a_source_may_be_no_path() -> None:
    page = Page(contact_sheet(grouped([0, 0, 1]), crops_of([0] * 3), ["<array>", "", "/"]))
    assert [caption.strip() for caption in page.text["figcaption"]] == ["<array>", "", "/"]


def test_as_many_crops_and_sources_as_faces() -> None:
    with pytest.raises(ValueError, match="2 faces, 1 crops and 2 sources"):
        contact_sheet(grouped([0, 1]), crops_of([0]), ["a", "b"])
