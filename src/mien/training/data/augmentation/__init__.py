"""Changes that make one photo of a face into another that there might have been, on batches of crops."""

from mien.training.data.augmentation.affine import Affine
from mien.training.data.augmentation.augmentation import Augmentation
from mien.training.data.augmentation.blur import Blur
from mien.training.data.augmentation.change import Change
from mien.training.data.augmentation.colour import Colour
from mien.training.data.augmentation.crop import Crop
from mien.training.data.augmentation.cut_out import CutOut
from mien.training.data.augmentation.flip import Flip
from mien.training.data.augmentation.grey import Grey
from mien.training.data.augmentation.jpeg import Jpeg
from mien.training.data.augmentation.low_resolution import LowResolution
from mien.training.data.augmentation.mask import Mask
from mien.training.data.augmentation.registry import CHANGES
from mien.training.data.augmentation.shift import Shift
from mien.training.data.augmentation.sunglasses import Sunglasses

__all__ = [
    "CHANGES",
    "Affine",
    "Augmentation",
    "Blur",
    "Change",
    "Colour",
    "Crop",
    "CutOut",
    "Flip",
    "Grey",
    "Jpeg",
    "LowResolution",
    "Mask",
    "Shift",
    "Sunglasses",
]
