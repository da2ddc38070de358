"""The changes, by the name that recipes have for them: a new one is a file in this folder and a line here."""

from collections.abc import Mapping

from mien.training.data.augmentation.affine import Affine
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
from mien.training.data.augmentation.shift import Shift
from mien.training.data.augmentation.sunglasses import Sunglasses

# In the order in which they happen to a photo: what the person wears, where the face lies, light, lens, file.
CHANGES: Mapping[str, type[Change]] = {
    "sunglasses": Sunglasses,
    "mask": Mask,
    "flip": Flip,
    "affine": Affine,
    "shift": Shift,
    "crop": Crop,
    "cut_out": CutOut,
    "colour": Colour,
    "grey": Grey,
    "blur": Blur,
    "low_resolution": LowResolution,
    "jpeg": Jpeg,
}
