"""`mien config`: what the commands take where no option says otherwise, and where that comes from."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from mien.cli.options import JsonOption
from mien.cli.output import ExitCode, Group, print_json, print_line
from mien.errors import ConfigError
from mien.toml_files import read_toml

WORKING_FILE = "mien.toml"


@dataclass(frozen=True)
class Setting:
    """An option that can be set once for all commands that have it.

    Args:
        kind: What TOML must give for it.
        default: What holds where it is set nowhere, in words.
    """

    kind: type
    default: str


SETTINGS = {
    "encoder": Setting(str, "sface"),
    "flip": Setting(bool, "as the encoder's card says"),
    "runtime": Setting(str, "auto"),
    "precision": Setting(str, "f32"),
    "gallery": Setting(str, "a file in your data folder"),
    "calibration": Setting(str, "the one shipped for the encoder"),
    "fmr": Setting(float, "0.0001"),
    "fpir": Setting(float, "0.01"),
}
KINDS = {str: "text", bool: "true or false", float: "a number"}


def environment_name(setting: str) -> str:
    """The environment variable of a setting."""
    return f"MIEN_{setting.upper()}"


def read_settings() -> dict[str, tuple[Any, Path]]:
    """What the files set, and which of them does: `mien.toml` in the working folder before the user's own.

    Raises:
        ConfigError: A file is no TOML, or sets what there is not.
    """
    found: dict[str, tuple[Any, Path]] = {}
    for file in (user_config_path("mien") / "config.toml", Path(WORKING_FILE)):
        found |= {name: (value, file) for name, value in _read(file).items()}
    return found


def defaults_for(command: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """`settings` as the `default_map` of a command of Typer: those that it and the commands below it have.

    An option without a variable, such as the several encoders of a comparison, means something else by the same name.
    """
    if hasattr(command, "commands"):
        return {name: defaults_for(below, settings) for name, below in command.commands.items()}
    return {
        option.name: settings[option.name]
        for option in command.params
        if option.name in settings and option.envvar == environment_name(option.name)
    }


def show(json: JsonOption = False) -> int:
    """Show each setting, its value, and where that comes from: environment, mien.toml, your own file, or the default.

    An option on the command line comes before them all.
    """
    in_files = read_settings()
    rows = {}
    for name, setting in SETTINGS.items():
        value, source = in_files.get(name, (setting.default, "default"))
        if environment_name(name) in os.environ:
            value, source = os.environ[environment_name(name)], environment_name(name)
        rows[name] = {"value": value, "from": str(source)}
    if json:
        print_json(rows)
    else:
        for name, row in rows.items():
            print_line(f"{name:<12} {row['value']!s:<32} {row['from']}")
        print()
        print_line(f"Files: {Path(WORKING_FILE).absolute()}, then {user_config_path('mien') / 'config.toml'}")
    return ExitCode.DONE


def _read(file: Path) -> dict[str, Any]:
    try:
        content = read_toml(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"The settings in {file} can't be read: {error}.", hint="It is a TOML file.") from error
    for name, value in content.items():
        if name not in SETTINGS:
            raise ConfigError(f"{file} sets {name}, which is no setting.", hint=f"There are: {', '.join(SETTINGS)}.")
        kind = SETTINGS[name].kind
        if not isinstance(value, kind) and not (kind is float and type(value) is int):
            raise ConfigError(f"{name} in {file} should be {KINDS[kind]}, not {value!r}.", hint="Mend the file.")
        if isinstance(value, int | float) and kind is float and not 0 < value < 1:
            raise ConfigError(f"{name} in {file} should lie between 0 and 1, not be {value}.", hint="Mend the file.")
    return content


CONFIG = Group("config", "What the commands take where no option says otherwise.", (show,))
