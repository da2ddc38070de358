"""Every kind of pixel that a picture can have, made into 8-bit RGB.

What becomes of each:

- grey: three equal channels; 1-bit: black and white; palette: its colours;
- transparency (LA, RGBA, palette or one transparent colour): laid over white;
- CMYK, YCbCr, LAB: converted, by the embedded ICC profile where there is one;
- a usable ICC profile that is not already sRGB: converted to sRGB; an unusable one: ignored, with a note;
- 16-bit grey: value / 257, rounded, so that 65535 becomes 255 (nothing is clipped); 16-bit colour: the high byte;
- 32-bit integers: as they are where all are in 0…255, / 257 where all are in 0…65535, else as floats below;
- floats: 0…1 becomes 0…255 where all finite values are in 0…1, else their finite range is stretched to 0…255;
  NaN and −∞ become black, +∞ white.
"""

import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

ICC_IGNORED = "its colour profile can't be used and was ignored: colours may be slightly off"

# What Pillow raises over a profile that is damaged, of a kind unknown to it, or of another colour space than the
# picture; ImportError where Pillow was built without Little CMS.
_ICC_ERRORS = (ImageCms.PyCMSError, OSError, ValueError, TypeError, ImportError)


def to_rgb(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """Convert a loaded picture of any mode.

    Returns:
        The picture in mode RGB, and notes about what the user should know.
    """
    icc = image.info.get("icc_profile")
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        # A profile of such a picture is about its linear or deep values: after the scaling it would be wrong.
        return Image.fromarray(_to_8_bit(np.asarray(image), deep=image.format == "PPM")).convert("RGB"), ()
    image = _simplify(image)
    notes: list[str] = []
    if icc and image.mode in ("L", "RGB", "RGBA", "CMYK"):
        try:
            image = _to_srgb(image, icc)
        except _ICC_ERRORS:
            notes.append(ICC_IGNORED)
    if image.mode == "RGBA":
        image, see_through = _over_white(image)
        if see_through:
            notes.append("its transparent parts were laid over white")
    return image if image.mode == "RGB" else image.convert("RGB"), tuple(notes)


def _simplify(image: Image.Image) -> Image.Image:
    """Palettes and unusual modes made into L, RGB, RGBA, CMYK, or what Pillow converts to RGB by itself."""
    if image.mode == "La":  # Pillow knows no shorter way
        image = image.convert("LA")
    if image.has_transparency_data and image.mode != "RGBA":
        return image.convert("RGBA")
    if image.mode == "P":
        return image.convert("RGB")
    return image


def _over_white(image: Image.Image) -> tuple[Image.Image, bool]:
    alpha = image.getchannel("A")
    lowest = alpha.getextrema()[0]
    if lowest == 255:
        return image.convert("RGB"), False
    white = Image.new("RGB", image.size, (255, 255, 255))
    white.paste(image.convert("RGB"), mask=alpha)
    return white, True


def _to_8_bit(values: NDArray[np.generic], *, deep: bool) -> NDArray[np.uint8]:
    """Deep grey values (H, W) as uint8; `deep` says that integers span 0…65535 even where none is above 255."""
    if values.dtype.kind in "iu":
        low, high = int(values.min()), int(values.max())
        if low >= 0 and high <= 65535:
            if high <= 255 and not deep and values.dtype.itemsize > 2:
                return values.astype(np.uint8)
            return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return _stretch(values.astype(np.float32 if values.dtype == np.float32 else np.float64))


def _stretch(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low >= 0.0 and high <= 1.0:
        low, high = 0.0, 1.0
    values = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    # Halved first: the difference of two floats can be more than the largest float.
    span = high / 2 - low / 2
    scaled = (values / 2 - low / 2) / span if span > 0 else np.zeros_like(values)
    eight_bit: NDArray[np.uint8] = np.rint(np.clip(scaled, 0.0, 1.0) * 255).astype(np.uint8)
    return eight_bit


def _to_srgb(image: Image.Image, icc: bytes) -> Image.Image:
    transform = _srgb_transform(icc, image.mode)
    return image if transform is None else transform.apply(image)


@lru_cache(maxsize=16)
def _srgb_transform(icc: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From a profile to sRGB, or None where it is sRGB. Applying it is thread-safe: Little CMS copies its cache."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    if mode in ("RGB", "RGBA") and "srgb" in ImageCms.getProfileDescription(profile).lower():
        return None
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    return ImageCms.ImageCmsTransform(profile, srgb, mode, "RGBA" if mode == "RGBA" else "RGB")
