"""Crops a second from aligned crop to embedding, every encoder in turn."""

import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import table
from mien.faces import NetworkEncoder, open_encoder

CROPS, ROUNDS = 256, 5


def speed_table(cards: dict[str, str]) -> str:
    """Every encoder with and without the mirror image, on all cores, against the first.

    Args:
        cards: Name to card.
    """
    crops = np.random.default_rng(0).integers(0, 256, (CROPS, 112, 112, 3), np.uint8)
    cores = os.cpu_count() or 1
    encoders = {
        (name, flip): open_encoder(card, flip=flip, runtime="onnxruntime")
        for flip, (name, card) in product((False, True), cards.items())
    }
    seconds: dict[tuple[str, bool], list[float]] = {each: [] for each in encoders}
    with ThreadPoolExecutor(cores) as pool:
        for _ in range(ROUNDS + 1):
            for each, encoder in encoders.items():
                assert isinstance(encoder, NetworkEncoder)
                seconds[each].append(_seconds(encoder, np.array_split(crops, 2 * cores), pool))
    median = {each: statistics.median(values[1:]) for each, values in seconds.items()}  # the first warms up
    first = next(iter(cards))
    return (
        f"{CROPS} crops on {cores} cores, from aligned crop to embedding, onnxruntime, every encoder in turn, medians "
        f"of {ROUNDS} rounds; ratios against {first} without mirror images, and with them.\n\n"
        + table(
            ("encoder", "mirror image", "crops/s", f"against {first}", f"against {first} with mirror images"),
            [
                (
                    name,
                    "added" if flip else "",
                    f"{CROPS / median[name, flip]:.0f}",
                    f"{median[first, False] / median[name, flip]:.2f} ×",
                    f"{median[first, True] / median[name, flip]:.2f} ×",
                )
                for name, flip in encoders
            ],
        )
    )


def _seconds(encoder: NetworkEncoder, parts: list[NDArray[np.uint8]], pool: ThreadPoolExecutor) -> float:
    start = time.perf_counter()
    list(pool.map(encoder.embed_crops, parts))
    return time.perf_counter() - start
