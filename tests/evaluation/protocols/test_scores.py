from pathlib import Path

import numpy as np
import pytest

from mien.errors import InputError
from mien.evaluation import Settings, evaluate_scores, read_score_table, read_scores

QUICK = Settings(resamples=20)


def file(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_two_files(tmp_path: Path) -> None:
    mated = file(tmp_path, "m.txt", "# ours\n0.9\n\n  0.8  \n-1e3\nnan\n")
    scores = read_scores(mated, file(tmp_path, "n.txt", "0.1\r\n0.2\r\n"))
    np.testing.assert_array_equal(scores.similarity, [0.9, 0.8, -1000, np.nan, 0.1, 0.2])
    assert scores.mated.tolist() == [True] * 4 + [False] * 2
    assert (scores.people, scores.fold) == (None, None)


def test_one_file_of_scores_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"scores of one kind only.*evaluate scores .*m\.txt NONMATED\.txt"):
        read_score_table(file(tmp_path, "m.txt", "\n0.9\n0.8\n"))


def test_a_table(tmp_path: Path) -> None:
    text = "score,mated,person1,person2,fold\n0.9,1,a,a,x\n,1,b,b,y\n0.1,0,a,b,y\n"
    scores = read_score_table(file(tmp_path, "s.csv", text))
    np.testing.assert_array_equal(scores.similarity, [0.9, np.nan, 0.1])
    assert scores.people is not None
    assert scores.fold is not None
    assert (scores.people.tolist(), scores.fold.tolist()) == ([[0, 0], [1, 1], [0, 1]], [0, 1, 1])


@pytest.mark.parametrize("bad", ["0,5", "inf", "-inf", "abc", "0.5 0.6", "1e999", "-1e101", "x" * 100])
def test_a_bad_line_is_refused_with_its_number(tmp_path: Path, bad: str) -> None:
    with pytest.raises(InputError, match=r"Line 3 of .*m\.txt is no score"):
        read_scores(file(tmp_path, "m.txt", f"0.5\n\n{bad}\n"), file(tmp_path, "n.txt", "0.1"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("score\n1\n", "should name the columns"),
        ("score,mated\n1,maybe\n", "Line 2"),
        ("score,mated,Score\n1,1,0\n", "names the column score twice"),
        ("score,mated\n1,1\nx,0\n", "Line 3"),
        ("score,mated,person1,person2\n1,1,a,b\n", "Line 2"),
        ("score,mated,person2\n1,1,b\n", "has the column person2 only"),
        ("score,mated,person1,person2\n1,1,a,a\n1,1,,\n", "Line 3 .* doesn't say who is on both photos"),
        ("score,mated,person1,person2\n1,0,a,\n", "Line 2 .* doesn't say who is on both photos"),
    ],
)
def test_a_bad_table(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_score_table(file(tmp_path, "s.csv", text))


def test_labels_as_pandas_writes_them(tmp_path: Path) -> None:
    scores = read_score_table(file(tmp_path, "s.csv", "score,mated\n0.9,1.0\n0.1,0.0\n"))
    assert scores.mated.tolist() == [True, False]


def test_a_bad_label_is_said_to_be_one(tmp_path: Path) -> None:
    path = file(tmp_path, "s.csv", "score,mated\n0.9,1\n0.1,0.5\n")
    with pytest.raises(
        InputError, match=r"Line 3 of .*s\.csv should have the label 1 .* or 0 .*, and has 0\.5"
    ) as said:
        read_score_table(path)
    assert "spaces or tabs" not in str(said.value), "it is a CSV file"


def test_files_without_scores(tmp_path: Path) -> None:
    some = file(tmp_path, "n.txt", "0.1\n")
    with pytest.raises(InputError, match="has no score"):
        read_scores(file(tmp_path, "m.txt", "# nothing\n\n"), some)
    with pytest.raises(InputError, match="can't be read"):
        read_scores(tmp_path / "missing", some)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not text"):
        read_scores(tmp_path / "binary", some)
    with pytest.raises(InputError, match="both kinds"):
        evaluate_scores(read_score_table(file(tmp_path, "s.csv", "score,mated\n1,1\n")), "s", QUICK)


@pytest.mark.parametrize(
    ("mated", "non_mated", "said"),
    [
        ("nan\nNaN\n", "nan\n", "None of the 2 mated scores"),
        ("nan\n", "0.1\n0.2\n", "None of the 1 mated scores"),
        ("0.9\n", "nan\nnan\nnan\n", "None of the 3 non-mated scores"),
    ],
)
@pytest.mark.parametrize("failures_are_errors", [False, True])
def test_comparisons_that_all_failed_are_no_measures(
    tmp_path: Path, mated: str, non_mated: str, said: str, failures_are_errors: bool
) -> None:
    scores = read_scores(file(tmp_path, "m.txt", mated), file(tmp_path, "n.txt", non_mated))
    with pytest.raises(InputError, match=said):
        evaluate_scores(scores, "m and n", Settings(resamples=20, failures_are_errors=failures_are_errors))


def test_folds_are_measured_where_there_are_some(tmp_path: Path) -> None:
    rows = [f"{0.5 + 0.1 * (kind * 2 - 1)},{kind},{fold}" for fold in range(3) for kind in (0, 1)]
    scores = read_score_table(file(tmp_path, "s.csv", "score,mated,fold\n" + "\n".join(rows)))
    evaluation = evaluate_scores(scores, "s", QUICK)
    assert evaluation.folds is not None
    assert evaluation.folds.mean == 1
    assert evaluation.encoder is None
    assert evaluation.data.photos == 0
