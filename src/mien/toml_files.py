"""Reads TOML so that whatever is wrong with a file is one of two errors."""

import tomllib
from pathlib import Path
from typing import Any


def read_toml(file: Path) -> dict[str, Any]:
    """What a TOML file says.

    Raises:
        OSError: It can't be read.
        ValueError: It is no TOML, or more than a file may ask of the reader; the message says why.
    """
    text = file.read_text(encoding="utf-8")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:
        raise ValueError("it has a number of thousands of digits") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
