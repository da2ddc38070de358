"""What training makes small: classification heads, and losses on the embeddings of a batch.

Every one is called alike, ``loss(embeddings, labels, indices_tuple=None)``, as PyTorch-metric-learning's are.
"""

from mien.training.losses.loss import ClassificationLoss, Loss
from mien.training.losses.registry import LOSSES
from mien.training.losses.softmax import ModifiedSoftmax, NormFace, Softmax

__all__ = [
    "LOSSES",
    "ClassificationLoss",
    "Loss",
    "ModifiedSoftmax",
    "NormFace",
    "Softmax",
]
