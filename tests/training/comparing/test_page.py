from dataclasses import replace
from pathlib import Path

from html_page import Page
from mien.training.comparing.page import render_losses, write_page
from training.comparing.made_comparison import make_comparison


def test_the_page_says_who_is_ahead_and_how_sure_that_is() -> None:
    page = Page(render_losses(make_comparison(), "mien bench losses -o <out>"))
    lead = " ".join(page.text["p"][0].split())
    assert "ArcFace came out best: at a false match rate of 1 % it matches 61 % of the mated pairs (" in lead
    assert lead.endswith("Clearly ahead of softmax: ArcFace; clearly behind: circle.")
    rows = [row for row in page.rows if len(row) == 10]
    assert [row[0].split()[0] for row in rows[1:]] == ["ArcFace", "Cos<b>Face", "softmax", "circle", "triplet"]
    arcface, cosface, softmax, _, triplet = rows[1:]
    assert arcface[0] == "ArcFace s 32.0, m 0.3"
    assert arcface[1].startswith("61 %")
    assert arcface[1].endswith("seeds ± 1.0")
    assert "no figure not supported by 6,900" in arcface[2]
    assert arcface[7:] == ["+10 points +5 to +15", "61 s", "500 MB"]
    assert cosface[0].endswith("1 of 3 runs came to nothing: The embeddings <have> collapsed.")
    assert softmax[7] == ""
    assert triplet[1:] == [""] * 9
    assert "mien bench losses -o <out>" in page.text["code"]


def test_the_page_stands_alone() -> None:
    page = Page(render_losses(make_comparison()))
    assert not page.all("script")
    assert not page.all("link")
    figures = [one for one in page.all("svg") if one.get("role") == "img"]
    assert [one["aria-label"] for one in figures] == [
        "True match rate at a false match rate of 1 % of every loss",
        "Closed-set accuracy of every loss",
        "Seconds of training of every loss",
    ]


def test_many_losses_are_counted_instead_of_named() -> None:
    comparison = make_comparison()
    ahead = [replace(comparison.standings[0], name=f"n{at}", title=f"N{at}") for at in range(6)]
    page = Page(render_losses(replace(comparison, standings=(*ahead, *comparison.standings))))
    assert "7 losses are clearly ahead of softmax; clearly behind: circle." in " ".join(page.text["p"][0].split())


def test_losses_that_differ_by_chance_are_not_called_better() -> None:
    comparison = make_comparison()
    kept = tuple(one for one in comparison.standings if one.name in {"softmax", "cosface"})
    page = Page(render_losses(replace(comparison, standings=kept)))
    assert "None is clearly ahead of softmax, and none clearly behind." in " ".join(page.text["p"][0].split())


def test_the_page_is_there_where_everything_failed(tmp_path: Path) -> None:
    comparison = make_comparison()
    kept = (replace(comparison.standings[-1], name="softmax"),)
    file = write_page(replace(comparison, standings=kept), tmp_path)
    assert "No network was trained to its end." in Page(file.read_text(encoding="utf-8")).text["p"][0]
