import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien.errors import ConfigError


def save_picture(pixels: NDArray[np.uint8], path: str | os.PathLike[str]) -> None:
    """Write a picture; its folder is made where it is missing.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        path: Where to; the ending says the format, such as ``.jpg`` or ``.png``.

    Raises:
        ConfigError: It can't be written there, or the ending is that of no picture format.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path, quality=92)  # which formats without a quality ignore
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The picture {path} can't be written: {error}.", hint="Choose another folder or ending."
        ) from error
