"""The backbones by the names that recipes use."""

from collections.abc import Callable, Mapping
from functools import partial

from torch import nn

from mien.training.backbones.iresnet import IResNet
from mien.training.backbones.mobilefacenet import MobileFaceNet
from mien.training.backbones.sface import SFace
from mien.training.backbones.small import Small

BACKBONES: Mapping[str, Callable[..., nn.Module]] = {
    "small": Small,
    "mobilefacenet": MobileFaceNet,
    "iresnet18": partial(IResNet, depth=18),
    "iresnet34": partial(IResNet, depth=34),
    "iresnet50": partial(IResNet, depth=50),
    "iresnet100": partial(IResNet, depth=100),
    "sface": SFace,
}
"""Each is called as ``make(embedding_size=…, input_size=…, **its own)``."""
