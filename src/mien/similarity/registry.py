"""The metrics, by name: a new one is a file in `metrics/` and a line here."""

from mien.similarity.metric import Metric
from mien.similarity.metrics.chi_square import chi_square
from mien.similarity.metrics.cosine import cosine
from mien.similarity.metrics.euclidean import euclidean
from mien.similarity.metrics.jaccard import jaccard
from mien.similarity.metrics.manhattan import manhattan
from mien.similarity.metrics.minkowski import minkowski
from mien.similarity.metrics.squared_euclidean import squared_euclidean
from mien.similarity.metrics.weighted_jaccard import weighted_jaccard

METRICS: dict[str, Metric] = {
    "chi_square": chi_square,
    "cosine": cosine,
    "euclidean": euclidean,
    "jaccard": jaccard,
    "manhattan": manhattan,
    "minkowski": minkowski,
    "squared_euclidean": squared_euclidean,
    "weighted_jaccard": weighted_jaccard,
}
