"""Run the benchmarks: `python -m benchmarks [speed] [lfw] [detection] [tables] [scale] …`.

Without names it runs all but those that train for long: `losses`, `synthetic`, `scratch`, `finetune` and `student`.

Each prints its tables and writes them to docs/results/NAME.md with the date, the machine and the command.
"""

import sys

from benchmarks import (
    center_loss,
    coverage,
    detection,
    heads,
    lfw,
    losses,
    mining,
    scale,
    speed,
    tables,
    trained,
    transfer,
    transfer_methods,
    which_photos,
)
from benchmarks.results import write

BENCHMARKS = {
    "speed": speed.measure,
    "lfw": lfw.measure,
    "detection": detection.measure,
    "tables": tables.measure,
    "scale": scale.measure,
    "coverage": coverage.measure,
    "heads": heads.measure,
    "mining": mining.measure,
    "center-loss": center_loss.measure,
    "losses": losses.measure,
    "synthetic": which_photos.synthetic_beside_real,
    "scratch": trained.scratch,
    "finetune": trained.finetune,
    "student": trained.student,
    "transfer": transfer.measure,
    "transfer-methods": transfer_methods.measure,
}

LONG = ("losses", "synthetic", "scratch", "finetune", "student")

for name in sys.argv[1:] or [name for name in BENCHMARKS if name not in LONG]:
    text = BENCHMARKS[name]()
    print(text, flush=True)
    write(name, text)
