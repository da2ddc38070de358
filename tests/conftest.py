"""Fixtures shared by all tests, and the closing line about real photos that were not there."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import data


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [r for r in terminalreporter.stats.get("skipped", []) if "real photos:" in str(r.longrepr)]
    if skipped:
        terminalreporter.write_line(
            f"{len(skipped)} tests skipped because they need real photos, which are not in {data.ROOT}: "
            "see 'Real photos' in CONTRIBUTING.md for how to get them."
        )
