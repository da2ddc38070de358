"""Running commands as a person would, on people who don't exist."""

import json
import os
import subprocess
import sys
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

_INTERRUPTED = """
import os, signal
from mien.cli import main
from mien.recognizer import Recognizer

embed_all = Recognizer.embed_many

def embed_some(*arguments, **options):
    for number, faces in enumerate(embed_all(*arguments, **options)):
        if number == 20:
            os.kill(os.getpid(), getattr(signal, os.environ["STOP"]))
        yield faces

signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background, a shell has it ignored
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and nohup this one
Recognizer.embed_many = embed_some
main()
"""


def interrupt(*arguments: object, by: str = "SIGINT") -> None:
    """Run a command in a process of its own that is stopped after twenty photos, and see it end as it should."""
    command = [sys.executable, "-c", _INTERRUPTED, *map(str, arguments)]
    environment = {**os.environ, "STOP": by}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    assert ended.returncode == 130
    assert "what was done is kept" in ended.stderr


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
