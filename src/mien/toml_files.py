"""Reads TOML so that whatever is wrong with a file is one of two errors."""

import tomllib
from pathlib import Path
from typing import Any

from mien.plain_files import read_text


def read_toml(file: Path) -> dict[str, Any]:
    """What a TOML file says. Every value can be written, so that a message may repeat it.

    Raises:
        OSError: It can't be read.
        ValueError: It is no TOML, or more than a file may ask of the reader; the message says why.
    """
    text = read_text(file)
    try:
        content = tomllib.loads(text)
        repr(content)  # fails at hexadecimal numbers of thousands of digits; those of decimal ones aren't even read
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:
        raise ValueError("it has a number of thousands of digits") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return content
