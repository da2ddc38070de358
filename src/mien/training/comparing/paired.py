"""Whether two runs differ by more than chance, on the same comparisons of the same strangers."""

import hashlib
import json
from pathlib import Path

import numpy as np

from mien.evaluation import Difference, Unsupported, compare_verification
from mien.training.comparing.run_measures import STRANGERS
from mien.training.trainer.stranger_pairs import StrangerPairs
from mien.whole_files import write_whole

COMPARED_PAIRS = (5_000, 15_000)
"""Mated and non-mated pairs that two runs are compared on."""
RESAMPLES = 200


def ahead(pairs: StrangerPairs, first: Path, second: Path, name: str) -> Difference | Unsupported:
    """How much greater the true match rate at a false match rate of 1e-2 is by the first run than by the second.

    It takes seconds, so it is kept in the first run's folder, and made anew once either run or the pairs are others.

    Args:
        pairs: What both are compared on.
        first: A run's folder.
        second: Another's.
        name: What the other is called in the name of the file.
    """
    file, made_of = first / f"ahead-of-{name}.json", _made_of(pairs, first, second)
    if file.exists():
        content = json.loads(file.read_text(encoding="utf-8"))
        if content.pop("made_of", None) == made_of:
            return Unsupported(content["unsupported"]) if "unsupported" in content else Difference(**content)
    one, other = (pairs.compared(np.load(folder / STRANGERS)) for folder in (first, second))
    found = compare_verification(one, other, resamples=RESAMPLES)["tar_at_far 1e-2"]
    write_whole(file, json.dumps({**found.to_dict(), "made_of": made_of}) + "\n")
    return found


def _made_of(pairs: StrangerPairs, first: Path, second: Path) -> str:
    """Short hash over all that the difference depends on."""
    digest = hashlib.blake2b(str(RESAMPLES).encode(), digest_size=6)
    for array in (pairs.photos, pairs.people):
        digest.update(array.tobytes())
    for folder in (first, second):
        digest.update((folder / STRANGERS).read_bytes())
    return digest.hexdigest()
