from pathlib import Path

import numpy as np

from mien.evaluation.protocols.listed_pairs import ListedPairs
from mien.evaluation.protocols.photo_pairs import PhotoPairs, tenths
from mien.evaluation.protocols.photo_pickle import read_photo_pickle


def bin_(file: Path) -> ListedPairs:
    """Pairs of aligned crops in a .bin file of insightface (lfw.bin, cfp_fp.bin, agedb_30.bin …), without unpickling.

    Args:
        file: The .bin file.
    """
    photos, labels = read_photo_pickle(file)
    names = [f"{number:06d}" for number in range(len(photos))]
    mated = np.array(labels)
    found = PhotoPairs(tuple(names[::2]), tuple(names[1::2]), mated, tenths(mated))
    return ListedPairs(
        "bin", f"The pairs of {file.name}", file.name, found, dict(zip(names, photos, strict=True)), aligned=True
    )
