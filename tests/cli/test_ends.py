"""How commands end where they are stopped, can't say what they have to say, or are wrong themselves."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from typer.testing import CliRunner

from cli.conftest import Run
from mien.cli.app import make_app
from mien.cli.output import print_line

PROGRAM = (sys.executable, "-m", "mien")


@pytest.fixture(params=["buffered", "unbuffered"])
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return {**kept, "PYTHONUNBUFFERED": "1"} if request.param == "unbuffered" else kept


@pytest.mark.parametrize("arguments", [("config", "show"), ("verify", "nowhere", "nowhere", "--json")])
def test_a_reader_who_has_gone_is_no_success(environment: dict[str, str], arguments: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [*PROGRAM, *arguments], stdout=writing, stderr=subprocess.PIPE, text=True, check=False, env=environment
    )
    os.close(writing)
    assert ended.returncode == 141
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("arguments", ["config show", "config show --json", "verify a b --json"])
def test_an_output_that_is_full_is_said(environment: dict[str, str], arguments: str) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*PROGRAM, *arguments.split()], stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environment
        )
    assert ended.returncode == 3
    assert ended.stderr.count("mien: ") == 1
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr


def run_closing(stream: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    shell = ("sh", "-c", f'exec "$@" {stream}>&-', "sh")
    return subprocess.run([*shell, *PROGRAM, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.skipif(os.name != "posix", reason="needs a shell that can close an output")
def test_a_closed_output_is_no_clean_no(people: Path) -> None:
    photo = str(people / "person-0001" / "0001.jpg")
    ended = run_closing("1", "verify", photo, photo, "--threshold", "0.5")
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.skipif(os.name != "posix", reason="needs a shell that can close an output")
def test_what_is_no_result_stays_out_of_it_where_stderr_is_closed() -> None:
    ended = run_closing("2", "verify", "nowhere", "nowhere", "--encoder", "unheard-of", "--json")
    assert ended.returncode == 4
    assert json.loads(ended.stdout)["error"]["code"] == "model.unknown"


@pytest.mark.parametrize("arguments", ["cluster . --method kmeans", "cluster . --people no", "cluster . --fmr 2"])
def test_nothing_is_printed_after_wrong_usage(run: Run, arguments: str) -> None:
    ran = run(*arguments.split(), "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "--" in ran.err


def test_an_error_of_ours_is_no_clean_no(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by us")

    monkeypatch.setattr("mien.cli.verify.make_recognizer", fail)
    ended = CliRunner().invoke(make_app(), ["verify", "a", "b", "--json"])
    assert ended.exit_code == 70
    assert json.loads(ended.stdout)["error"]["message"] == "ZeroDivisionError: by us"
    assert "Traceback" in ended.stderr
    assert "please report it" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        ("enroll Ada a.jpg", False),
        ("enroll --folder people", True),
        ("evaluate people {people}", False),
        ("evaluate people {people} --embeddings {out}/faces.npz", True),
    ],
)
def test_only_what_is_carried_on_says_so(
    run: Run, monkeypatch: pytest.MonkeyPatch, people: Path, tmp_path: Path, arguments: str, kept: bool
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mien.cli.gallery.make_recognizer", interrupt)
    monkeypatch.setattr("mien.cli.evaluate.make_recognizer", interrupt)
    ran = run(*arguments.format(people=people, out=tmp_path).split())
    assert ran.code == 130
    assert ("what was done is kept" in ran.err) == kept


@pytest.mark.parametrize("command", ["detect", "identify", "verify"])
def test_a_name_neither_steers_the_terminal_nor_forges_a_line(
    run: Run, people: Path, tmp_path: Path, command: str
) -> None:
    good, bad = tmp_path / "a\033[31mred\nb: 9 faces.jpg", tmp_path / "no\033[2J\n2 photos are fine.jpg"
    shutil.copy(people / "person-0001" / "0001.jpg", good)
    bad.write_bytes(b"no picture")
    assert run("enroll", "Ada", good).code == 0
    ran = run(command, good, bad)
    assert "\033" not in ran.out + ran.err
    assert not re.search(r"^(b: 9|2 photos)", ran.out + ran.err, re.MULTILINE)
    assert "\\x1b[31mred\\nb: 9 faces.jpg" in ran.out or command == "verify"
    assert run(command, good, bad, "--json").code == ran.code


def test_a_line_keeps_its_cells_apart_and_its_letters(capsys: pytest.CaptureFixture[str]) -> None:
    print_line("Zoë 山", "a\tb", "c\u202ed")
    assert capsys.readouterr().out == "Zoë 山\ta\\tb\tc\\u202ed\n"


def test_ctrl_c_while_the_command_is_loaded() -> None:
    program = """
        import sys
        class Interrupting:
            def find_spec(self, name, path=None, target=None):
                if name == "typer":
                    raise KeyboardInterrupt
        sys.meta_path.insert(0, Interrupting())
        from mien.cli import main
        main()
    """
    ended = subprocess.run([sys.executable, "-c", dedent(program)], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "mien: interrupted.\n")
