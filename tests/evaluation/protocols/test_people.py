from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from embedded_people import embedded
from fake_recognizer import save_people
from mien.errors import ConfigError
from mien.evaluation import (
    PROTOCOLS,
    Difference,
    Estimate,
    EvaluationProtocol,
    Settings,
    Unsupported,
    evaluate_scores,
    read_score_table,
)
from mien.evaluation.protocols.people import draw_pairs

QUICK = Settings(resamples=20)


def people_of(protocol: EvaluationProtocol) -> dict[str, str]:
    return {name: name.split("/")[0] for name in protocol.photos}


def test_all_pairs(tmp_path: Path) -> None:
    protocol = PROTOCOLS["people"](save_people(tmp_path, 8, 4))
    person = people_of(protocol)
    photos = embedded(person, without=["Person 001/0.png"], noise=1.5)
    evaluation = protocol.evaluate(photos, QUICK)
    pairs = list(combinations(range(len(photos.names)), 2))
    similarity = [float(photos.embeddings[a].astype(np.float64) @ photos.embeddings[b]) for a, b in pairs]
    mated = [person[photos.names[a]] == person[photos.names[b]] for a, b in pairs]
    assert evaluation.verification is not None
    assert isinstance(evaluation.verification.auc, Estimate)
    assert evaluation.verification.auc.value == pytest.approx(roc_auc_score(mated, similarity), abs=2e-3)
    assert evaluation.data.photos_without_face == 1
    assert (evaluation.data.facts["mated"], evaluation.data.facts["pairs"]) == (sum(mated), len(pairs))
    first = {error.kind: error for error in reversed(evaluation.worst)}
    highest = max((s, a, b) for s, (a, b), same in zip(similarity, pairs, mated, strict=True) if not same)
    assert {first["false match"].first, first["false match"].second} == {photos.names[at] for at in highest[1:]}
    assert first["no face"].first == "Person 001/0.png"
    assert first["no face"].first_person == "Person 001"
    of_one = Counter(person[photos.names[a]] for (a, _), same in zip(pairs, mated, strict=True) if same)
    assert evaluation.data.facts["most mated pairs of a person"] == max(of_one.values())


def test_all_pairs_can_be_listed_and_measured_again(tmp_path: Path) -> None:
    protocol = PROTOCOLS["people"](save_people(tmp_path / "people", 8, 4))
    gone = [*(f"Person 003/{photo}.png" for photo in range(4)), "Person 001/0.png", "Person 002/1.png"]
    photos = embedded(people_of(protocol), without=gone, noise=1.5)
    rows = list(protocol.answers(photos, QUICK))
    assert [(row["first"], row["second"]) for row in rows] == list(combinations(protocol.photos, 2))
    listed = tmp_path / "scores.csv"
    lines = [",".join(str(row[key]) for key in ("score", "mated", "person1", "person2")) for row in rows]
    listed.write_text("\n".join(["score,mated,person1,person2", *lines]), encoding="utf-8")
    for failures_are_errors in (False, True):
        settings = Settings(failures_are_errors=failures_are_errors, threshold=0.3, resamples=400)
        again = evaluate_scores(read_score_table(listed), "again", settings).verification
        first = protocol.evaluate(photos, settings).verification
        assert first is not None
        assert again is not None
        for name in ("mated", "non_mated", "mated_failed", "non_mated_failed"):
            assert getattr(first, name) == getattr(again, name)
        assert first.mated_failed == 6 + 3 + 3, "of all pairs, those of a photo without a face"
        assert first.at_threshold is not None
        assert again.at_threshold is not None
        for one, other in (
            (first.auc, again.auc),
            (first.at_threshold.fmr, again.at_threshold.fmr),
            (first.at_threshold.fnmr, again.at_threshold.fnmr),
        ):
            assert isinstance(one, Estimate)
            assert isinstance(other, Estimate)
            assert one.value == pytest.approx(other.value, abs=2e-3)
            assert one.high - one.low == pytest.approx(other.high - other.low, rel=0.3)


def test_encoders_are_compared_on_pairs_drawn_from_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = PROTOCOLS["people"](save_people(tmp_path, 8, 4))
    photos, worse = (embedded(people_of(protocol), noise=noise) for noise in (1.0, 3.0))
    measured = [protocol.evaluate(one, QUICK).verification for one in (photos, worse)]
    better = protocol.compare(photos, worse, QUICK)["auc"]
    assert isinstance(better, Difference)
    areas = [one.auc.value for one in measured if one is not None and isinstance(one.auc, Estimate)]
    assert better.value == pytest.approx(areas[0] - areas[1], abs=4e-3)  # all 48 and 448 pairs are few enough
    monkeypatch.setattr("mien.evaluation.protocols.people.MOST_COMPARED", (20, 30))
    fewer = protocol.compare(photos, worse, QUICK)
    assert fewer["tar_at_far 1e-1"] == Unsupported(
        "not supported by 30 non-mated comparisons: a rate of 1e-1 needs 300"
    )
    alone = PROTOCOLS["people"](save_people(tmp_path / "alone", 4, 1))
    assert not alone.compare(embedded(people_of(alone)), embedded(people_of(alone)), QUICK)


def test_drawn_pairs(tmp_path: Path) -> None:
    save_people(tmp_path, 8, 4)
    protocol = PROTOCOLS["people"](tmp_path, pairs=30, seed=1)
    photos = embedded(people_of(protocol))
    rows = list(protocol.answers(photos, QUICK))
    assert [row["mated"] for row in rows] == [1] * 30 + [0] * 30
    assert rows == list(PROTOCOLS["people"](tmp_path, pairs=30, seed=1).answers(photos, QUICK))
    assert rows != list(PROTOCOLS["people"](tmp_path, pairs=30, seed=2).answers(photos, QUICK))
    evaluation = protocol.evaluate(photos, QUICK)
    assert evaluation.data.facts == {"pairs": 60, "mated": 30, "non-mated": 30, "drawn with": 1}
    difference = protocol.compare(photos, embedded(people_of(protocol), noise=2), QUICK)["auc"]
    assert isinstance(difference, Difference)
    assert difference.value > 0


@given(st.lists(st.integers(1, 6), min_size=2, max_size=8), st.data())
def test_no_pair_is_drawn_twice_and_all_can_be(sizes: list[int], data: st.DataObject) -> None:
    person = {f"{who}/{photo}": f"p{who}" for who, size in enumerate(sizes) for photo in range(size)}
    pairs = list(combinations(person, 2))
    mated = sum(person[a] == person[b] for a, b in pairs)
    if min(mated, len(pairs) - mated) < 1:
        with pytest.raises(ConfigError, match="can't be drawn"):
            draw_pairs(person, 1, 1, seed=0)
        return
    count = data.draw(st.integers(1, mated))
    others = data.draw(st.integers(1, len(pairs) - mated))
    drawn = draw_pairs(person, count, others, seed=data.draw(st.integers(0, 100)))
    found = [frozenset(pair) for pair in zip(drawn.first, drawn.second, strict=True)]
    assert len(set(found)) == count + others
    assert [person[a] == person[b] for a, b in zip(drawn.first, drawn.second, strict=True)] == drawn.mated.tolist()
    assert int(drawn.mated.sum()) == count
    with pytest.raises(ConfigError, match="can't be drawn"):
        draw_pairs(person, mated + 1, others, seed=0)


def test_every_pair_is_drawn_as_often() -> None:
    person = {f"{who}/{photo}": f"p{who}" for who, size in enumerate((2, 3, 1, 4)) for photo in range(size)}
    counts: dict[frozenset[str], int] = {}
    for seed in range(2000):
        drawn = draw_pairs(person, 1, 1, seed=seed)
        for pair in zip(drawn.first, drawn.second, strict=True):
            counts[frozenset(pair)] = counts.get(frozenset(pair), 0) + 1
    mated = [count for pair, count in counts.items() if len({person[name] for name in pair}) == 1]
    others = [count for pair, count in counts.items() if len({person[name] for name in pair}) == 2]
    assert (len(mated), len(others)) == (10, 35)
    for found in (np.array(mated), np.array(others)):
        expected = 2000 / len(found)
        assert (np.abs(found - expected) < 5 * np.sqrt(expected)).all()


@pytest.mark.parametrize("dots", [".", "Person 001/.."])
def test_a_folder_named_by_dots_has_its_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dots: str) -> None:
    monkeypatch.chdir(save_people(tmp_path / "people", 2, 2))
    (tmp_path / "people/pairs.csv").write_text(
        "first,second,mated\nPerson 001/0.png,Person 001/1.png,1\nPerson 001/0.png,Person 002/1.png,0\n", "utf-8"
    )
    for name, path in (("people", dots), ("open-set", dots), ("pairs", f"{dots}/pairs.csv")):
        options = {"strangers": 0.5} if name == "open-set" else {}
        protocol = PROTOCOLS[name](Path(path), **options)
        assert protocol.evaluate(embedded(people_of(protocol)), QUICK).data.name == "people"


def test_one_person_is_too_few(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="photos of 1 person"):
        PROTOCOLS["people"](save_people(tmp_path, 1, 4))
