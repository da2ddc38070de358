"""The embeddings of a batch, two by two: how far apart, who is mated with whom, and which of them a miner chose."""

from mien.training.losses.pairs.distances import DISTANCES, Distance, Distances, alike, cosine_matrix
from mien.training.losses.pairs.indices import all_triplets, as_pairs, as_triplets, joined
from mien.training.losses.pairs.masks import as_masks, mated_and_not

__all__ = [
    "DISTANCES",
    "Distance",
    "Distances",
    "alike",
    "all_triplets",
    "as_masks",
    "as_pairs",
    "as_triplets",
    "cosine_matrix",
    "joined",
    "mated_and_not",
]
