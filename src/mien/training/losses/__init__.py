"""What training makes small: classification heads, and losses on the embeddings of a batch.

Every one is called alike, ``loss(embeddings, labels, indices_tuple=None)``, as PyTorch-metric-learning's are.
"""

from mien.training.losses.adaface import AdaFace
from mien.training.losses.arcface import ArcFace, arc_margin
from mien.training.losses.combined_margin import CombinedMargin, combined_margin
from mien.training.losses.cosface import CosFace
from mien.training.losses.curricularface import CurricularFace
from mien.training.losses.l_softmax import LSoftmax, SphereFace, psi
from mien.training.losses.large_margin_gaussian_mixture import LargeMarginGaussianMixture
from mien.training.losses.loss import ClassificationLoss, Loss
from mien.training.losses.magface import MagFace
from mien.training.losses.registry import LOSSES
from mien.training.losses.siamese_head import SiameseHead
from mien.training.losses.softmax import ModifiedSoftmax, NormFace, Softmax
from mien.training.losses.subcenter_arcface import SubCenterArcFace

__all__ = [
    "LOSSES",
    "AdaFace",
    "ArcFace",
    "ClassificationLoss",
    "CombinedMargin",
    "CosFace",
    "CurricularFace",
    "LSoftmax",
    "LargeMarginGaussianMixture",
    "Loss",
    "MagFace",
    "ModifiedSoftmax",
    "NormFace",
    "SiameseHead",
    "Softmax",
    "SphereFace",
    "SubCenterArcFace",
    "arc_margin",
    "combined_margin",
    "psi",
]
