"""Places that can't be written to, or that hold something of the user's, are refused before the work: wrong usage."""

import shutil
from pathlib import Path

import pytest

from cli.conftest import Run
from full_disk import no_file_above

WRITES = [
    "cluster {photos} -o {file} --threshold 0.5",
    "cluster {photos} --table {file} --threshold 0.5",
    "match {photos} {known} --threshold 0.5 -o {file}",
    "match {photos} {known} --threshold 0.5 -o {folder}/matches.csv --matrix {file}.npy",
    "match {photos} {known} --threshold 0.5 -o {folder}/matches.csv --matrix {file}.parquet",
    "evaluate scores {scores} --report {file}",
    "evaluate scores {scores} --csv {file}",
    "evaluate people {photos} --embeddings {folder}/faces.npz -o {file}",
    "evaluate pairs {pairs} --photos {photos} --embeddings {folder}/faces.npz -o {file} --csv {file}-curve",
    "evaluate open-set {photos} --strangers 0.5 --embeddings {folder}/faces.npz -o {file} --csv {file}-curve",
    "evaluate closed-set {photos} --embeddings {folder}/faces.npz -o {file} --csv {file}-curve",
    "evaluate clustering {photos} --embeddings {folder}/faces.npz -o {file} --csv {file}-curve",
    "evaluate course {known} {photos} --threshold 0.5 -o {file}",
]


PAIRS = """\
first,second,mated,fold
person-0001/0001.jpg,person-0001/0002.jpg,1,0
person-0001/0001.jpg,person-0002/0001.jpg,0,0
person-0002/0001.jpg,person-0002/0002.jpg,1,1
person-0002/0002.jpg,person-0003/0001.jpg,0,1
"""


def _arguments(command: str, folder: Path, people: Path, known: Path) -> list[str]:
    scores = folder / "scores.csv"
    scores.write_text("score,mated\n0.9,1\n0.8,1\n0.1,0\n0.2,0\n", encoding="utf-8")
    pairs = folder / "pairs.csv"
    pairs.write_text(PAIRS, encoding="utf-8")
    places = {"scores": scores, "pairs": pairs, "folder": folder, "file": folder / "result"}
    words = command.format(photos=people, known=known, **places)
    return words.split(" ")


@pytest.mark.parametrize("command", WRITES)
def test_the_same_again_replaces_its_own_result(
    run: Run, people: Path, known: Path, tmp_path: Path, command: str
) -> None:
    arguments = _arguments(command, tmp_path, people, known)
    assert run(*arguments).code == 0
    (result, *_) = tmp_path.glob("result*")
    first = result.stat().st_mtime_ns
    assert run(*arguments).code == 0
    assert result.stat().st_mtime_ns > first


@pytest.mark.parametrize("command", [one for one in WRITES if "--matrix" not in one])
def test_a_full_disk_costs_no_earlier_result(run: Run, people: Path, known: Path, tmp_path: Path, command: str) -> None:
    arguments = _arguments(command, tmp_path, people, known)
    assert run(*arguments).code == 0
    result = tmp_path / "result"
    before, beside = result.read_bytes(), sorted(tmp_path.iterdir())
    with no_file_above(len(before) // 2):
        ran = run(*arguments)
    assert ran.code == 3
    assert ran.err.endswith(f"mien: {result} can't be used: File too large.\n")
    assert result.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == beside


@pytest.mark.parametrize("mine", [b"my notes, a week of work\n", b"score,mated\n0.5,1\n", b"<!doctype html>\n<p>mine"])
@pytest.mark.parametrize("command", [*WRITES, "calibrate --people {photos} -o {file}"])
def test_what_is_the_users_is_left_as_it_is(
    run: Run, people: Path, known: Path, tmp_path: Path, command: str, mine: bytes
) -> None:
    arguments = _arguments(command, tmp_path, people, known)
    for name in ("result", "result-curve", "result.npy", "result.parquet"):
        (tmp_path / name).write_bytes(mine)
    ran = run(*arguments)
    assert ran.code == 2
    assert "is there already and is no" in ran.err
    assert all(path.read_bytes() == mine for path in tmp_path.glob("result*"))


@pytest.mark.parametrize(
    ("command", "endings"),
    [
        ("cluster {photos} -o {file}.png", ".html or .htm"),
        ("cluster {photos} --table {file}.xlsx", ".csv or .txt"),
        ("match {photos} {known} -o {file}.parquet", ".csv or .txt"),
        ("match {photos} {known} -o {file} --matrix {file}.csv", ".npy or .parquet"),
        ("evaluate scores {scores} --report {file}.pdf", ".html or .htm"),
        ("evaluate scores {scores} --csv {file}.json", ".csv or .txt"),
        ("evaluate people {photos} -o {file}.parquet", ".csv or .txt"),
        ("calibrate --people {photos} -o {file}.npz", ".json"),
        ("embed {photos} -o {file}.csv", ".npz"),
    ],
)
def test_a_file_is_called_what_it_is(
    run: Run, people: Path, known: Path, tmp_path: Path, command: str, endings: str
) -> None:
    ran = run(*_arguments(command, tmp_path, people, known))
    assert ran.code == 2
    assert f"does not end with {endings}." in " ".join(ran.err.replace("│", " ").split())
    assert not list(tmp_path.glob("result*"))


def test_an_ending_may_be_in_capitals(run: Run, people: Path, known: Path, tmp_path: Path) -> None:
    table, matrix = tmp_path / "F.NPZ", tmp_path / "M.NPY"
    assert run("embed", known, "-o", table).code == 0
    assert run("match", table, known, "-o", tmp_path / "M.CSV", "--matrix", matrix, "--threshold", "0.5").code == 0
    assert matrix.read_bytes().startswith(b"\x93NUMPY")


def test_an_input_is_never_the_output(run: Run, people: Path, known: Path, tmp_path: Path) -> None:
    scores = Path(_arguments("evaluate scores {scores}", tmp_path, people, known)[-1])
    before = scores.read_bytes()
    assert run("evaluate", "scores", scores, "--csv", scores).code == 2
    assert scores.read_bytes() == before
    table = tmp_path / "faces.npz"
    assert run("embed", known, "-o", table).code == 0
    assert run("match", table, known, "-o", table, "--threshold", "0.5").code == 2


@pytest.mark.parametrize("header", ["first,second,score,mated", "first,second,score,mated,fold,person1,person2"])
def test_a_list_of_pairs_that_mien_wrote_is_not_replaced_by_its_own_scores(
    run: Run, people: Path, tmp_path: Path, header: str
) -> None:
    listed, other = tmp_path / "pairs.csv", tmp_path / "other.csv"
    row = "person-0001/0001.jpg,person-0001/0002.jpg,0.5,1" + ",1,a,a" * ("fold" in header)
    listed.write_text(f"{header}\n{row}\n", encoding="utf-8")
    before = listed.read_bytes()
    other.symlink_to(listed)
    for output in (listed, other):
        for option, why in (("-o", "is read, so it can't take a result"), ("--embeddings", "does not end with .npz")):
            ran = run("evaluate", "pairs", listed, "--photos", people, option, output)
            assert ran.code == 2
            assert why in ran.err
    assert listed.read_bytes() == before


def test_the_truth_is_not_replaced_by_the_answers(run: Run, people: Path, known: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text("probe,person,similarity\n0001.jpg,person-0001,\n", encoding="utf-8")
    before = truth.read_bytes()
    ran = run("evaluate", "course", known, people, "--truth", truth, "--threshold", "0.5", "-o", truth)
    assert ran.code == 2
    assert "is read, so it can't take a result" in ran.err
    assert truth.read_bytes() == before


@pytest.mark.parametrize(
    ("option", "header"),
    [
        ("-o", "first,second,score,mated,note"),
        ("-o", "probe,person,similarity_of_mine"),
        ("--csv", "threshold,fmr,note"),
        ("--csv", "measure,value,low,high,note"),
    ],
)
def test_a_table_with_columns_of_the_users_is_left_as_it_is(
    run: Run, people: Path, tmp_path: Path, option: str, header: str
) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text(header + "\n", encoding="utf-8")
    before = mine.read_bytes()
    ran = run("evaluate", "people", people, option, mine)
    assert ran.code == 2
    assert "is there already and is no table" in ran.err
    assert mine.read_bytes() == before


@pytest.mark.parametrize("other", ["x", "d/../x", "link/x"])
def test_one_place_for_two_results(run: Run, people: Path, tmp_path: Path, other: str) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "link").symlink_to(tmp_path)
    ran = run("evaluate", "people", people, "--report", tmp_path / "x", "--csv", tmp_path / other)
    assert ran.code == 2
    assert "can't take two results" in ran.err
    assert not (tmp_path / "x").exists()


def test_drawing_never_replaces_a_photo(run: Run, people: Path, tmp_path: Path) -> None:
    photo, crop = tmp_path / "a.jpg", tmp_path / "crops" / "a-1.png"
    shutil.copy(people / "person-0001/0001.jpg", photo)
    before = photo.read_bytes()
    ran = run("detect", photo, "--draw", tmp_path)
    assert ran.code == 2
    assert "a.jpg is there already" in ran.err
    assert photo.read_bytes() == before
    crop.parent.mkdir()
    shutil.copy(photo, crop)
    assert run("detect", photo, "--crops", crop.parent).code == 2
    assert crop.read_bytes() == before
    crop.unlink()
    for _ in range(2):
        assert run("detect", photo, "--draw", tmp_path / "drawn", "--crops", crop.parent).code == 0
    assert crop.exists()


def test_people_who_are_there_are_not_made_anew(run: Run, people: Path, tmp_path: Path) -> None:
    mine = tmp_path / "person-0001" / "0001.jpg"
    mine.parent.mkdir()
    shutil.copy(people / "person-0002/0001.jpg", mine)
    before = mine.read_bytes()
    ran = run("synth", tmp_path, "--people", "2", "--photos", "1")
    assert ran.code == 2
    assert "was not made by mien" in ran.err
    assert mine.read_bytes() == before


def test_a_report_of_another_is_not_the_demos(run: Run, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("mine", encoding="utf-8")
    assert run("demo", "-o", tmp_path, "--people", "4").code == 2
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    "command",
    [
        ("embed", "{photos}"),
        ("cluster", "{photos}"),
        ("match", "{photos}", "{photos}"),
        ("calibrate", "--people", "{photos}"),
    ],
)
def test_outputs(run: Run, people: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    arguments = [word.format(photos=people) for word in command]
    missing = run(*arguments, "-o", tmp_path / "nowhere" / "x")
    assert missing.code == 2
    assert "does not exist" in missing.err
    assert run(*arguments, "-o", tmp_path).code == 2


def test_a_demo_where_a_file_is_in_the_way(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    ran = run("demo", "-o", tmp_path / "file")
    assert ran.code == 2
    assert "is a file; name a folder" in ran.err


def test_cluster_writes_a_page_and_a_table(run: Run, people: Path, among_synthetic: Path, tmp_path: Path) -> None:
    page, table = tmp_path / "groups.html", tmp_path / "groups.csv"
    options = ("-o", page, "--table", table, "--labelled", "--calibration", among_synthetic, "--json")
    ran = run("cluster", people, *options)
    assert ran.code == 0
    assert len(ran.json["labels"]) == len(ran.json["sources"]) == 18
    assert ran.json["bcubed"]["f"] > 0.9
    assert page.read_text(encoding="utf-8").count("data:image/jpeg") == 18
    assert len(table.read_text(encoding="utf-8").splitlines()) == 19
    assert run("cluster", people, "--people", "6").code == 2
    assert run("cluster", people, "--method", "kmeans", "--people", "6").code == 0


def test_the_demo_runs(run: Run, tmp_path: Path) -> None:
    ran = run("demo", "-o", tmp_path / "demo", "--people", "8", "--seed", "2", "--json")
    assert ran.code == 0
    assert ran.json["people"] == 8
    assert ran.json["known"] == 6
    assert Path(ran.json["report"]).stat().st_size > 50_000
