"""The demo on people who don't exist: its figures against the truth, and its page."""

import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from mien import Recognizer
from mien.demo import DemoResult, render, run, synthetic_calibration
from mien.errors import ConfigError, InputError
from mien.synthesis import generate


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> DemoResult:
    folder = tmp_path_factory.mktemp("demo")
    generate(folder / "people", people=8, photos=3, seed=5)
    recognizer = Recognizer(calibration=synthetic_calibration(), runtime="onnxruntime")
    return run(folder / "people", folder / "gallery.db", recognizer)


def test_who_is_enrolled(result: DemoResult) -> None:
    assert len(result.people) == 8
    assert sum(one.enrolled for one in result.portraits) == 6
    assert {one.person for one in result.portraits if one.known} == {o.person for o in result.portraits if o.enrolled}
    assert len(result.identified) == len(result.portraits) - 6


def test_rates_are_counted_right(result: DemoResult) -> None:
    named = [n for n, found in result.identified.items() if found.decision == "match"]
    strangers = [n for n in result.identified if not result.portraits[n].known]
    rate, of = result.rates["false positive identification rate"]
    assert rate.value == pytest.approx(sum(n in named for n in strangers) / len(strangers))
    assert of == f"{len(strangers)} photos of strangers"
    known = [n for n in result.identified if result.portraits[n].known]
    right = [n for n in known if result.identified[n].person == result.portraits[n].person]
    assert result.rates["false negative identification rate"][0].value == pytest.approx(1 - len(right) / len(known))
    assert len(right) >= 0.8 * len(known)


def test_pairs(result: DemoResult) -> None:
    names = np.array([one.person for one in result.portraits])
    assert result.mated.sum() == sum(n * (n - 1) for n in result.people.values())
    assert not result.mated[names[:, None] != names].any()
    assert result.similarities[result.mated].mean() > result.similarities[~result.mated].mean()


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pictures = 0
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href") and value and not value.startswith(("data:", "#")):
                self.outside.append(value)
        self.pictures += tag == "img"


def test_the_page_holds_everything(result: DemoResult) -> None:
    html = render(result, synthetic_calibration(), synthetic=True)
    page = Page()
    page.feed(html)
    assert page.outside == []
    assert page.pictures >= 6 + 6 + 8
    assert "people known by one photo each" in html
    assert not re.search(r"\{\{|\}\}|\bnan\b|None", html)


@pytest.mark.parametrize(("above", "shown"), [(0.3, ("no", "match", True)), (0.0, ("unsure", "ambiguous", False))])
def test_two_people_who_are_too_alike(result: DemoResult, above: float, shown: tuple[str, str, bool]) -> None:
    """A wrong match has not the colour of a right one, and to be unsure is not to be wrong."""
    similarities = result.similarities.copy()
    similarities[~result.mated] = np.minimum(similarities[~result.mated], 0.3)
    one, other = 0, [portrait.person == result.portraits[0].person for portrait in result.portraits].index(False)
    similarities[one, other] = similarities[other, one] = result.threshold.similarity + above
    html = render(replace(result, similarities=similarities), synthetic_calibration(), synthetic=True)
    card = r'<span class="tag (\w+)">([\w ]+)</span>, similarity [^<]*<br>\s*<small class="soft">([^<]*)'
    *_, (style, decision, truth) = re.findall(card, html)
    assert (style, decision, "wrong" in truth) == shown


def test_a_photo_that_can_not_be_used_is_named_once(result: DemoResult) -> None:
    unusable = {"a/1.jpg": "a/1.jpg is empty.", "a/2.jpg": "No face."}
    html = render(replace(result, unusable=unusable), synthetic_calibration(), synthetic=True)
    assert re.findall(r"<p><small>(.*?)</small></p>", html) == ["a/1.jpg is empty.", "a/2.jpg: No face."]


def test_wrong_groups_come_first_and_say_what_they_hold(result: DemoResult) -> None:
    assert set(result.people.values()) == {3}
    one, other, *_ = dict.fromkeys(portrait.person for portrait in result.portraits)
    labels = np.array([list(result.people).index(portrait.person) for portrait in result.portraits])
    labels[[portrait.person == other for portrait in result.portraits].index(True)] = 0  # one of theirs to the first
    wrong = replace(result, clustering=replace(result.clustering, labels=labels))
    captions = re.findall(
        r'<small class="(no|soft)">(.*?)</small>', render(wrong, synthetic_calibration(), synthetic=True)
    )
    shown = [caption for caption in captions if " × " in caption[1]]
    assert shown[:2] == [("no", f"{one} × 3, {other} × 1 of 3"), ("no", f"{other} × 2 of 3")]
    assert {kind for kind, _ in shown[2:]} == {"soft"}


def test_too_few_people(tmp_path: Path) -> None:
    generate(tmp_path / "people", people=1, photos=2)
    with pytest.raises(ConfigError, match="too few people"):
        run(tmp_path / "people", tmp_path / "gallery.db", Recognizer(runtime="onnxruntime"))


def test_nobody_left_to_be_a_stranger(tmp_path: Path) -> None:
    generate(tmp_path / "people", people=2, photos=2)
    with pytest.raises(InputError, match="too few people"):
        run(tmp_path / "people", tmp_path / "gallery.db", Recognizer(runtime="onnxruntime"))


@pytest.mark.parametrize("foreign", ['{"title": "a photo of Takeout"}', '["a", "list"]', "no JSON", '{"name": "Web"}'])
def test_the_json_files_of_other_programs_name_nobody(tmp_path: Path, people: Path, foreign: str) -> None:
    album = tmp_path / "album"
    for number in range(1, 4):
        for photo in (1, 2):
            file = f"person-{number:04d}/{photo:04d}.jpg"
            (album / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(people / file, album / file)
            (album / file).with_suffix(".json").write_text(foreign)
    (album / "manifest.json").write_text(foreign)
    recognizer = Recognizer(calibration=synthetic_calibration(), runtime="onnxruntime")
    found = run(album, tmp_path / "gallery.db", recognizer)
    assert set(found.people) == {"person-0001", "person-0002", "person-0003"}
