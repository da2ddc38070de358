"""How many faces are found: odd sets of photos, and the CMU+MIT scenes with their true boxes."""

from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from benchmarks.results import PHOTOS, table
from mien.errors import MienError
from mien.faces import Detector, Faces
from mien.photos import find_photos

SETS = (
    "att",
    "celeba_test",
    "casia",
    "glint",
    "yale",
    "yale_b",
    "rof/neutral",
    "rof/sunglasses",
    "rof/masked",
    "utkface",
    "oddities",
    "portraits",
)
MOST = 2500
MATCH = 0.4
"""Intersection over union from which a found box is a true one: the scenes' boxes are drawn tighter than YuNet's."""


def measure() -> str:
    """Count faces found in every set, and precision and recall on the scenes."""
    detector = Detector.open()
    rows = []
    for name in SETS:
        paths = find_photos(PHOTOS / name)
        paths = paths[:: max(1, len(paths) // MOST)]
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda path: _detect(detector, path), paths))
        notes = Counter(note for faces in found for note in faces.notes)
        errors = sum(faces.problem is not None for faces in found)
        share = sum(len(faces) > 0 for faces in found) / len(found)
        rows.append(
            (name, len(paths), f"{100 * share:.1f} %", errors, "; ".join(f"{n} × {t}" for t, n in notes.items()))
        )
    scenes = [
        (label, *_scenes(Detector.open(small_faces=small)))
        for label, small in (("as it is", False), ("--small-faces", True))
    ]
    return (
        "# Detection\n\n"
        + table(("set", "photos", "with a face found", "errors", "what it took"), rows)
        + "\n## The CMU+MIT scenes: 130 grey photos, 511 true faces\n\n"
        + table(("", "found", "precision", "recall"), scenes)
    )


def _detect(detector: Detector, path: Path) -> Faces:
    try:
        return detector.detect(path)
    except MienError as problem:
        return Faces(problem=problem)


def _scenes(detector: Detector) -> tuple[int, str, str]:
    truth: dict[str, list[list[float]]] = defaultdict(list)
    for line in (PHOTOS / "scenes" / "ground_truth_bboxes.txt").read_text(encoding="utf-8").splitlines():
        name, *corners = line.split()
        truth[name].append([float(c) for c in corners])
    right = found = 0
    for name, boxes in truth.items():
        faces = detector.detect(PHOTOS / "scenes" / name)
        found += len(faces)
        right += matched(faces.boxes, np.array(boxes, np.float32))
    total = sum(map(len, truth.values()))
    return found, f"{100 * right / found:.1f} %", f"{100 * right / total:.1f} %"


def matched(found: NDArray[np.float32], truth: NDArray[np.float32]) -> int:
    """How many true boxes (x1, y1, x2, y2) have a found box (x, y, w, h) of their own that overlaps them by `MATCH`."""
    if not len(found):
        return 0
    low = np.maximum(found[:, None, :2], truth[None, :, :2])
    high = np.minimum(found[:, None, :2] + found[:, None, 2:], truth[None, :, 2:])
    both = np.clip(high - low, 0, None).prod(axis=2)
    areas = found[:, None, 2:].prod(axis=2) + (truth[None, :, 2:] - truth[None, :, :2]).prod(axis=2)
    overlap = both / (areas - both)
    rows, columns = linear_sum_assignment(-overlap)
    return int((overlap[rows, columns] >= MATCH).sum())
