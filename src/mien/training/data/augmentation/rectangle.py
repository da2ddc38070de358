import numpy as np

from mien.training.data.augmentation.change import Draws, Picture, at


def rectangle(
    picture: Picture, draws: Draws, area: tuple[float, float], aspect: tuple[float, float]
) -> tuple[slice, slice]:
    """The rows and columns of a rectangle that lies somewhere in a picture.

    Args:
        picture: (S, S, 3).
        draws: (4,): area, aspect, and how far to the right and down it lies.
        area: Its smallest and largest area, as a share of the picture's.
        aspect: Its least and greatest width by height, drawn so that r and 1/r are as likely.
    """
    side = picture.shape[0]
    share = at(draws[0], area)
    ratio = np.exp(at(draws[1], (np.log(aspect[0]), np.log(aspect[1]))))
    width = min(side, max(1, round(side * np.sqrt(share * ratio))))
    height = min(side, max(1, round(side * np.sqrt(share / ratio))))
    left, top = int(draws[2] * (side - width + 1)), int(draws[3] * (side - height + 1))
    return slice(top, top + height), slice(left, left + width)
