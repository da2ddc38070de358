"""How good a network is on people it never learnt from."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mien.evaluation import Comparisons, VerificationMeasures, verification_measures
from mien.progress import track
from mien.training.data.crop_set import CropSet
from mien.training.trainer.batches import as_network_input
from mien.training.trainer.stranger_pairs import StrangerPairs

MOST_CROPS = 3000
"""Crops that are embedded, drawn where there are more."""
BATCH = 128


def embed_crops(
    network: nn.Module, crops: CropSet, *, flip: bool = False, unit_length: bool = True
) -> NDArray[np.float32]:
    """The embeddings of every crop by a network in evaluation mode: (N, D) float32.

    Args:
        network: Every part is left in the mode in which it was: frozen norms are in another than the rest.
        crops: Of the network's size.
        flip: Add the mirror image's embedding to each.
        unit_length: Bring each to length 1.
    """
    device = next(network.parameters(), torch.empty(0)).device
    modes = [(part, part.training) for part in network.modules()]
    network.eval()
    parts: list[NDArray[np.float32]] = []
    try:
        with torch.inference_mode():
            for batch in track(_inputs(crops, device), "embedding crops", -(-len(crops) // BATCH)):
                embeddings = network(batch) + (network(batch.flip(3)) if flip else 0)
                parts.append((nn.functional.normalize(embeddings) if unit_length else embeddings).float().cpu().numpy())
    finally:
        for part, training in modes:
            part.training = training
    return np.concatenate(parts)


def compare_strangers(network: nn.Module, crops: CropSet, *, seed: int = 0) -> Comparisons:
    """Compare crops of people whom a network doesn't learn from.

    Args:
        network: It is left in the mode in which it was.
        crops: At most `MOST_CROPS` of them are drawn, and of their pairs as many as `StrangerPairs` has.
        seed: Of the draws.
    """
    if len(crops) > MOST_CROPS:
        crops = crops.select(np.sort(np.random.default_rng(seed).choice(len(crops), MOST_CROPS, replace=False)))
    return StrangerPairs(crops.labels, seed=seed).compared(embed_crops(network, crops))


def validate(network: nn.Module, crops: CropSet, *, resamples: int, seed: int = 0) -> VerificationMeasures:
    """What `compare_strangers` comes to, with intervals from `resamples` bootstrap replicates of people."""
    return verification_measures(compare_strangers(network, crops, seed=seed), resamples=resamples, seed=seed)


def _inputs(crops: CropSet, device: torch.device) -> Iterator[torch.Tensor]:
    for start in range(0, len(crops), BATCH):
        pictures = torch.from_numpy(crops.read(np.arange(start, min(start + BATCH, len(crops))))).to(device)
        yield as_network_input(pictures.permute(0, 3, 1, 2)).contiguous(memory_format=torch.channels_last)
