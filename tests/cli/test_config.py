import os
from pathlib import Path

import pytest
import typer

from cli.conftest import Run
from mien.cli import config
from mien.cli.app import make_app


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and beside it a user's folder."""
    (tmp_path / "work").mkdir()
    (tmp_path / "user").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(config, "user_config_path", lambda name: tmp_path / "user")
    for name in config.SETTINGS:
        monkeypatch.delenv(config.environment_name(name), raising=False)
    return tmp_path


def test_each_setting_says_where_it_comes_from(run: Run, folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folders / "user/config.toml").write_text('encoder = "dlib"\nfmr = 1e-3\n')
    (folders / "work/mien.toml").write_text("fmr = 1e-5\nflip = true\n")
    for name in config.SETTINGS:
        monkeypatch.delenv(config.environment_name(name), raising=False)
    monkeypatch.setenv("MIEN_FPIR", "0.2")
    shown = run("config", "show", "--json").json
    assert shown["encoder"] == {"value": "dlib", "from": str(folders / "user/config.toml")}
    assert shown["fmr"] == {"value": 1e-5, "from": "mien.toml"}
    assert shown["flip"] == {"value": True, "from": "mien.toml"}
    assert shown["fpir"] == {"value": "0.2", "from": "MIEN_FPIR"}
    assert shown["runtime"] == {"value": "auto", "from": "default"}
    assert set(shown) == set(config.SETTINGS)
    assert "fmr          1e-05" in run("config", "show").out


def test_a_file_decides_where_no_flag_and_no_variable_does(
    run: Run, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = people / "person-0001/0001.jpg", people / "person-0001/0002.jpg"
    Path("mien.toml").write_text("fmr = 0.01\n")

    def threshold(*options: str) -> float:
        return float(run("verify", first, second, "--json", *options).json["threshold"])

    by_file, by_flag = threshold(), threshold("--fmr", "0.0001")
    monkeypatch.setenv("MIEN_FMR", "0.001")
    by_variable = threshold()
    assert by_file < by_variable < by_flag
    assert threshold("--fmr", "0.01") == by_file


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("encoder = ", "can't be read"),
        (f"fmr = {'9' * 5000}", "can't be read: it has a number of thousands of digits"),
        (f"encoder = {'[' * 5000}", "can't be read: it is nested too deeply"),
        (f"encoder = 0x{'f' * 5000}", "can't be read: it has a number of thousands of digits"),
        (f"fmr = 0x{'f' * 5000}", "can't be read: it has a number of thousands of digits"),
        ("colour = 1", "colour, which is no setting"),
        ("fmr = 'low'", "fmr in mien.toml should be a number, not 'low'"),
        ("flip = 1", "flip in mien.toml should be true or false, not 1"),
        ("fmr = 2", "fmr in mien.toml should lie between 0 and 1, not be 2"),
        ("fpir = nan", "fpir in mien.toml should lie between 0 and 1, not be nan"),
    ],
)
@pytest.mark.parametrize("command", [("verify", "a.jpg", "b.jpg"), ("config", "show")])
def test_a_wrong_file_gets_a_sentence(run: Run, content: str, said: str, command: tuple[str, ...]) -> None:
    Path("mien.toml").write_text(content)
    ran = run(*command)
    assert ran.code == 2
    assert said in ran.err


def test_a_pipe_of_that_name_does_not_hang(run: Run) -> None:
    os.mkfifo("mien.toml")
    ran = run("config", "show")
    assert ran.code == 2
    assert "The settings in mien.toml can't be read: it is a pipe or a device, not a file." in ran.err


def test_every_setting_is_an_option_and_a_variable() -> None:
    variables: dict[str, set[str | None]] = {}

    def gather(command: object) -> None:
        for below in getattr(command, "commands", {}).values():
            gather(below)
        for option in getattr(command, "params", []):
            variables.setdefault(option.name, set()).add(option.envvar)

    gather(typer.main.get_command(make_app()))
    for name in config.SETTINGS:
        assert variables[name] - {None} == {config.environment_name(name)}, name
