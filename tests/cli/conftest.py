"""Running commands as a person would, on people who don't exist."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mien.cli.app import make_app


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]

INTERRUPTIBLE = (
    "import signal; from mien.cli import main; signal.signal(signal.SIGINT, signal.default_int_handler); main()"
)
"""Python that runs a command which heeds Ctrl-C even where the tests run in the background, which doesn't."""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("MIEN_GALLERY", str(tmp_path / "gallery.db"))
    monkeypatch.setenv("MIEN_RUNTIME", "onnxruntime")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> Ran:
        result = CliRunner().invoke(make_app(), [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert "Traceback" not in result.stderr
        return Ran(result.exit_code, result.stdout, result.stderr)

    return run
