"""mien: face verification, open-set identification and clustering whose every decision states its error rate.

>>> import mien
>>> recognizer = mien.Recognizer()                                              # doctest: +SKIP
>>> recognizer.verify("a.jpg", "b.jpg").reason                                  # doctest: +SKIP
'match: similarity 0.61 is above 0.40, the threshold for a false match rate of 1e-4 …'

Names are loaded when first used, so that importing mien costs nothing.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

from mien._version import __version__

# From 1.29 on, onnxruntime's official builds report to Microsoft unless this is set before they start: a name of each
# model, hashes of its weights, a number for the machine. Whoever wants that can set it to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from mien.decisions import Calibration, Clustering, Identification, Verification
    from mien.errors import (
        CalibrationError,
        ConfigError,
        GalleryError,
        InputError,
        MienError,
        MissingExtraError,
        ModelError,
        NoFaceError,
        PhotoError,
    )
    from mien.faces import Faces
    from mien.gallery import Gallery
    from mien.photos import Photo
    from mien.recognizer import Recognizer

_HOME = {
    "Calibration": "mien.decisions",
    "CalibrationError": "mien.errors",
    "Clustering": "mien.decisions",
    "ConfigError": "mien.errors",
    "Faces": "mien.faces",
    "Gallery": "mien.gallery",
    "GalleryError": "mien.errors",
    "Identification": "mien.decisions",
    "InputError": "mien.errors",
    "MienError": "mien.errors",
    "MissingExtraError": "mien.errors",
    "ModelError": "mien.errors",
    "NoFaceError": "mien.errors",
    "Photo": "mien.photos",
    "PhotoError": "mien.errors",
    "Recognizer": "mien.recognizer",
    "Verification": "mien.decisions",
}

__all__ = [
    "Calibration",
    "CalibrationError",
    "Clustering",
    "ConfigError",
    "Faces",
    "Gallery",
    "GalleryError",
    "Identification",
    "InputError",
    "MienError",
    "MissingExtraError",
    "ModelError",
    "NoFaceError",
    "Photo",
    "PhotoError",
    "Recognizer",
    "Verification",
    "__version__",
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'mien' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
