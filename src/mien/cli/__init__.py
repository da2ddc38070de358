"""Floor 10: the same from a terminal."""

from mien.cli.app import main

__all__ = ["main"]
