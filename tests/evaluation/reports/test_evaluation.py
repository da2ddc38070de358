import base64
import io
import re
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from html_page import Page
from mien.decisions.measured import EncoderIdentity
from mien.evaluation.evaluation import ErrorKind, Evaluation, EvaluationData, WorstError
from mien.evaluation.measures.closed_set import closed_set_measures
from mien.evaluation.measures.clustering import clustering_measures
from mien.evaluation.measures.differences import Difference, compare_verification
from mien.evaluation.measures.estimate import Estimate, Unsupported
from mien.evaluation.measures.folds import FoldedAccuracy
from mien.evaluation.measures.identification import IdentificationMeasures, identification_measures
from mien.evaluation.measures.verification import VerificationMeasures, verification_measures
from mien.evaluation.reports import render_evaluation
from mien.evaluation.scores.comparisons import Comparisons
from mien.evaluation.scores.searches import Searches

NUMBER = r"−?[\d.]+(?:e-?\d+)?"


def no_photo(_: str) -> None:
    return None


def scored(seed: int = 0, apart: float = 3.0) -> Comparisons:
    """400 mated and 4,000 non-mated comparisons of unknown people."""
    rng = np.random.default_rng(seed)
    similarity = np.concatenate([rng.normal(apart, 1, 400), rng.normal(0, 1, 4000)])
    return Comparisons(similarity / 10, np.arange(4400) < 400)


def evaluated(name: str = "made-up", **more: Any) -> Evaluation:
    data = EvaluationData("some photos", 30, 120, 0, "c0ffee" * 10, {"pairs": 4400})
    made = {
        "command": "mien evaluate pairs list.csv",
        "seed": 7,
        "date": "2026-11-25",
        "version": "9.8",
        "numpy": "2.9.9",
    }
    whole: dict[str, Any] = {"data": data, "encoder": EncoderIdentity(name, "f00d" * 16), "made": made}
    return Evaluation("pairs", "Some pairs", "How often are pairs told right?", **(whole | more))


@cache
def measured(seed: int, threshold: float | None) -> VerificationMeasures:
    return verification_measures(scored(seed), threshold=threshold, resamples=20)


def verified(name: str = "made-up", seed: int = 0, threshold: float | None = None, **more: Any) -> Evaluation:
    return evaluated(name, verification=measured(seed, threshold), **more)


def searched(mated: int, strangers: int, threshold: float | None = None) -> IdentificationMeasures:
    """Every third mated probe is found second; the others' mates and the strangers' best are evenly spread."""
    count = mated + strangers
    best = np.linspace(0.9, 0.1, count, dtype=np.float32)
    found = np.where(np.arange(mated) % 3 == 2, 1, 0)
    return identification_measures(
        Searches(
            similarity=np.stack([best, best / 2], axis=1),
            candidate=np.zeros((count, 2), np.int64),
            mate=np.array([0] * mated + [-1] * strangers, np.int64),
            mate_similarity=np.concatenate([best[:mated], np.full(strangers, np.nan)]).astype(np.float32),
            mate_rank=np.concatenate([found, np.full(strangers, -1)]).astype(np.int64),
            person=np.arange(count),
            probes=np.arange(count),
            gallery_people=60,
            gallery_templates=90,
        ),
        threshold=threshold,
        resamples=30,
    )


def rendered(*evaluations: Evaluation, **more: Any) -> Page:
    return Page(render_evaluation(evaluations, photo=more.pop("photo", no_photo), **more))


def shows(text: str, measure: Any, scale: float = 100) -> None:
    """The text begins with the measure and its interval, rounded to at least two digits of the interval's width."""
    assert isinstance(measure, Estimate), measure
    found = [float(number.replace("−", "-")) for number in re.findall(NUMBER, text)[:3]]
    width = scale * (measure.high - measure.low)
    np.testing.assert_allclose(
        found, [scale * measure.value, scale * measure.low, scale * measure.high], atol=max(0.05 * width, 5e-5)
    )


def test_the_figures_are_those_of_the_comparisons() -> None:
    scores = scored()
    evaluation = verified(threshold=0.15)
    page = rendered(evaluation)
    mated, others = np.split(scores.similarity, [400])
    fmr, fnmr = float((others >= 0.15).mean()), float((mated < 0.15).mean())
    assert float(page.row("false match rate")[0].split()[0]) == pytest.approx(100 * fmr, abs=0.051)
    assert float(page.row("false non-match rate")[0].split()[0]) == pytest.approx(100 * fnmr, abs=0.51)
    measures = evaluation.verification
    assert measures is not None
    assert measures.at_threshold is not None
    shows(page.row("false match rate")[0], measures.at_threshold.fmr)
    shows(page.row("at FMR 1e-2")[0], measures.fnmr_at_fmr["1e-2"])
    lowest = min(one for one in np.sort(others) if (others >= one).mean() <= 0.01)
    assert page.row("at FMR 1e-2")[0].endswith(f"threshold {lowest:.4f}")
    shows(page.row("equal error rate")[0], measures.eer)
    shows(page.row("area under the ROC curve")[0], measures.auc, scale=1)
    shows(page.row("d′")[0], measures.d_prime, scale=1)
    assert page.row("mated") == ["400"]
    assert page.row("non-mated") == ["4,000"]
    assert page.row("threshold") == ["0.1500"]


def test_it_begins_with_what_was_measured_and_the_figures_that_matter() -> None:
    page = rendered(verified())
    assert page.text["h1"] == ["Some pairs"]
    paragraphs = [" ".join(text.split()) for text in page.text["p"]]
    assert paragraphs[0] == "How often are pairs told right?"
    assert paragraphs[1] == "Measured on some photos: 30 people, 120 photos. Encoder: made-up."
    headings = page.text["h2"]
    assert headings[:4] == ["FNMR at FMR 1e-2", "FNMR at FMR 1e-3", "equal error rate", "area under ROC"]
    assert "of mated comparisons missed, where 1 in 100 non-mated ones match" in paragraphs


def test_it_does_not_begin_with_a_figure_that_says_nothing() -> None:
    measures = replace(
        measured(0, None),
        fnmr_at_fmr={
            "1e-1": Estimate(0.1, 0.05, 0.2),
            "1e-2": Estimate(0.2, 0.15, 0.3),
            "1e-3": Estimate(0.3, 0.0, 1.0),
            "1e-4": Unsupported("too few"),
        },
    )
    page = rendered(evaluated(verification=measures))
    assert page.text["h2"][:2] == ["FNMR at FMR 1e-2", "FNMR at FMR 1e-4"]
    assert page.row("at FMR 1e-3")[0].startswith("30 % 0 to 100 %")


def test_no_refusal_is_left_out() -> None:
    evaluation = verified(threshold=0.15, identification=searched(40, 40))
    text = " ".join(rendered(evaluation).text["body"][0].split())
    refusals = [*_refusals(evaluation.verification), *_refusals(evaluation.identification)]
    assert len(refusals) > 8
    for reason in refusals:
        assert f"no figure {reason}" in text


def _refusals(measures: VerificationMeasures | IdentificationMeasures | None) -> list[str]:
    assert measures is not None
    values = [
        getattr(measures, field.name) for field in fields(measures) if field.name not in {"tar_at_far", "dir_at_far"}
    ]
    all_of_them = [one for value in values for one in (value.values() if isinstance(value, dict) else [value])]
    return [one.reason for one in all_of_them if isinstance(one, Unsupported)]


def test_several_encoders_stand_beside_each_other() -> None:
    one, other = verified("first"), verified("second", seed=1)
    page = rendered(one, other)
    assert one.verification
    assert other.verification
    for cell, measures in zip(page.row("equal error rate"), (one.verification, other.verification), strict=True):
        shows(cell, measures.eer)
    headings = page.text["h3"]
    assert headings.count("ROC") == headings.count("DET") == 1
    assert headings.count("Similarities, first") == headings.count("Similarities, second") == 1
    legends = [" ".join(words.split()) for words in page.text["ul"]]
    assert legends == ["first second"] * 3
    assert page.text["h1"] == ["Some pairs: first, second"]


def test_each_encoder_has_its_own_threshold_in_use() -> None:
    page = rendered(verified("first", threshold=0.15), verified("second", seed=1, threshold=0.2))
    assert page.row("threshold") == ["0.1500", "0.2000"]
    start = page.text["h2"].index("FMR in use")
    text = " ".join(page.text["section"][0].split())
    assert start > 0
    assert text.count("threshold 0.1500") == text.count("threshold 0.2000") == 2


def test_encoders_of_one_name_are_told_apart() -> None:
    page = rendered(verified("same"), verified("same", seed=1), verified("other"))
    assert page.text["h1"] == ["Some pairs: same (1), same (2), other"]


def test_different_data_is_said() -> None:
    one = verified("first")
    elsewhere = replace(one.data, list_sha256="0" * 64)
    assert "Not the same data." not in rendered(one, verified("second")).text["body"][0]
    assert "Not the same data." in rendered(one, verified("second", data=elsewhere)).text["body"][0]


def test_differences_say_who_is_better() -> None:
    differences: dict[str, Difference | Unsupported] = {
        "auc": Difference(0.01, 0.002, 0.02, 0.004),
        "eer": Difference(0.01, 0.002, 0.02, 0.004),
        "tar_at_far 1e-2": Difference(-0.001, -0.02, 0.018, 0.9),
        "tar_at_far 1e-6": Unsupported("not supported by so few"),
        "fnir_at_fpir 0.01": Difference(-0.25, -0.3, -0.2, 0.0004),
    }
    page = rendered(verified("first"), verified("second"), differences={(0, 1): differences})
    assert "first less second" in page.text["h3"]
    assert next(row[1:] for row in page.rows if row[0] == "area under the ROC curve") == [
        "+0.010 +0.002 to +0.020",
        "0.004",
        "first",
    ]
    assert next(row[1:] for row in page.rows if row[0] == "equal error rate") == [
        "+1.0 points +0.2 to +2.0",
        "0.004",
        "second",
    ]
    assert page.row("true match rate at FMR 1e-2") == ["−0.1 points −2.0 to +1.8", "0.900", "not clear"]
    assert page.row("true match rate at FMR 1e-6") == ["no figure not supported by so few", "", ""]
    assert page.row("FNIR at FPIR 0.01") == ["−25 points −30 to −20", "0.0004", "first"]


def test_unmeasured_differences_are_said() -> None:
    said = "Whether these differ by more than chance was not measured"
    assert said in rendered(verified("first"), verified("second")).text["body"][0]
    assert said not in rendered(verified()).text["body"][0]


def test_every_difference_that_is_measured_has_a_row() -> None:
    differences = compare_verification(scored(), scored(1), resamples=20)
    page = rendered(verified("first"), verified("second", seed=1), differences={(0, 1): differences})
    start = page.rows.index(["measure", "difference, 95 % interval", "p-value", "better"])
    assert len([row for row in page.rows[start + 1 :] if len(row) == 4]) == len(differences)


def test_searches() -> None:
    measures = searched(mated=600, strangers=900, threshold=0.5)
    page = rendered(evaluated(identification=measures))
    assert page.text["h2"][:3] == ["found at rank 1", "FNIR at FPIR 0.1", "FNIR at FPIR 0.01"]
    shows(page.row("found at rank 1")[0], measures.rank_1)
    assert float(page.row("found at rank 1")[0].split()[0]) == pytest.approx(100 * 2 / 3, abs=0.5)
    shows(page.row("at FPIR 0.1")[0], measures.fnir_at_fpir["0.1"])
    assert measures.at_threshold
    shows(page.row("FPIR")[0], measures.at_threshold.fpir)
    shows(page.row("FNIR")[0], measures.at_threshold.fnir)
    assert page.row("people in the gallery") == ["60"]
    assert page.row("templates in the gallery") == ["90"]
    assert page.row("probes of strangers") == ["900"]
    headings = page.text["h3"]
    assert "Cumulative match characteristic" in headings
    assert "Known people missed, strangers taken for somebody" in headings
    assert "ROC" not in headings
    assert "these figures hold for 60 people" in " ".join(page.text["body"][0].split())


@pytest.mark.parametrize(
    ("mated", "strangers", "drawn", "refused"),
    [
        (3, 3, 2, []),
        (3, 0, 1, ["No FNIR against FPIR of made-up"]),
        (0, 3, 0, ["No cumulative match characteristic of made-up", "No FNIR against FPIR of made-up"]),
    ],
)
def test_a_figure_that_cannot_be_drawn_says_why(mated: int, strangers: int, drawn: int, refused: list[str]) -> None:
    page = rendered(evaluated(identification=searched(mated, strangers)))
    assert len([svg for svg in page.all("svg") if svg.get("role") == "img"]) == drawn
    assert [heading for heading in page.text["h3"] if heading.startswith("No ")] == refused


@pytest.mark.parametrize(
    ("similarity", "mated", "headings"),
    [
        ([0.4, 0.1], [True, False], ["Similarities", "Error rates at each threshold", "ROC", "DET"]),
        ([0.4, 0.4], [True, False], ["Similarities", "Error rates at each threshold", "ROC", "DET"]),
        (
            [0.4],
            [True],
            ["Similarities", "Error rates at each threshold", "No ROC, DET, precision and recall of made-up"],
        ),
        (
            [0.4],
            [False],
            ["Similarities", "Error rates at each threshold", "No ROC, DET, precision and recall of made-up"],
        ),
    ],
)
def test_hardly_anything_to_compare(similarity: list[float], mated: list[bool], headings: list[str]) -> None:
    measures = verification_measures(Comparisons(np.array(similarity), np.array(mated)), resamples=5)
    page = rendered(evaluated(verification=measures))
    assert page.text["h3"][: len(headings)] == headings
    assert "not supported by" in page.text["body"][0]


def test_nothing_was_measured() -> None:
    page = rendered(evaluated())
    assert "nothing was measured" in page.text["body"][0]
    assert not page.all("svg")
    with pytest.raises(ValueError, match="no evaluation"):
        render_evaluation([], photo=no_photo)


def test_folds() -> None:
    folds = FoldedAccuracy(np.array([0.9, 0.95, 1.0]), np.array([0.31, 0.32, -0.5]), missed=4)
    page = rendered(verified(folds=folds))
    assert page.row("1") == ["90.00 % at 0.3100"]
    assert page.row("3") == ["100.00 % at −0.5000"]
    assert page.row("mean") == ["95.00 % ± 2.89 standard error 4 without a similarity, counted as wrong"]
    assert page.text["h2"][0] == "accuracy"


def test_classification_and_clustering() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(4, 8))
    people = [f"p{at % 4}" for at in range(40)]
    vectors = (centres[np.arange(40) % 4] + rng.normal(0, 0.9, (40, 8))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    classified = closed_set_measures(vectors[:20], people[:20], vectors[20:], people[20:])
    clustered = clustering_measures([0, 0, 1, 1, 2], ["a", "a", "b", "c", "c"], resamples=20)
    page = rendered(evaluated(closed_set=classified, clustering=clustered))
    for name, shares in classified.classifiers.items():
        accuracy, top_5 = [row[1] for row in page.rows if row[0] == name]
        shows(accuracy, shares.accuracy)
        shows(top_5, shares.top_5)
    assert classified.confusions
    first = classified.confusions[0]
    assert [first.person, first.taken_for, str(first.probes)] in page.rows
    shows(page.row("BCubed F")[0], clustered.bcubed_f)
    shows(page.row("normalised mutual information")[0], clustered.nmi, scale=1)
    assert page.row("groups") == ["3"]


def shades(page: Page) -> list[int]:
    return [
        int(np.asarray(Image.open(io.BytesIO(base64.b64decode(str(image["src"]).split(",")[1])))).mean())
        for image in page.all("img")
    ]


def test_the_worst_errors_and_their_photos() -> None:
    worst = [
        WorstError("no face", None, "z/blank.jpg", None, "Zoe", None),
        WorstError("false non-match", -0.25, "c/1.jpg", "c/2.jpg", "Cai", "Cai"),
        WorstError("false match", 0.75, "a/1.jpg", "b/1.jpg", "Ada", "Ben"),
        WorstError("wrong person", 0.6, "a/1.jpg", "gone.jpg", "Ada", None),
    ]
    grey = {"z/blank.jpg": 10, "c/1.jpg": 60, "c/2.jpg": 110, "a/1.jpg": 160, "b/1.jpg": 210}
    asked = []

    def photo(name: str) -> NDArray[np.uint8] | None:
        asked.append(name)
        return np.full((400, 300, 3), grey[name], np.uint8) if name in grey else None

    page = rendered(verified(worst=worst), photo=photo)
    assert sorted(asked) == sorted([*grey, "gone.jpg"])
    np.testing.assert_allclose(shades(page), [160, 210, 60, 110, 160, 10], atol=2)
    assert page.text["h3"][-4:] == ["False matches", "False non-matches", "Wrong person", "No face found"]
    assert [image["alt"] for image in page.all("img")][:2] == ["Photo 1.jpg", "Photo 1.jpg"]
    captions = [" ".join(text.split()) for text in page.text["figcaption"]][-3:]
    assert captions == ["similarity 0.7500", "similarity −0.2500", "similarity 0.6000"]
    text = " ".join(page.text["body"][0].split())
    assert text.count("photo not at hand") == 1
    assert text.index("Ada") < text.index("Ben") < text.index("Cai") < text.index("Zoe")
    assert "wrong labels" in text


def test_the_page_stays_small_however_many_errors_there_are() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 30, 3), dtype=np.uint8)
    busy = np.asarray(Image.fromarray(noise).resize((600, 600), Image.Resampling.BICUBIC))  # more than a face has
    kinds: tuple[ErrorKind, ...] = ("false match", "false non-match", "wrong person", "missed", "no face")
    worst = [
        WorstError(kind, 0.5, f"{kind}{at}a", None if kind == "no face" else f"{kind}{at}b", "x", "y")
        for kind in kinds
        for at in range(500)
    ]
    text = render_evaluation([verified("a", worst=worst), verified("b", worst=worst)], photo=lambda _: busy)
    assert len(text) < 3_000_000
    assert text.count("12 of 500 are shown.") == 10
    assert len(Page(text).all("img")) == 2 * 12 * 9


def test_names_are_only_text() -> None:
    bad = ["<script>alert(1)</script>", '"onerror="alert(1)', "{{ 7 * 7 }}", "a&b<b>'$x^2$", "\udcff</svg>"]
    worst = [WorstError("false match", 0.5, f"{one}.jpg", one, one, one) for one in bad]
    data = EvaluationData(bad[0], 1, 1, 0, bad[0], {bad[0]: bad[1], bad[4]: bad[3]})
    evaluations = [
        verified(one, worst=worst, data=data, made={"command": one, one: one}, calibration={one: one}) for one in bad
    ]
    evaluations = [replace(one, title=bad[0], question=bad[0]) for one in evaluations]
    text = render_evaluation(evaluations, photo=lambda _: np.zeros((8, 8, 3), np.uint8))
    page = Page(text)
    assert not page.all("script")
    assert not page.all("b<b>")
    allowed = {"src", "alt", "loading", "decoding"}
    assert {key for image in page.all("img") for key in image} == allowed
    assert all(not key.startswith("on") for _, attributes in page.tags for key in attributes)
    assert "49" not in [word for heading in page.text["h3"] for word in heading.split()]
    assert bad[0] in page.text["h1"][0]
    for one in bad:
        assert f"Similarities, {one}" in page.text["h3"]


def test_nothing_is_loaded_from_elsewhere() -> None:
    worst = [WorstError("false match", 0.5, "a.jpg", "b.jpg", "a", "b")]
    text = render_evaluation(
        [verified(worst=worst, identification=searched(40, 40))], photo=lambda _: np.zeros((8, 8, 3), np.uint8)
    )
    page = Page(text)
    assert "http" not in text
    assert "@import" not in text
    assert {found[:1] for found in re.findall(r"url\((.)", text)} <= {"#"}
    assert not {"script", "link", "iframe", "object", "embed", "base"} & {tag for tag, _ in page.tags}
    for _, attributes in page.tags:
        for key, value in attributes.items():
            if key in {"src", "href", "xlink:href"}:
                assert str(value).startswith(("data:image/jpeg;base64,", "#"))


def test_it_can_be_made_again() -> None:
    page = rendered(verified(calibration={"name": "lfw", "data": {"people": 5749}}))
    facts = dict(zip(page.text["dt"], page.text["dd"], strict=True))
    assert facts["command"] == "mien evaluate pairs list.csv"
    assert facts["seed"] == "7"
    assert facts["date"] == "2026-11-25"
    assert facts["numpy"] == "2.9.9"
    assert facts["mien"] == "9.8"
    assert facts["pairs"] == "4,400"
    assert facts["encoder hash"] == "f00d" * 16
    assert facts["hash of the photo list"] == "c0ffee" * 10
    assert facts["calibration name"] == "lfw"
    assert facts["calibration data people"] == "5,749"
    assert "on these very photos" in page.text["body"][0]
    assert "on these very photos" not in rendered(verified()).text["body"][0]


def test_the_same_measures_give_the_same_page() -> None:
    evaluation = verified(identification=searched(40, 40))
    assert render_evaluation([evaluation], photo=no_photo) == render_evaluation([evaluation], photo=no_photo)


def test_words_are_explained_where_they_are_used() -> None:
    both = {"False match rate, FMR", "False positive identification rate, FPIR"}
    assert both & set(rendered(verified()).text["dt"]) == {"False match rate, FMR"}
    searches = rendered(evaluated(identification=searched(5, 5)))
    assert both & set(searches.text["dt"]) == {"False positive identification rate, FPIR"}
    unknown = replace(verified().data, people=None)
    assert "count as independent" not in rendered(verified()).text["body"][0]
    assert "count as independent" in rendered(verified(data=unknown)).text["body"][0]


def test_every_figure_and_table_is_named_for_those_who_cannot_see_it() -> None:
    page = rendered(verified("first"), verified("second"))
    for svg in page.all("svg"):
        assert svg.get("aria-hidden") == "true" or (svg["role"] == "img" and len(str(svg["aria-label"])) > 20)
    assert all(region["aria-label"] for region in page.all("div") if region.get("role") == "region")
    assert all(header["scope"] for header in page.all("th"))


def test_figures_take_the_colours_of_the_page() -> None:
    text = render_evaluation([verified("first"), verified("second")], photo=no_photo)
    drawings = "".join(re.findall(r"<svg role.*?</svg>", text, flags=re.DOTALL))
    assert drawings.count("<path") > 50
    assert set(re.findall(r"#[0-9a-f]{6}\b", drawings)) == set()
    for place in ("var(--series-1)", "var(--series-2)", "var(--accent)", "var(--no)", "var(--soft)"):
        assert place in drawings


def test_curves_have_no_more_points_than_show() -> None:
    scores = scored()
    measures = verification_measures(Comparisons(scores.similarity, scores.mated), resamples=5)
    assert len(measures.curve.fmr) > 800
    text = render_evaluation([evaluated(verification=measures)], photo=no_photo)
    assert max(path.count("L") for path in re.findall(r'<path d="([^"]*)"', text)) <= 2 * 400
    assert len(text) < 250_000


def themes(text: str) -> Sequence[dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\}", text, flags=re.DOTALL)[:2]
    return [dict(re.findall(r"--([\w-]+): (#\w+);", theme)) for theme in (light, dark)]


@pytest.mark.parametrize("theme", [0, 1])
def test_everything_can_be_read_in_light_and_dark(theme: int) -> None:
    colours = themes(render_evaluation([verified()], photo=no_photo))[theme]
    for background in ("paper", "card"):
        for words in ("ink", "soft", "yes", "no", "unsure", "accent"):
            assert contrast(colours[words], colours[background]) >= 4.5, (words, background)
        for at in range(1, 7):
            assert contrast(colours[f"series-{at}"], colours[background]) >= 3, (at, background)


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2."""

    def luminance(colour: str) -> float:
        channels = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)
