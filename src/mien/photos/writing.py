import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien.errors import ConfigError

_SOFTWARE = 0x0131  # the tag of EXIF
_NAME = "mien"


def saved_here(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a JPEG, PNG, WebP or TIFF that `save_picture` wrote; False if it can't be read."""
    if not Path(path).is_file():  # nothing may ever come out of a pipe
        return False
    try:
        with Image.open(path) as picture:
            return bool(picture.getexif().get(_SOFTWARE) == _NAME)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


def save_picture(pixels: NDArray[np.uint8], path: str | os.PathLike[str]) -> None:
    """Write a picture; its folder is made where it is missing. Its EXIF data name mien, where the format has any.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        path: Where to; the ending says the format, such as ``.jpg`` or ``.png``.

    Raises:
        ConfigError: It can't be written there, or the ending is that of no picture format.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        exif[_SOFTWARE] = _NAME
        Image.fromarray(pixels).save(path, quality=92, exif=exif)  # which formats without them ignore
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The picture {path} can't be written: {error}.", hint="Choose another folder or ending."
        ) from error
