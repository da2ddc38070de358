"""Run the benchmarks: `python -m benchmarks [speed] [lfw] [detection] [tables] [scale] …`.

Without names it runs all but those that train for half an hour and more: `losses`, `scratch`, `finetune`
and `student`.

Each prints its tables and writes them to docs/results/NAME.md with the date, the machine and the command.
"""

import sys

from benchmarks import (
    center_loss,
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
)
from benchmarks.results import write

BENCHMARKS = {
    "speed": speed.measure,
    "lfw": lfw.measure,
    "detection": detection.measure,
    "tables": tables.measure,
    "scale": scale.measure,
    "heads": heads.measure,
    "mining": mining.measure,
    "center-loss": center_loss.measure,
    "losses": losses.measure,
    "scratch": trained.scratch,
    "finetune": trained.finetune,
    "student": trained.student,
    "transfer": transfer.measure,
    "transfer-methods": transfer_methods.measure,
}

LONG = ("losses", "scratch", "finetune", "student")

for name in sys.argv[1:] or [name for name in BENCHMARKS if name not in LONG]:
    text = BENCHMARKS[name]()
    print(text, flush=True)
    write(name, text)
