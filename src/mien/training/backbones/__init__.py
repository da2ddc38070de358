"""Networks from aligned crops to raw embeddings: (N, 3, S, S) float to (N, D) float."""

from mien.training.backbones.iresnet import IResNet
from mien.training.backbones.mobilefacenet import MobileFaceNet
from mien.training.backbones.opening import open_backbone
from mien.training.backbones.parts import parts_of, trainable_parts
from mien.training.backbones.registry import BACKBONES
from mien.training.backbones.sface import SFace
from mien.training.backbones.small import Small

__all__ = [
    "BACKBONES",
    "IResNet",
    "MobileFaceNet",
    "SFace",
    "Small",
    "open_backbone",
    "parts_of",
    "trainable_parts",
]
