"""Places that can't be written to are refused before the work, as wrong usage."""

from pathlib import Path

import pytest

from cli.conftest import Run


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
