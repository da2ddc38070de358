"""Floor 10: the same from a terminal."""

import sys


def main() -> None:
    """Run `mien`."""
    try:
        from mien.cli.app import main as run  # takes a moment, in which Ctrl-C may come
    except KeyboardInterrupt:
        print("mien: interrupted.", file=sys.stderr)
        sys.exit(130)
    run()


__all__ = ["main"]
