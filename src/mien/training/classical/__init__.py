"""Face recognition before deep networks, as scikit-learn estimators on aligned crops and as encoders."""

from mien.training.classical.binary_patterns import BinaryPatterns
from mien.training.classical.eigenfaces import Eigenfaces
from mien.training.classical.encoder import ClassicalEncoder
from mien.training.classical.fisherfaces import Fisherfaces
from mien.training.classical.sift_fisher_vectors import SiftFisherVectors

__all__ = ["BinaryPatterns", "ClassicalEncoder", "Eigenfaces", "Fisherfaces", "SiftFisherVectors"]
