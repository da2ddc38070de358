"""How alike are two vectors? Each metric as a similarity (greater = more alike) and as a distance."""

from mien.similarity.metric import Metric
from mien.similarity.metrics.chi_square import chi_square
from mien.similarity.metrics.cosine import cosine
from mien.similarity.metrics.euclidean import euclidean
from mien.similarity.metrics.jaccard import jaccard
from mien.similarity.metrics.manhattan import manhattan
from mien.similarity.metrics.minkowski import Minkowski, minkowski
from mien.similarity.metrics.squared_euclidean import squared_euclidean
from mien.similarity.metrics.weighted_jaccard import weighted_jaccard
from mien.similarity.pairs import all_pairs, iter_blocks, pairwise
from mien.similarity.ranking import top_k
from mien.similarity.registry import METRICS

__all__ = [
    "METRICS",
    "Metric",
    "Minkowski",
    "all_pairs",
    "chi_square",
    "cosine",
    "euclidean",
    "iter_blocks",
    "jaccard",
    "manhattan",
    "minkowski",
    "pairwise",
    "squared_euclidean",
    "top_k",
    "weighted_jaccard",
]
