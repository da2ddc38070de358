"""What training makes small: classification heads, and losses on the embeddings of a batch.

Every one is called alike, ``loss(embeddings, labels, indices_tuple=None)``, as PyTorch-metric-learning's are.
"""

from mien.training.losses.adaface import AdaFace
from mien.training.losses.arcface import ArcFace, arc_margin
from mien.training.losses.center import CenterLoss, center_losses, center_steps
from mien.training.losses.circle import Circle, circle_losses
from mien.training.losses.combined_margin import CombinedMargin, combined_margin
from mien.training.losses.contrastive import Contrastive, contrastive_losses
from mien.training.losses.contrastive_center import ContrastiveCenterLoss, contrastive_center_losses
from mien.training.losses.cosface import CosFace
from mien.training.losses.cross_batch_memory import CrossBatchMemory
from mien.training.losses.curricularface import CurricularFace
from mien.training.losses.l_softmax import LSoftmax, SphereFace, psi
from mien.training.losses.large_margin_gaussian_mixture import LargeMarginGaussianMixture
from mien.training.losses.loss import ClassificationLoss, Loss
from mien.training.losses.magface import MagFace
from mien.training.losses.multi_similarity import MultiSimilarity, multi_similarity_losses, multi_similarity_pairs
from mien.training.losses.n_pair import NPair, n_pair_losses
from mien.training.losses.pair_loss import PairLoss
from mien.training.losses.registry import LOSSES
from mien.training.losses.siamese_head import SiameseHead
from mien.training.losses.softmax import ModifiedSoftmax, NormFace, Softmax
from mien.training.losses.subcenter_arcface import SubCenterArcFace
from mien.training.losses.supervised_contrastive import SupervisedContrastive, supervised_contrastive_losses
from mien.training.losses.triplets import Triplet, triplet_losses

__all__ = [
    "LOSSES",
    "AdaFace",
    "ArcFace",
    "CenterLoss",
    "Circle",
    "ClassificationLoss",
    "CombinedMargin",
    "Contrastive",
    "ContrastiveCenterLoss",
    "CosFace",
    "CrossBatchMemory",
    "CurricularFace",
    "LSoftmax",
    "LargeMarginGaussianMixture",
    "Loss",
    "MagFace",
    "ModifiedSoftmax",
    "MultiSimilarity",
    "NPair",
    "NormFace",
    "PairLoss",
    "SiameseHead",
    "Softmax",
    "SphereFace",
    "SubCenterArcFace",
    "SupervisedContrastive",
    "Triplet",
    "arc_margin",
    "center_losses",
    "center_steps",
    "circle_losses",
    "combined_margin",
    "contrastive_center_losses",
    "contrastive_losses",
    "multi_similarity_losses",
    "multi_similarity_pairs",
    "n_pair_losses",
    "psi",
    "supervised_contrastive_losses",
    "triplet_losses",
]
