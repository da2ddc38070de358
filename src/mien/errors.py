"""What can go wrong, and what each thing that goes wrong is called.

::

    MienError                  anything that mien raises on purpose
    ├── PhotoError             a file, array or stream that is not a picture mien can trust
    ├── NoFaceError            a picture without the face that was asked for
    ├── ModelError             a network that is missing, altered, or not what its card says
    │   └── ModelCardError     a card of yours that is missing or wrong
    ├── CalibrationError       an error rate that the data behind a calibration cannot support
    ├── GalleryError           a gallery that is missing, locked, or made with another encoder
    ├── TrainingError          a training run that can't go on
    ├── ConfigError            an option, file or variable that makes no sense
    │   └── InputError         a file or folder of data that can't be read or used: scores, a list, people
    └── MissingExtraError      an optional dependency that is not installed

A programming mistake (a wrong shape, a negative count) stays a ``ValueError`` or ``TypeError``.
"""

from typing import ClassVar


class MienError(Exception):
    """Base of every error that mien raises on purpose.

    Args:
        message: What happened, and to what, as a sentence.
        hint: What to do about it, as a sentence; "" if nothing can be done.
        code: A stable name for programs, such as ``"photo.truncated"``; by default the class's own.

    Attributes:
        exit_code: What the command line ends with: 2 wrong usage, 3 unusable input, 4 something is missing.
    """

    default_code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message, hint, code)
        self.message = message
        self.hint = hint
        self.code = code or self.default_code

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, self.hint, self.code))

    def to_dict(self) -> dict[str, str]:
        """The error as JSON-ready data."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


def _rebuild(kind: type[MienError], message: str, hint: str, code: str) -> MienError:
    return kind(message, hint=hint, code=code)


class PhotoError(MienError):
    """A source that is not a picture mien can trust: missing, truncated, a bomb, not an image at all."""

    default_code = "photo"


class NoFaceError(MienError):
    """A picture in which the face that was asked for is not found."""

    default_code = "no-face"


class ModelError(MienError):
    """A network that is missing, altered, or not what its card says."""

    default_code = "model"
    exit_code = 4


class ModelCardError(ModelError):
    """A model card of the user's that is missing, can't be read, or is wrong."""

    default_code = "model.card"
    exit_code = 3


class CalibrationError(MienError):
    """An error rate that the data behind a calibration cannot support, or a calibration of another encoder."""

    default_code = "calibration"


class GalleryError(MienError):
    """A gallery that is missing, locked, damaged, or made with another encoder."""

    default_code = "gallery"


class TrainingError(MienError):
    """A training run that can't go on: collapsed embeddings, a loss that is no number, a damaged checkpoint."""

    default_code = "training"


class ConfigError(MienError):
    """An option, file or variable that makes no sense."""

    default_code = "config"
    exit_code = 2


class InputError(ConfigError):
    """A file or folder of data that can't be read or used: scores, a list of pairs, a table of faces, people."""

    default_code = "input"
    exit_code = 3


class MissingExtraError(MienError):
    """An optional dependency that is not installed.

    Args:
        extra: The extra that brings it, such as ``"openvino"``.
        purpose: What it is needed for, such as ``"the OpenVINO runtime"``.
    """

    default_code = "missing-extra"
    exit_code = 4

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose[:1].upper()}{purpose[1:]} needs an optional dependency that is not installed.",
            hint=f"Install it with: pip install 'mien[{extra}]'",
        )
        self.extra = extra
        self.purpose = purpose

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.extra, self.purpose))
