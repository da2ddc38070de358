"""Tables of results, and the pages that keep them."""

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from mien import Recognizer
from mien._version import __version__
from mien.cli.options import embed_photos
from mien.evaluation import Measure, Unsupported
from mien.faces import FaceTable

PHOTOS = Path(os.environ.get("MIEN_TEST_PHOTOS", "~/.cache/mien-test-photos")).expanduser()
PAGES = Path(__file__).parent.parent / "docs" / "results"


KEPT = Path("bench-results")


def embedded_set(name: str, encoder: str, *, flip: bool) -> FaceTable:
    """The most central face of every photo of a set, embedded; kept, so that an interrupted run carries on."""
    KEPT.mkdir(exist_ok=True)
    keep = KEPT / f"{name}-{encoder}{'-flip' if flip else ''}.npz"
    return embed_photos(Recognizer(encoder, flip=flip), [str(PHOTOS / name)], face="central", keep=keep)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def percent(measure: Measure) -> str:
    """A share in percent with its interval, or why there is none."""
    if isinstance(measure, Unsupported):
        return measure.reason
    return f"{100 * measure.value:.2f} % ({100 * measure.low:.2f}–{100 * measure.high:.2f})"


def write(name: str, text: str) -> None:
    """Keep a benchmark's answer, with what it was measured on."""
    cpu = next((line.split(":")[1].strip() for line in _cpu_lines() if line.startswith("model name")), "unknown")
    PAGES.mkdir(parents=True, exist_ok=True)
    (PAGES / f"{name}.md").write_text(
        f"{text}\nMeasured {date.today().isoformat()} by `python -m benchmarks {name}` with mien {__version__}, "  # noqa: DTZ011
        f"Python {platform.python_version()}, {os.cpu_count()} cores ({cpu}).\n",
        encoding="utf-8",
    )


def _cpu_lines() -> list[str]:
    info = Path("/proc/cpuinfo")
    return info.read_text(encoding="utf-8").splitlines() if info.exists() else []
