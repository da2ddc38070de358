"""Which face of a photo counts: a stated policy, so that a photo with several faces is never silently reduced."""

from typing import Literal, get_args

from mien.errors import ConfigError, NoFaceError
from mien.faces.faces import Faces

FacePolicy = Literal["central", "largest", "only", "all"]
"""The face nearest the centre, the one with the largest box, the only one (several are refused), or all of them."""


def too_blurred(source: str) -> NoFaceError:
    """Why a photo can't stand for a person whom others are compared with at a stated rate."""
    return NoFaceError(
        f"The face in {source} is too blurred, noisy or small to know a person by: other such faces look like it "
        "more often than stated.",
        hint="Use a sharper, cleaner or larger one.",
        code="no-face.blurred",
    )


def require_policy(policy: str) -> None:
    """Raise `ConfigError` if there is no such policy."""
    if policy not in get_args(FacePolicy):
        raise ConfigError(f"There is no face policy {policy!r}.", hint=f"Use one of {', '.join(get_args(FacePolicy))}.")


def choose(faces: Faces, policy: FacePolicy) -> Faces:
    """Keep the faces that count.

    Args:
        faces: All faces of one photo.
        policy: Which of them count.

    Returns:
        One face, or all of them with ``"all"``; never none. Where others were left out, its notes say so.

    Raises:
        NoFaceError: There is no face, or with ``"only"`` more than one.
        MienError: The photo itself could not be used; this is `faces.problem`.
        ConfigError: There is no such policy.
    """
    require_policy(policy)
    central = faces.most_central()  # also refuses where there is none
    if policy == "all" or len(faces) == 1:
        return faces
    if policy == "only":
        raise NoFaceError(
            f"{faces.source} shows {len(faces)} faces, and exactly one was asked for.",
            hint="Crop the photo to one person, or say which face counts: central, largest or all.",
            code="no-face.several",
        )
    return (central if policy == "central" else faces.largest()).noting(
        f"the {'most central' if policy == 'central' else 'largest'} of {len(faces)} faces was taken"
    )
