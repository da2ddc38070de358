"""The losses, by the name that recipes call them: a new one is a file and a line here."""

from collections.abc import Mapping

from mien.training.losses.adaface import AdaFace
from mien.training.losses.arcface import ArcFace
from mien.training.losses.center import CenterLoss
from mien.training.losses.circle import Circle
from mien.training.losses.combined_margin import CombinedMargin
from mien.training.losses.contrastive import Contrastive
from mien.training.losses.contrastive_center import ContrastiveCenterLoss
from mien.training.losses.cosface import CosFace
from mien.training.losses.cross_batch_memory import CrossBatchMemory
from mien.training.losses.curricularface import CurricularFace
from mien.training.losses.l_softmax import LSoftmax, SphereFace
from mien.training.losses.large_margin_gaussian_mixture import LargeMarginGaussianMixture
from mien.training.losses.loss import Loss
from mien.training.losses.magface import MagFace
from mien.training.losses.multi_similarity import MultiSimilarity
from mien.training.losses.n_pair import NPair
from mien.training.losses.siamese_head import SiameseHead
from mien.training.losses.softmax import ModifiedSoftmax, NormFace, Softmax
from mien.training.losses.subcenter_arcface import SubCenterArcFace
from mien.training.losses.supervised_contrastive import SupervisedContrastive
from mien.training.losses.triplets import Triplet

LOSSES: Mapping[str, type[Loss]] = {
    "adaface": AdaFace,
    "arcface": ArcFace,
    "center": CenterLoss,
    "circle": Circle,
    "combined_margin": CombinedMargin,
    "contrastive": Contrastive,
    "contrastive_center": ContrastiveCenterLoss,
    "cosface": CosFace,
    "cross_batch_memory": CrossBatchMemory,
    "curricularface": CurricularFace,
    "l_softmax": LSoftmax,
    "large_margin_gaussian_mixture": LargeMarginGaussianMixture,
    "magface": MagFace,
    "modified_softmax": ModifiedSoftmax,
    "multi_similarity": MultiSimilarity,
    "n_pair": NPair,
    "normface": NormFace,
    "siamese": SiameseHead,
    "softmax": Softmax,
    "sphereface": SphereFace,
    "subcenter_arcface": SubCenterArcFace,
    "supervised_contrastive": SupervisedContrastive,
    "triplet": Triplet,
}
