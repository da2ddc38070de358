"""Which pairs and triplets of a batch a loss learns from, and triplets kept in files.

Miners are called as PyTorch-metric-learning's are, ``miner(embeddings, labels)``, and give its tuples: either library's
losses take either's miners. `mien.training.losses.Triplet` mines by itself, faster, what can be done without lists.
"""

from mien.training.mining.as_laid_out import AsLaidOut
from mien.training.mining.batch_all import BatchAll
from mien.training.mining.batch_hard import BatchHard
from mien.training.mining.distance_weighted import DistanceWeighted, distance_weights
from mien.training.mining.easy_positive import EasyPositive
from mien.training.mining.miner import Miner
from mien.training.mining.multi_similarity_pairs import MultiSimilarityPairs
from mien.training.mining.registry import MINERS, open_miner
from mien.training.mining.semi_hard import HardestSemiHard, SemiHard
from mien.training.mining.triplet_file import Triplets, read_triplets, write_triplets
from mien.training.mining.triplet_search import find_triplets

__all__ = [
    "MINERS",
    "AsLaidOut",
    "BatchAll",
    "BatchHard",
    "DistanceWeighted",
    "EasyPositive",
    "HardestSemiHard",
    "Miner",
    "MultiSimilarityPairs",
    "SemiHard",
    "Triplets",
    "distance_weights",
    "find_triplets",
    "open_miner",
    "read_triplets",
    "write_triplets",
]
