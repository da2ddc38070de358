"""Make the calibrations that mien ships: `make calibrations`. Embeddings are kept, so an interrupted run carries on."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.results import PHOTOS

ROOT = Path(__file__).parent.parent
KEPT = ROOT / "bench-results"
SHIPPED = ROOT / "src" / "mien" / "decisions" / "calibrations"
SYNTHETIC = ROOT / "src" / "mien" / "demo" / "sface-synthetic.json"
LFW = tuple((name, flip) for name in ("sface", "dlib", "fusion") for flip in (False, True))


def main() -> None:
    """Calibrate every shipped encoder on LFW, and SFace on people who don't exist."""
    KEPT.mkdir(exist_ok=True)
    for encoder, flip in LFW:
        name = f"{encoder}{'-flip' if flip else ''}"
        title = f"{encoder}{' with flip' if flip else ''} on LFW"
        _calibrate(
            PHOTOS / "lfw", name, SHIPPED / f"{name}-lfw.json", title, encoder, "--flip" if flip else "--no-flip"
        )
    people = KEPT / "synthetic"
    _mien("synth", people, "--people", 1000, "--photos", 3, "--seed", 1)
    _calibrate(people, "synthetic", SYNTHETIC, "SFace on 1,000 people who don't exist", "sface", "--no-flip")


def _calibrate(people: Path, kept: str, output: Path, title: str, encoder: str, flip: str) -> None:
    table = KEPT / f"lfw-{kept}.npz"
    options = ["--name", title, "--encoder", encoder, flip, "--embeddings", table]
    _mien("calibrate", "--people", people, "-o", output, *options)


def _mien(*arguments: object) -> None:
    command = [sys.executable, "-c", "from mien.cli import main; main()", *map(str, arguments)]
    subprocess.run(command, check=True, env=os.environ)


if __name__ == "__main__":
    main()
